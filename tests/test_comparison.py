"""What a comparison of networks rests on: tables, intervals of differences, sources that do not show everything."""

import numpy as np
import pytest

from pise_core.evaluation import report
from pise_core.evaluation.intervals import differences, paired_difference
from pise_core.evaluation.scoring import Outcome
from pise_core.regions import REGION
from pise_core.skeleton import JOINT
from pise_core.training.data.articulation import Framed, Pair, above_the_waist
from tests.conftest import draw_person


def test_equal_gaps_leave_no_doubt_and_infinite_ones_do_not_count():
    found = paired_difference([0.5, 0.7, 0.2, np.inf], [0.4, 0.6, 0.1, 0.3])
    assert found == pytest.approx((0.1, 0.1, 0.1))


def test_the_interval_is_that_of_a_mean():
    """Of 400 gaps about 0.3 that spread by 1, the mean spreads by 1 / 20: 95 % lie within 1.96 of that."""
    rng = np.random.default_rng(1)
    others = rng.normal(size=400) * 9  # what both rows share is no noise
    gaps = rng.normal(size=400)
    gaps = 0.3 + (gaps - gaps.mean()) / gaps.std()
    found = paired_difference(others + gaps, others)
    assert found.mean == pytest.approx(0.3)
    assert found.high - 0.3 == pytest.approx(1.96 / 20, rel=0.1)
    assert 0.3 - found.low == pytest.approx(1.96 / 20, rel=0.1)


def test_a_table_leaves_out_what_no_row_has():
    text = report.table(Outcome("trial", 3, {"a row": {"lpips": 0.25, "psnr": float("inf")}, "b": {"lpips": 0.5}}))
    assert text.splitlines() == [
        "| trial (3) | LPIPS | PSNR |",
        "|-----------|-------|------|",
        "| a row     | 0.250 | inf  |",
        "| b         | 0.500 |      |",
    ]


def test_rows_are_compared_column_by_column():
    each = {
        "a": {"lpips": [0.2, 0.4], "psnr": [20.0, 22.0]},
        "b": {"lpips": [0.3, 0.5], "psnr": [21.0, 20.0]},
        "truth": {"lpips": [0.0, 0.0], "psnr": [np.inf, np.inf]},
    }
    outcome = Outcome("trial", 2, {name: {} for name in each}, each=each)
    assert list(differences(outcome, "a")) == ["b", "truth"]
    assert differences(outcome, "a")["b"]["psnr"] == pytest.approx((-0.5, -2.0, 1.0))
    assert report.compared(outcome, "a").splitlines() == [
        "| trial: against a | LPIPS                     | PSNR                |",
        "|------------------|---------------------------|---------------------|",
        "| b                | +0.100 (+0.100 to +0.100) | -0.5 (-2.0 to +1.0) |",
        "| truth            | -0.300 (-0.400 to -0.200) |                     |",
    ]
    assert report.compared(Outcome("trial", 2, {}), "a") == ""
    assert report.to_json(outcome)["each"]["truth"]["psnr"] == [None, None]


def test_a_source_above_the_waist_shows_no_legs_and_its_target_all():
    photo, pose, parsing = draw_person(176, 256)
    framed = Framed(photo, parsing, pose)
    pair = above_the_waist(Pair(framed, framed, None))  # type: ignore[arg-type]
    assert pair.target is framed
    left = set(np.unique(pair.source.parsing))
    assert {REGION["face"], REGION["upper_clothes"]} <= left
    assert not left & {REGION["pants"], REGION["leg"]}
    assert np.isnan(pair.source.pose[[JOINT["right_knee"], JOINT["left_ankle"]], 0]).all()
    lowest = np.nonzero(pair.source.parsing.any(1))[0].max()
    assert lowest < pose[JOINT["right_hip"], 1] < np.nonzero(parsing.any(1))[0].max()
    assert (parsing == REGION["pants"]).any()  # the map that was given stays as it was
    assert set(np.unique(pair.carried.parsing)) <= left
