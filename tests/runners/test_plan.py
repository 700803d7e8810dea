"""What many pictures cost: sums by hand."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from giqa.cli import main
from giqa.errors import BadSource, BadSpec
from giqa.images import open_source
from giqa.runners.plan import Measured, measure, plan


def test_a_plan_by_hand():
    """10 ms a picture, 10^6 pictures: 10,000 s of a core; on 4 nodes of 8 cores 312.5 s; money for 4 nodes."""
    found = plan(Measured(100, 0.008, 0.002, 8000), 10**6, nodes=4, cores=8, price=3.6)
    assert found.core_hours == pytest.approx(10_000 / 3600) and found.hours == pytest.approx(312.5 / 3600)
    assert found.money == pytest.approx(4 * 3.6 * 312.5 / 3600)
    assert found.store_gb == 8.0
    with pytest.raises(BadSpec, match="at least 1 picture, node and core; got 0, 1 and 1"):
        plan(Measured(100, 0.008, 0.002, 8000), 0)


def test_twenty_pictures_are_needed():
    pictures = np.random.default_rng(0).integers(0, 256, (12, 16, 16, 3), dtype=np.uint8)
    with pytest.raises(BadSource, match="8 of 8 pictures can be read; at least 20 are needed"):
        measure(open_source(pictures), "statistics")


def test_the_command_plans_its_source_too(tmp_path):
    """The number of pictures of the source stands among the powers of ten."""
    np.save(tmp_path / "a.npy", np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), dtype=np.uint8))
    asked = ["plan", str(tmp_path / "a.npy"), "--extractor", "statistics", "--scorer", "knn", "--nodes", "2"]
    plain = CliRunner().invoke(main, asked)
    assert plain.exit_code == 0 and plain.output.startswith("pictures\thours\tcore hours")
    found = json.loads(CliRunner().invoke(main, [*asked, "--json", "--price", "2"]).stdout)
    assert [each["pictures"] for each in found["plans"]] == [40, 10**5, 10**6, 10**7, 10**8, 10**9]
    assert found["measured"]["pictures"] == 36 and found["plans"][0]["money"] > 0
