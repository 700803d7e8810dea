"""Which picture is of which iteration; a source is a name and ids, and nothing is opened."""

import warnings
from types import SimpleNamespace

import pytest

from giqa.errors import BadSource, BadSpec
from giqa.images import open_source
from giqa.images.iterations import iteration_column, iterations_of, number


def source(*folders, files=("000.png", "001.png"), name="run", **columns):
    """Two pictures in each folder; a name with a picture's ending is one by itself."""
    ids = [
        name
        for folder in folders
        for name in ([folder] if folder.endswith(".png") else [f"{folder}/{f}" for f in files])
    ]
    return SimpleNamespace(name=name, ids=ids, **({"columns": columns} if columns else {}))


def counts(made, pattern=None):
    """Iteration -> pictures, and what was said."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = iterations_of(made, pattern)
    every = list(found.values())
    return {value: every.count(value) for value in sorted(set(every))}, " | ".join(str(w.message) for w in caught)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("000200", 200),
        ("0", 0),
        ("1e3", 1000),
        ("1E+3", 1000),
        ("2.5e3", 2500),
        ("1k", 1000),
        ("1.005k", 1005),
        ("2.5K", 2500),
        ("10M", 10_000_000),
        ("1_000", 1000),
        ("1,234,567", 1_234_567),
        (" 100.0 ", 100),
        ("0.5", 0.5),
        *(
            (text, None)
            for text in ("", "nan", "inf", "-1", "1e-4", "1_00", "1,00", "01,000", "1kk", "0x10", "last", "½")
        ),
    ],
)
def test_a_count_is_read_as_people_write_it(text, value):
    """Leading zeros, powers of ten, k and M, thousands; nothing that is no count of iterations."""
    assert number(text) == value


@pytest.mark.parametrize(
    ("folders", "iterations"),
    [
        (("step_00200", "step_00400"), (200, 400)),
        (("step_1e3", "step_2e3", "step_1e4"), (1000, 2000, 10_000)),
        (("step_500", "step_1k", "step_2k"), (500, 1000, 2000)),
        (("step-2.5k", "step-10M"), (2500, 10_000_000)),
        (("step_1_000", "step_2_500", "step_10_000"), (1000, 2500, 10_000)),
        (("step_1,000", "step_2,500"), (1000, 2500)),
        (("5ksteps", "10ksteps"), (5000, 10_000)),
        (("5k_steps", "10k-steps"), (5000, 10_000)),
        (("checkpoint-500", "checkpoint-1000"), (500, 1000)),
        (("iter_0001000", "iter_0002000"), (1000, 2000)),
        (("global_step1000", "global_step2000"), (1000, 2000)),
        (("globalStep=1", "globalStep=2"), (1, 2)),
        (("it200", "it400"), (200, 400)),
        (("000200kimg", "000400kimg"), (200, 400)),
        (("network-snapshot-000200", "network-snapshot-000400"), (200, 400)),
        (("Epoch 1", "EPOCH 2"), (1, 2)),
        (("v2_iter_000100", "v2_iter_000500"), (100, 500)),
        (("lr_1e-4_step_100_cfg_7.5", "lr_1e-4_step_200_cfg_7.5"), (100, 200)),
        (("2024-01-05_step_200", "2024-01-06_step_400"), (200, 400)),
        (("run_steps5000/epoch_1", "run_steps5000/epoch_2"), (1, 2)),  # what never changes is no iteration
        (("epoch_0/step_100", "epoch_1/step_200"), (100, 200)),
        (("steps/1000", "steps/2000"), (1000, 2000)),
        (("fakes000200.png", "fakes000400.png"), (200, 400)),  # StyleGAN's grids
        (("samples_gs-000200_e-3_b-7.png", "samples_gs-000400_e-3_b-7.png"), (200, 400)),
        (("000200", "000400"), (200, 400)),
        (("500", "1k", "1e4"), (500, 1000, 10_000)),
        (("step_100ema", "step_200ema"), (100, 200)),  # averaged weights
    ],
)
def test_names_of_training_tools_are_read(folders, iterations):
    """The number beside a word for it, in folders, else in files; else folders that are numbers."""
    assert tuple(counts(source(*folders))[0]) == iterations


@pytest.mark.parametrize(
    "inner", ["prompt_0000 prompt_0001", "seed_3 seed_4", "class_5 class_6", "rank0 rank1", "sample_0 sample_1", "0 1"]
)
def test_all_pictures_of_a_checkpoint_in_subfolders_belong_to_it(inner):
    """Whatever numbers stand below, there are 3 checkpoints of 4 pictures; of epoch and step the step, said."""
    folders = [f"epoch_{s // 4:08}-step_{s:08}/{part}" for s in (200, 400, 600) for part in inner.split()]
    found, said = counts(source(*folders))
    assert found == {200: 4, 400: 4, 600: 4}
    assert said == "iterations are those next to step, not epoch"


@pytest.mark.parametrize(
    ("folders", "words"),
    [
        (
            ("prompt_0001", "prompt_0002"),
            ["no number stands next to a word", "--iteration 'prompt_{}' (1, 2: prompt_0001"],
        ),
        (("seed_3", "seed_4"), ["--iteration 'seed_{}'"]),
        (("samples_1000", "samples_2000"), ["--iteration 'samples_{}' (1000, 2000"]),
        (("classes/0", "classes/1"), ["--iteration '{}/*' (0, 1: classes/0/000.png)"]),
        (("0.png", "400.png"), ["--iteration '{}.png' (0, 400: 0.png)"]),
        (
            ("a/00000500_0001.png", "a/00001000_0002.png"),
            ["--iteration '{}_*' (500, 1000", "--iteration '*_{}.png' (1, 2"],
        ),
        (("a", "b"), ["Numbers in the names: --iteration '{}.png' (0, 1"]),
        (
            ("1000/0", "1000/1", "2000/0"),
            ["folders within folders are numbers", "'{}/*/*' (1000, 2000", "'{}/*' (0, 1"],
        ),
        (("0/1000", "1/2000"), ["folders within folders are numbers"]),
        (("000/0.png", "000/1.png", "001/2.png", "001/3.png"), ["numbered on from folder to folder"]),
        (("step_1_001", "step_1_002"), ["1_001 may be 1001, or 1 and 001"]),
        (("epoch_1", "step_200", "step_400"), ["some names have a step, and some another word"]),
        (
            ("epoch_0/step_1.png", "epoch_0/step_2.png", "epoch_1/step_3.png"),
            ["named by epoch, files in them by a finer"],
        ),
        (("iter_1/step_2", "iter_2/step_3"), ["several numbers next to words for a step"]),
        (("step_200/a", "step_0200/a", "step_300"), ["iteration 200 is in 2 places", "'step_0200', 'step_200'"]),
        (
            ("step_1000", "step_1k", "step_2k"),
            ["iteration 1000 is in 2 places", "--iteration 'step_{}' takes them together"],
        ),
        (("epoch=3-step=200", "epoch=4-step=200", "epoch=5-step=300"), ["iteration 200 is in 2 places"]),
        (("epoch_0/step_100", "epoch_1/step_100", "epoch_1/step_200"), ["iteration 100 is in 2 places"]),
        (
            ("run_a/step_200", "run_b/step_200", "run_b/step_400"),
            ["'run_a/step_200', 'run_b/step_200'", "several runs"],
        ),
        (("run_a/step_100", "run_a/step_200", "run_b/step_300"), ["iterations lie in 2 folders"]),
        (("prompt_0/step_1", "prompt_1/step_1", "prompt_1/step_2"), ["iteration 1 is in 2 places"]),
        (("step_100_cfg_3", "step_100_cfg_7", "step_200_cfg_3"), ["iteration 100 is in 2 places"]),
        (("checkpoint-5/step_1", "checkpoint-5/step_2", "checkpoint-9/step_1"), ["iteration 1 is in 2 places"]),
        (("iter_100",), ["pictures of 1 iterations (iter_100)"]),
        (("step_100", "step_100ema", "step_200"), ["iteration 100 is in 2 places ('step_100', 'step_100ema')"]),
        (("epoch=0-step=900", "epoch=1-step=400"), ["such as 400 in 1 and 900 in 0", "begins again in each epoch"]),
        (("epoch_0/step_100", "epoch_0/step_200", "epoch_1/step_50"), ["begins again in each epoch"]),
        (("step_1_500", "step_2_500"), ["1_500 may be one number, or two"]),
        (("step_100_000.png", "step_200_000.png"), ["100_000 may be one number, or two"]),
        (("run1_step_100", "run2_step_200"), ["iterations lie in 2 runs (such as 'run1', 'run2')"]),
    ],
)
def test_what_is_not_clear_is_refused_with_what_could_be_meant(folders, words):
    """Nothing is guessed and no two folders are merged: the numbers there are, and the option that chooses."""
    with pytest.raises(BadSource) as caught:
        iterations_of(source(*folders))
    assert all(text in str(caught.value) for text in words)


def test_steps_within_a_picture_are_no_iterations():
    folders = [
        "checkpoint-500/denoising_step_10",
        "checkpoint-500/denoising_step_20",
        "checkpoint-1000/denoising_step_10",
    ]
    assert counts(source(*folders))[0] == {500: 4, 1000: 2}
    for folders in (
        ("ddim_steps_20", "ddim_steps_50"),
        ("ddim_20_steps", "ddim_50_steps"),
        ("lcm_4steps", "lcm_8steps"),
    ):
        with pytest.raises(BadSource, match="no number stands next to a word"):
            iterations_of(source(*folders))
    files = [f"step_{step}_ddim_{n}_steps_0.png" for step in (1000, 2000) for n in (20, 50)]
    assert counts(source(*files))[0] == {1000: 2, 2000: 2}
    assert counts(source("ddpm-epoch-10", "ddpm-epoch-20"))[0] == {10: 2, 20: 2}  # the name of a model


@pytest.mark.parametrize(
    ("folders", "pattern", "found"),
    [
        (("prompt_0001", "prompt_0002"), "prompt_{}", {1: 2, 2: 2}),
        (("1000/0", "1000/1", "2000/0"), "{}/*/*", {1000: 4, 2000: 2}),
        (("1000/0", "1000/1", "2000/0"), "{}/*", {0: 4, 1: 2}),
        (("1000/0", "1000/1", "2000/0"), "{}", {0: 4, 1: 2}),
        (("0.png", "400.png"), "{}.png", {0: 1, 400: 1}),
        (("a/00000500_0001.png", "a/00001000_0000.png"), "{}_*", {500: 1, 1000: 1}),
        (("a/00000500_0001.png", "a/00001000_0000.png"), "*_{}.png", {0: 1, 1: 1}),
        (("substep_7/step_1k", "substep_7/step_2k"), "step_{}", {1000: 2, 2000: 2}),
        (("epoch_0/step_1", "epoch_0/step_2", "epoch_1/step_1"), "epoch_{}", {0: 4, 1: 2}),
        (("100/samples", "200/samples"), "{}/samples", {100: 2, 200: 2}),
        (("a_step1000", "b_step2000"), "*{}", {1000: 2, 2000: 2}),
    ],
)
def test_the_pattern_says_where_the_number_stands(folders, pattern, found):
    assert counts(source(*folders), pattern)[0] == found


def test_a_pattern_that_merges_or_leaves_out_says_so():
    made = source("prompt_0/step_200", "prompt_1/step_200", "prompt_1/step_400", "final")
    found, said = counts(made, "step_{}")
    assert found == {200: 4, 400: 2}
    assert "iteration 200 is taken from 2 places ('prompt_0/step_200', 'prompt_1/step_200')" in said
    assert "left out, since 'step_{}' does not fit: 2 (such as 'final/000.png')" in said


@pytest.mark.parametrize(
    ("pattern", "words"),
    [("step", "with {} where"), ("{}_{}", "with {} where"), ("foo_{}", "fits no name of run, such as")],
)
def test_a_pattern_that_means_nothing_says_why(pattern, words):
    with pytest.raises(BadSpec, match=words):
        iterations_of(source("step_1", "step_2"), pattern)


def test_what_has_no_iteration_is_left_out_with_a_word():
    found, said = counts(source("step_1", "step_2", "final", "best"))
    assert found == {1: 2, 2: 2} and said == "left out, since they name no iteration: 4 (such as 'final/000.png')"


def test_folders_that_are_numbers_are_taken_with_a_word():
    assert counts(source("1000", "2000"))[1] == "iterations are the folders that are numbers (1000, 2000, ...)"


def test_a_table_has_one_column_one_run_and_no_reals():
    """Of several columns the finest; reals are no checkpoint even with a number; empty cells are counted."""
    made = source("a.png", "b.png", "c.png", "d.png", epoch=["1", "1", "2", ""], Step=["1k", "1e3", "2,000", ""],
                  kind=["generated", "generated", "generated", "generated"])  # fmt: skip
    found, said = counts(made)
    assert found == {1000: 2, 2000: 1}
    assert "column Step, not epoch" in said and "left out, since Step is empty: 1 rows" in said
    made.columns["kind"][0] = "Real"
    assert counts(made)[0] == {1000: 1, 2000: 1}
    made.columns["run"] = ["", "a", "b", "b"]
    with pytest.raises(BadSource, match=r"has 2 runs \('a', 'b'\).*track each by itself, such as 'run\[run=a\]'"):
        counts(made)
    made.columns["Step"][1] = "step_1000"
    with pytest.raises(BadSpec, match=r"column Step of run has 'step_1000', which is no number \(row 'b\.png'\)"):
        counts(made)


def test_a_column_is_found_in_any_case():
    assert (
        iteration_column(["image", " Iteration "]) == " Iteration " and iteration_column(["image", "steps_max"]) is None
    )


def test_the_folder_of_snapshots_names_its_table(tmp_path):
    """What `giqa.train.snapshots` writes has a table that knows."""
    import numpy as np

    from giqa.train.snapshots import Snapshots

    snapshots = Snapshots(tmp_path, run="a", every=500)
    for iteration in (500, 1000):
        snapshots(iteration, lambda: np.zeros((2, 8, 8, 3), np.uint8))
    with pytest.raises(BadSource, match=r"give .*snapshots\.csv"):
        iterations_of(open_source(tmp_path))
    assert counts(open_source(tmp_path / "snapshots.csv"))[0] == {500: 2, 1000: 2}


@pytest.mark.parametrize("folders", [["ckpt_1a2b", "ckpt_3c4d"], ["step_1B", "step_2B"], ["step_-1", "step_100"]])
def test_the_digits_of_something_else_are_no_iteration(folders):
    """1 of a hash 1a2b, of 1B and of -1 is not the iteration 1: nothing is guessed."""
    with pytest.raises(BadSource, match=r"of which iteration|of 1 iterations"):
        iterations_of(source(*folders))


@pytest.mark.parametrize(
    "names",
    [
        [f"step_{step}/fakes_{i:03d}.png" for step in (100, 200, 300) for i in range(2)],
        [f"step_{step}_fakes_{i}.png" for step in (100, 200, 300) for i in range(2)],
        [f"step_{step}/snapshot_{i}.png" for step in (100, 200, 300) for i in range(2)],
        [f"step_{step}/tick_{i}.png" for step in (100, 200, 300) for i in range(2)],
        [f"epoch_{step // 200}/step_{step}/fakes_{i}.png" for step in (100, 200, 300) for i in range(2)],
    ],
)
def test_the_number_of_a_picture_is_no_coarser_count(names):
    """Other words may number the pictures of a checkpoint: only an epoch holds steps that may begin again."""
    assert counts(source(*names))[0] == {100: 2, 200: 2, 300: 2}


def test_several_runs_are_said_before_anything_else():
    """Steps that go on in the epochs of each run; runs that files name."""
    two = {"step": ["100", "200", "300", "600"], "epoch": [*"1212"], "run": [*"aabb"]}
    with pytest.raises(BadSource, match="has 2 runs"):
        iterations_of(source("a.png", "b.png", "c.png", "d.png", **two))
    with pytest.raises(BadSource, match=r"lie in 2 runs \(such as 'run1', 'run2'\)"):
        iterations_of(source("run1_step100_0.png", "run1_step200_0.png", "run2_step300_0.png", "run2_step400_0.png"))


def test_a_step_that_begins_again_in_each_epoch_is_no_line():
    """Steps 0 and 100 of two epochs are four iterations, not two; a step that goes on is one line."""
    again = source("a.png", "b.png", "c.png", "d.png", epoch=[*"0011"], step=["0", "100", "0", "100"])
    with pytest.raises(BadSource, match=r"step \(such as 0 in 1 and 100 in 0\) begins again in each epoch"):
        counts(again)
    again.columns["step"] = ["0", "100", "200", "300"]
    assert counts(again)[0] == {0: 1, 100: 1, 200: 1, 300: 1}


def test_a_missing_step_of_pandas_is_left_out():
    found, said = counts(source("a.png", "b.png", "c.png", **{"Global Step": ["1", "<NA>", "2"]}))
    assert found == {1: 1, 2: 1} and "Global Step is empty: 1 rows" in said


@pytest.mark.parametrize(
    "names",
    [
        ("step_1.000.000", "step_900.000", "step_800.000"),
        ("step_0_5k", "step_1_5k", "step_2k"),
        ("step_1-5k", "step_2-5k"),
        ("step_1.500", "step_900"),
        ("step_1.500", "step_2.500"),
        ("epoch_1.500", "epoch_900"),
        ("step_1 000", "step_900", "step_800"),
        ("step_1'000", "step_2'000"),
        ("step_100.1.png", "step_100.2.png", "step_200.1.png"),
    ],
)
def test_a_part_of_a_number_is_no_iteration(names):
    """1.000.000 is neither 1 nor before 900.000, and 1_5k is not 1; nor is picture 2 of step 100 step 100.2."""
    with pytest.raises(BadSource, match=r"--iteration|at least two"):
        iterations_of(source(*names))


def test_a_pattern_takes_whole_numbers():
    for names in (("step_1.000.000", "step_2.000.000"), ("step_0_5k", "step_1_5k")):
        with pytest.raises(BadSpec, match="fits no name"):
            iterations_of(source(*names), "step_{}")
    assert counts(source("epoch_1.500", "epoch_2.500"))[0] == {1.5: 2, 2.5: 2}
    assert counts(source("step_1.500", "step_2.500"), "step_{}")[0] == {1.5: 2, 2.5: 2}
    assert counts(source("step_1.5", "step_2.25"))[0] == {1.5: 2, 2.25: 2}
    assert counts(source("epoch_5_10k_steps", "epoch_6_20k_steps"))[0] == {10_000: 2, 20_000: 2}


def test_a_number_too_long_for_a_group_of_thousands_is_whole():
    """1000 001 and 000500 001 are no numbers as people group them: 001 is the picture; nor is 10000_4k 10000.4k."""
    assert counts(source("step 000500 001.png", "step 1000 001.png"))[0] == {500: 1, 1000: 1}
    assert counts(source("step_1000_4k.png", "step_2000_4k.png"))[0] == {1000: 1, 2000: 1}


@pytest.mark.parametrize("word", ["kimg", "steps", "epochs"])
def test_a_word_that_touches_one_of_two_numbers_belongs_to_it(word):
    """500steps_0 is picture 0 of step 500; it was step 0."""
    names = (f"{step}{word}_{picture}.png" for step in (500, 600) for picture in (0, 1))
    assert counts(source(*names))[0] == {500: 2, 600: 2}


def test_a_pattern_may_say_what_stands_behind_the_number():
    names = source("step 500 001.png", "step 600 001.png")
    assert counts(names, "step {} *")[0] == {500: 1, 600: 1}
    assert counts(source("step_500.1.png", "step_600.1.png"), "step_{}.*.png")[0] == {500: 1, 600: 1}


def test_a_column_with_points_for_thousands_is_refused():
    with pytest.raises(BadSpec, match=r"'1\.500' and whole numbers"):
        iterations_of(source("a.png", "b.png", step=["1.500", "900"]))
