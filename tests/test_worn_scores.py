"""Worn garments against the right answer: who exchanges what, and how it is scored."""

import argparse
import json

import numpy as np
import pytest
import torch

from pise_core.evaluation import command, worn
from pise_core.evaluation.image_metrics import Measures
from pise_core.regions import REGION


@pytest.fixture(scope="module")
def exchange():
    from pise_core.synthesis.exchanges import make_exchange

    return make_exchange(0, 0, (256, 176))


def measures(device: str) -> Measures:
    """Mean differences: no hub is asked."""
    return Measures(lambda a, b: (a - b).abs().mean((1, 2, 3)), torch.nn.Identity())


def test_the_truth_is_the_wearer_in_the_lenders_garment_and_nothing_else(exchange):
    wearer, lender, truth = exchange.wearer, exchange.lender, exchange.truth
    assert exchange.region == "upper_clothes"
    assert np.array_equal(wearer.joints[:, :2], truth.joints[:, :2], equal_nan=True)
    outside = ~np.isin(wearer.regions, [REGION["upper_clothes"]]) & ~np.isin(truth.regions, [REGION["upper_clothes"]])
    apart = np.abs(wearer.image.astype(int) - truth.image).max(2)
    assert np.median(apart[outside]) < 0.4 * np.median(apart[~outside & (truth.regions > 0)])
    skin = np.isin(lender.regions, [REGION["upper_skin"], REGION["face"]])
    assert worn.green(lender.image)[skin].mean() > 0.7 < worn.magenta(exchange.other.image)[skin].mean()
    assert np.array_equal(lender.joints, exchange.other.joints, equal_nan=True)
    apart = np.abs(lender.image.astype(int) - exchange.other.image).max(2)
    assert np.median(apart[lender.regions == REGION["upper_clothes"]]) < 4 < np.median(apart[skin])


def test_the_right_answer_scores_best_and_skin_that_came_along_is_counted(editor, exchange, monkeypatch):
    monkeypatch.setattr(worn, "worn", lambda *_: exchange.truth.image)
    monkeypatch.setattr(worn, "borrowed", lambda wearer, lender, region: lender.photo)
    trial = next(worn.trials(iter([(0, exchange)]), editor, measures("cpu")))
    assert trial.lpips["worn"] == 0 < trial.lpips["unchanged"]
    assert trial.skin["worn"] == trial.skin["unchanged"] == 0 < trial.skin["texture alone"]


def test_the_command_scores_exchanges_and_no_lenders_skin_comes_along(tmp_path, capsys):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    out = tmp_path / "worn.json"
    args = parser.parse_args(["worn", "--count", "3", "--size", "256x176", "--json", str(out), "--device", "cpu"])
    assert command.run(args, measures) == 0
    printed = capsys.readouterr().out
    assert "lender's skin" in printed and "texture alone" in printed
    rows = json.loads(out.read_text())["tasks"]["worn"]["rows"]
    assert rows["worn"]["worn_lpips"] < rows["unchanged"]["worn_lpips"]
    assert rows["worn"]["lender_skin"] <= 2
