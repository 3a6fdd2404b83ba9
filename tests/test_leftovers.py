"""What an arm leaves behind is measured: the rule, and the command."""

import argparse
import json

import numpy as np
import pytest
import scipy.io

from pise_core.evaluation import command, leftovers
from pise_core.images import write_image
from pise_core.pose import to_rows
from pise_core.regions import CCP_TAGS, REGIONS
from pise_core.skeleton import JOINT
from tests.conftest import draw_person

TAGS = ("null", *(tags.split()[0] for tags in CCP_TAGS.values()), "skin")
TAG_OF = {region: tags.split()[0] for region, tags in CCP_TAGS.items()} | {"background": "null", "upper_skin": "skin"}


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    """Two drawn people in the data set's own file formats."""
    folder = tmp_path_factory.mktemp("street")
    (folder / "photos").mkdir()
    (folder / "annotations/pixel-level").mkdir(parents=True)
    joints = {}
    for name, shirt in (("0001", (190, 60, 50)), ("0002", (60, 150, 70))):
        drawn = draw_person(440, 660, shirt=shirt)
        write_image(folder / "photos" / f"{name}.jpg", drawn.photo)
        tags = np.array([TAGS.index(TAG_OF[region]) for region in REGIONS], np.uint8)[drawn.parsing]
        scipy.io.savemat(folder / "annotations/pixel-level" / f"{name}.mat", {"groundtruth": tags})
        joints[name] = to_rows(drawn.pose)
    labels = np.empty((1, len(TAGS)), object)
    labels[0] = TAGS
    scipy.io.savemat(folder / "label_list.mat", {"label_list": labels})
    (folder / "keypoints.json").write_text(json.dumps(joints))
    (folder / "split.json").write_text(json.dumps({"train": ["0001"], "test": ["0002"]}))
    return folder


@pytest.fixture(scope="module")
def skin_on_wall():
    """A textured hand before a textured wall of another colour, and the wall alone."""
    rng = np.random.default_rng(0)
    wall = np.clip(rng.normal((90, 110, 140), 12, (120, 90, 3)), 0, 255).astype(np.uint8)
    picture, hand = wall.copy(), np.zeros((120, 90), bool)
    hand[40:80, 30:60] = True
    picture[hand] = np.clip(rng.normal((220, 170, 140), 12, (hand.sum(), 3)), 0, 255).astype(np.uint8)
    return picture, wall, hand


def test_a_hand_that_stays_is_left_and_one_that_is_gone_is_not(skin_on_wall):
    picture, wall, hand = skin_on_wall
    below = ~leftovers.grow(hand, 3)
    assert leftovers.still_there(picture, picture, hand, below)[hand].all()
    assert leftovers.still_there(picture, wall, hand, below)[hand].mean() < 0.02


def test_a_paler_hand_is_still_seen(skin_on_wall):
    picture, wall, hand = skin_on_wall
    ghost = np.where(hand[..., None], picture // 2 + 60, wall).astype(np.uint8)
    inner = ~leftovers.grow(~hand, 4)
    assert leftovers.still_there(picture, ghost, hand, ~leftovers.grow(hand, 3))[inner].mean() > 0.9


def test_what_the_layer_below_truly_looks_like_is_not_left():
    wall = np.full((120, 90, 3), 150, np.uint8)
    hand = np.zeros((120, 90), bool)
    hand[40:80, 38:50] = True
    assert not leftovers.still_there(wall, wall, hand, ~leftovers.grow(hand, 3)).any()


def test_arms_turn_out_and_up_on_their_own_sides(person):
    turned = leftovers.arms_out(person.pose, np.random.default_rng(1))
    assert turned is not None
    for side, outwards in (("right", -1), ("left", 1)):
        shoulder, wrist = (turned[JOINT[f"{side}_{joint}"], :2] for joint in ("shoulder", "wrist"))
        away, down = wrist - shoulder
        assert outwards * away > abs(down) / 2
    missing = person.pose.copy()
    missing[JOINT["left_elbow"]] = np.nan
    assert leftovers.arms_out(missing, np.random.default_rng(1)) is None


def test_walls_are_the_same_for_the_same_seed_and_have_no_deep_lines():
    first, again, other = (leftovers.draw_wall((200, 150), np.random.default_rng(seed)) for seed in (4, 4, 5))
    assert (first == again).all() and (first != other).any()


def test_the_command_prints_both_figures(street, weights, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(leftovers, "_LEAST", 20)
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    arguments = ["leftovers", "--data", street, "--weights", weights, "--device", "cpu", "--split", "validation"]
    arguments += ["--limit", "1", "--json", tmp_path / "l.json", "--sheet", tmp_path / "l.jpg"]
    assert command.run(parser.parse_args([str(a) for a in arguments])) == 0
    printed = capsys.readouterr().out
    assert "hands (1)" in printed and "wall (1)" in printed and "left behind" in printed
    tasks = json.loads((tmp_path / "l.json").read_text())["tasks"]
    for task in ("hands", "wall"):
        row = tasks[task]["rows"]["both arms out"]
        assert 0 <= row["left"] <= row["left_most"] <= 1
    assert (tmp_path / "l.jpg").stat().st_size > 1000


def test_a_folder_without_such_photos_is_said(street, weights, tmp_path):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    with pytest.raises(command.InputError, match="is missing"):
        command.run(parser.parse_args(["leftovers", "--data", str(tmp_path), "--weights", str(weights)]))


def test_the_hull_of_a_bent_shape_closes_its_bay():
    mask = np.zeros((60, 50), bool)
    mask[10:50, 10:20] = mask[10:20, 10:40] = mask[40:50, 10:40] = True
    hull = leftovers._hull(mask)
    assert hull[10:50, 10:40].all() and not hull[:10].any() and not hull[:, 41:].any()
    assert not leftovers._hull(mask & False).any()
