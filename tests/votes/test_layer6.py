"""Folders of judgements, and the layout of the Layer-6 data."""

import pytest
from people_samples import votes

from giqa.errors import MissingSource
from giqa.votes.labels import Counts, Sittings
from giqa.votes.layer6 import read_people


def test_a_folder_of_the_layer6_data(tmp_path):
    """Both kinds of its files: by hand, 9 of 100 fakes and 20 of 100 reals wrong, 81.6 s over 100 fakes."""
    (tmp_path / "per-participant").mkdir()
    (tmp_path / "per-participant" / "cifar.csv").write_text(
        "id,model,num_correct,err_rt,f_err_rt,r_err_rt,r_ans_rt,resp_time,f_resp_time,r_resp_time\n"
        "p0,ACGAN,171.0,0.145,0.08999999999999997,0.19999999999999996,0.445,158.68,81.6,77.08\n"
    )
    (tmp_path / "images.csv").write_text(
        ",model,generated,image_path,number_guesses,number_guesses_generated,soft_label\n"
        "0,ACGAN,0,9.png,3,1,0.3\n1,ACGAN,1,7.png,2,2,1.0\n"
    )
    read = read_people(tmp_path)
    people, images = read["per-participant/cifar"], read["images"]
    assert isinstance(people, Sittings) and isinstance(images, Counts)
    assert (people.wrong_fakes[0], people.wrong_reals[0]) == (9, 20)
    assert (people.fakes[0], people.reals[0]) == (100, 100)
    assert people.fake_seconds[0] == pytest.approx(0.816)
    assert images.image.tolist() == ["9.png", "ACGAN/7.png"]  # two generators may both have a 7.png
    assert images.n_real.tolist() == [2, 0] and images.kind.tolist() == ["real", "generated"]
    assert images.generator.tolist() == ["", "ACGAN"] and images.context.tolist() == ["ACGAN", "ACGAN"]
    with pytest.raises(MissingSource):
        read_people(tmp_path / "per-image")


def test_a_vote_file_is_a_folder_of_one(tmp_path):
    votes(["a"], ["r"], [True]).write(tmp_path / "mine.csv")
    assert list(read_people(tmp_path / "mine.csv")) == ["mine"]
