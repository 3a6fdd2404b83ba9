"""Layers against the truth: what a turned limb uncovers, soft edges, and the command that scores them."""

import argparse
import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from pise_core.errors import InputError
from pise_core.evaluation import command, layers
from pise_core.evaluation.image_metrics import Measures
from pise_core.skeleton import JOINT
from pise_core.synthesis.dataset import (
    LAYER,
    MAX_LAYERS,
    Pair,
    People,
    Picture,
    Stack,
    write_format,
    write_shard,
    write_stack,
)
from tests.conftest import draw_person

WALL = (170, 185, 200)
NAMES = ("skin/torso", "top/right_upper_arm", "skin/right_forearm")


def drawn_stack(shirt=(190, 60, 50)) -> tuple[Picture, Stack]:
    """Somebody before a plain wall; of the right arm it is known where it is, and that the wall is behind it."""
    drawn = draw_person(shirt=shirt)
    size = drawn.parsing.shape
    rest, clean = drawn.parsing > 0, np.where((drawn.parsing > 0)[..., None], drawn.photo, np.array(WALL, np.uint8))
    colours = np.zeros((3, *size, 4), np.uint8)
    for number, (a, b) in enumerate((("shoulder", "elbow"), ("elbow", "wrist")), 1):
        line = np.zeros(size, np.uint8)
        ends = [tuple(drawn.pose[JOINT[f"right_{j}"], :2].astype(int).tolist()) for j in (a, b)]
        cv2.line(line, ends[0], ends[1], 1, 18)
        colours[number, ..., 3] = np.where((line > 0) & (drawn.parsing > 0), 255, 0)
        rest &= line == 0
    colours[0, ..., 3] = np.where(rest, 255, 0)
    colours[..., :3] = clean
    order = np.zeros(MAX_LAYERS, np.uint8)
    order[:3] = [LAYER[name] for name in NAMES]
    alpha, nothing = np.where(drawn.parsing > 0, 255, 0).astype(np.uint8), np.zeros(size, np.uint8)
    picture = Picture(clean, drawn.pose, drawn.parsing, nothing, alpha, nothing.astype(np.uint16), nothing, order)
    return picture, Stack(NAMES, colours, np.full((*size, 3), WALL, np.uint8), clean)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    picture, stack = drawn_stack()
    write_format(folder, picture.regions.shape, {"seed": 1})
    write_shard(folder, 0, [Pair(picture, picture, {"index": 0})])
    for side in (0, 1):
        write_stack(folder, 0, side, stack)
    return folder


def test_a_picture_without_a_limb_shows_what_is_behind_it():
    picture, stack = drawn_stack()
    hid, without, rest = layers.without_limb(stack, "arm", "right")
    arm = (stack.colours[1:, ..., 3] > 0).any(0)
    assert np.array_equal(hid, arm) and arm.sum() > 1000
    assert np.array_equal(rest > 0.5, stack.colours[0, ..., 3] > 0)
    assert (without[arm] == WALL).all() and np.array_equal(without[~arm], stack.clean[~arm])
    hid, without, _ = layers.without_limb(stack, "leg", "left")
    assert not hid.any() and np.array_equal(without, stack.clean)


def test_a_limb_before_another_hides_it():
    _, stack = drawn_stack()
    over = stack.colours[:1].copy()
    over[..., 3] = 255  # something in front of everybody
    covered = replace(stack, names=(*NAMES, "held/left_hand"), colours=np.concatenate([stack.colours, over]))
    assert not layers.without_limb(covered, "arm", "right")[0].any()


@pytest.mark.parametrize(("limb", "end"), [("arm", "wrist"), ("leg", "ankle")])
def test_limbs_turn_away_from_the_body(person, limb, end):
    for side, outwards in (("right", -1), ("left", 1)):
        turned = layers.turned_out(person.pose, limb, side, 40.0)
        moved = (turned - person.pose)[JOINT[f"{side}_{end}"], :2]
        assert outwards * moved[0] > 5
        other = "left" if side == "right" else "right"
        assert np.array_equal(turned[JOINT[f"{other}_{end}"]], person.pose[JOINT[f"{other}_{end}"]])


def test_a_limb_that_stays_where_it_was_is_the_greater_error(folder, editor):
    people = People(folder)
    (move,) = layers.moves(people, editor, 1, seed=3)
    assert 0 <= move.error["moved"] < 0.5 * move.error["as it was"]
    assert move.wrong < 0.5
    again = next(layers.moves(people, editor, 1, seed=3))
    assert (again.error, again.wrong) == (move.error, move.wrong)


def test_alpha_is_compared_near_the_silhouette_alone(folder, editor):
    people = People(folder)
    (edge,) = layers.edges(people, editor, 1)
    assert 0 <= edge.error["given"][6] <= edge.error["given"][3] < 0.3
    outcome = layers.edge_outcome("edge", [edge])
    assert outcome.rows["given"]["alpha_3"] == pytest.approx(edge.error["given"][3])


def test_the_command_prints_both_figures(folder, weights, tmp_path, capsys):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    arguments = ["layers", "--data", folder, "--weights", weights, "--device", "cpu", "--limit", "1"]
    arguments += ["--json", tmp_path / "l.json", "--sheet", tmp_path / "l.jpg"]

    def unasked(device: str) -> Measures:
        raise AssertionError("learned measures are not needed")

    assert command.run(parser.parse_args([str(a) for a in arguments]), unasked) == 0
    printed = capsys.readouterr().out
    assert "uncovered (1)" in printed and "edge (1)" in printed and "worst tenth" in printed
    rows = json.loads((tmp_path / "l.json").read_text())["tasks"]["uncovered"]["rows"]
    assert 0 <= rows["moved"]["wrong_layer"] <= 1
    assert rows["moved"]["uncovered"] <= rows["moved"]["uncovered_worst"]
    assert (tmp_path / "l.jpg").stat().st_size > 1000


def test_people_without_layers_are_said(tmp_path, editor):
    picture, _ = drawn_stack()
    write_format(tmp_path, picture.regions.shape, {"seed": 1})
    write_shard(tmp_path, 0, [Pair(picture, picture, {"index": 0})])
    with pytest.raises(InputError, match="--layers"):
        next(layers.moves(People(tmp_path), editor, 1, seed=0))
