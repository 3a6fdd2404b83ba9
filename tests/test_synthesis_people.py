"""Rendered people: the same bytes for the same seed, and truths that agree with one another."""

import numpy as np
import pytest

from pise_core.cli.main import main
from pise_core.pose import visible
from pise_core.regions import REGION
from pise_core.skeleton import JOINT
from pise_core.synthesis.dataset import KINDS, LAYERS, SEGMENTS, Pair, People


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("people")
    assert main(["synthesize", "people", "--count", "6", "--out", str(path), "--seed", "3", "--turned"]) == 0
    return path


@pytest.fixture(scope="module")
def pairs(folder) -> list[Pair]:
    people = People(folder)
    return [people[i] for i in range(len(people))]


def _pictures(pairs):
    return [picture for pair in pairs for picture in (pair.source, pair.target)]


def test_the_same_seed_gives_the_same_bytes(folder, tmp_path):
    args = ["--count", "6", "--out", str(tmp_path), "--seed", "3", "--turned", "--processes", "2"]
    assert main(["synthesize", "people", *args]) == 0
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    for name in files:
        assert (folder / name).read_bytes() == (tmp_path / name).read_bytes(), name


def test_a_person_depends_on_seed_and_index_alone(pairs):
    from pise_core.synthesis.people import make_pair

    again = make_pair(3, 4, turned=True)
    np.testing.assert_array_equal(again.target.image, pairs[4].target.image)
    np.testing.assert_array_equal(again.target.joints, pairs[4].target.joints)
    assert not np.array_equal(make_pair(4, 4, turned=True).target.image, pairs[4].target.image)


def test_a_finished_shard_is_not_rendered_again(folder, capsys):
    assert main(["synthesize", "people", "--count", "6", "--out", str(folder), "--seed", "3", "--turned"]) == 0
    assert capsys.readouterr().out == ""


def test_regions_layers_alpha_and_depth_cover_the_same_pixels(pairs):
    held = np.array([name.startswith("held/") for name in LAYERS])
    for picture in _pictures(pairs):
        there = picture.layers > 0
        assert 0.04 < there.mean() < 0.9
        assert (picture.alpha[there] > 0).all() and (picture.depth[there] > 0).all()
        assert (picture.alpha[~there] <= 128).all(), "what covers most of a pixel has a layer"
        assert (picture.regions[~there] == 0).all()
        np.testing.assert_array_equal(picture.held > 0, held[picture.layers])
        np.testing.assert_array_equal(picture.regions > 0, there & ~(picture.held > 0))


def test_each_kind_of_layer_has_its_region(pairs):
    regions = {
        "hair": {"hair"}, "headwear": {"hair"}, "glasses": {"face"}, "tights": {"leg"}, "shoes": {"leg"},
        "trousers": {"pants"}, "skirt": {"dress"}, "dress": {"dress"}, "top": {"upper_clothes"},
        "outerwear": {"upper_clothes"}, "skin": {"face", "upper_skin", "leg"},
    }  # fmt: skip
    kinds = set()
    for picture in _pictures(pairs):
        for layer in np.unique(picture.layers[picture.layers > 0]):
            kind = KINDS[(int(layer) - 1) // len(SEGMENTS)]
            if kind == "held":
                continue
            kinds.add(kind)
            seen = np.unique(picture.regions[picture.layers == layer])
            assert np.isin(seen, [REGION[name] for name in regions[kind]]).all(), LAYERS[layer]
    assert len(kinds) >= 6


def test_joints_that_are_seen_lie_on_the_person_and_in_their_regions(pairs):
    wanted = {
        "nose": {"face"}, "right_eye": {"face"}, "left_eye": {"face"},
        "right_wrist": {"upper_skin", "upper_clothes", "dress"}, "left_wrist": {"upper_skin", "upper_clothes", "dress"},
        "right_ankle": {"leg", "pants", "dress"}, "left_ankle": {"leg", "pants", "dress"},
    }  # fmt: skip
    looked = 0
    for picture in _pictures(pairs):
        height, width = picture.regions.shape
        there = visible(picture.joints)
        assert ((picture.joints[:, 2] > 0) == there).all()
        inside = picture.joints[there]
        assert (inside[:, :2] >= 0).all() and (inside[:, 0] < width).all() and (inside[:, 1] < height).all()
        for name, regions in wanted.items():
            x, y, score = picture.joints[JOINT[name]]
            if score == 1:
                looked += 1
                assert picture.regions[int(y), int(x)] in [REGION[r] for r in regions] + [REGION["hair"]], name
    assert looked > 20


def test_pairs_show_one_person_in_other_poses_and_turned(pairs):
    for pair in pairs:
        one, other = pair.about["turns"]
        assert abs((one - other + 180) % 360 - 180) > 45
        assert not np.array_equal(pair.source.image, pair.target.image)


def test_every_layer_that_is_seen_is_in_the_order_once(pairs):
    for picture in _pictures(pairs):
        order = picture.order[picture.order > 0]
        assert sorted(order) == sorted(np.unique(picture.layers[picture.layers > 0]))


def test_layers_over_one_another_give_the_picture(tmp_path):
    arguments = ["--count", "3", "--out", str(tmp_path), "--seed", "21", "--layers"]
    assert main(["synthesize", "people", *arguments]) == 0
    people = People(tmp_path)
    hidden = 0
    for number in range(6):
        stack, picture = people.stack(number), people.picture(number)
        assert [LAYERS[i] for i in picture.order if i] == list(stack.names)
        over = stack.background.astype(float)
        for colours in stack.colours:
            share = colours[..., 3:] / 255
            over = over * (1 - share) + colours[..., :3] * share
        apart = np.abs(over - stack.clean).mean(-1)
        assert (apart > 24).mean() < 0.02, number
        for name, colours in zip(stack.names, stack.colours, strict=True):
            seen = picture.layers == LAYERS.index(name)
            assert (colours[..., 3][seen] > 0).mean() > 0.97, "a layer is there wherever it is seen"
            hidden += int((colours[..., 3] > 200).sum() - seen.sum())
    assert hidden > 2000, "layers go on below what covers them"


def test_a_body_at_rest_is_whole_and_joints_follow_the_pose():
    from pise_core.synthesis import poses
    from pise_core.synthesis.bodies import body
    from pise_core.synthesis.figures import Person

    person = Person(body().canonical)
    up = poses.Arm(raised=170, forward=10, bend=5)
    figure = person.posed(poses.assemble(body(), person.shape, poses.Pose("up", right=up)))
    head, right, left = (figure.joints[JOINT[name]] for name in ("nose", "right_wrist", "left_wrist"))
    assert right[2] > head[2] + 0.15 > left[2] + 0.15, "the right hand is above the head, the left one hangs"
    assert right[0] < 0 < left[0], "the person's right is at -x"
    turned = person.posed(poses.assemble(body(), person.shape, poses.Pose("turned", turn=90)))
    assert turned.joints[JOINT["nose"]][0] < -0.05, "90 degrees looks to the picture's left"


def test_limbs_through_the_body_are_seen():
    from pise_core.synthesis import poses
    from pise_core.synthesis.bodies import body
    from pise_core.synthesis.figures import Person

    person = Person(body().canonical)
    through = poses.Arm(raised=25, forward=120, bend=100, roll=90)
    for arm, expected in ((poses.Arm(20, 20, 20), False), (through, True)):
        figure = person.posed(poses.assemble(body(), person.shape, poses.Pose("", right=arm)))
        assert poses.collides(body(), figure.vertices, figure.normals) == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--count", "0"], "at least 1"),
        (["--count", "2", "--backgrounds", "{empty}"], "holds no photos"),
        (["--count", "2", "--size", "9x9"], "not a size"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(arguments, message, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    arguments = [a.format(empty=tmp_path / "empty") for a in arguments]
    try:
        status = main(["synthesize", "people", *arguments, "--out", str(tmp_path / "out")])
    except SystemExit as error:
        status = error.code
    assert status == 2
    errors = capsys.readouterr().err
    assert message in errors and errors.count("\n") == 1


def test_without_the_optional_packages_one_line_says_what_to_install(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(__import__("sys").modules, "anny", None)
    assert main(["synthesize", "people", "--count", "1", "--out", str(tmp_path)]) == 2
    assert "pip install -r requirements-synthetic.txt" in capsys.readouterr().err


def test_held_things_are_background_with_a_mask_of_their_own():
    from dataclasses import replace

    from pise_core.synthesis import pictures, poses, props
    from pise_core.synthesis.people import figure_of, look_at, random_look

    rng = np.random.default_rng(2)
    look = random_look(rng)
    look = replace(look, things=replace(look.things, held="handbag", side="R", glasses="dark"))
    pose = props.holding(poses.Pose("stand"), look.things, rng)
    shot = look_at(rng, figure_of(look, pose), (256, 176), "whole")
    picture, _ = pictures.compose(shot, np.full((256, 176, 3), 0.2, np.float32), np.zeros((256, 176), bool), rng)
    assert 60 < picture.held.sum() < 6000
    assert (picture.regions[picture.held > 0] == REGION["background"]).all()
    assert (picture.alpha[picture.held > 0] > 0).all()
    x, y = picture.joints[JOINT["right_wrist"], :2]
    rows, columns = np.nonzero(picture.held)
    assert rows.mean() > y and abs(columns.mean() - x) < 40, "it hangs from the right hand"
    assert any(LAYERS[i].startswith("glasses/") for i in np.unique(picture.layers))


def test_skirts_go_along_with_the_knees():
    from pise_core.synthesis import poses, wardrobe
    from pise_core.synthesis.bodies import body
    from pise_core.synthesis.figures import Person
    from pise_core.synthesis.patterns import random_cloth

    person = Person(body().canonical)
    skirt = wardrobe.Skirt(random_cloth(np.random.default_rng(0), ("plain",)), 1.0, 0.05, 7, 1)
    clothes = wardrobe.Clothes(None, False, None, skirt, None, None, None, None)
    hems = []
    for leg in (poses.Leg(), poses.Leg(forward=85, bend=85)):
        figure = person.posed(poses.assemble(body(), person.shape, poses.Pose("", right_leg=leg, left_leg=leg)))
        wardrobe.add_clothes(figure, clothes, person.scale)
        (piece,) = figure.pieces
        hems.append(piece.vertices[-72:].mean(0))
        knees = figure.joints[[JOINT["right_knee"], JOINT["left_knee"]]].mean(0)
        assert np.linalg.norm(hems[-1] - knees) < 0.12
    assert hems[1][1] < hems[0][1] - 0.25, "sitting, it lies on the thighs, to the front"


def test_the_examples_are_large_and_show_somebody(tmp_path):
    from pise_core.synthesis.example_people import EXAMPLES
    from pise_core.synthesis.examples import render

    assert len(EXAMPLES) == 8
    picture = render(EXAMPLES[0], (192, 128))
    assert picture.shape == (192, 128, 3)
    np.testing.assert_array_equal(picture, render(EXAMPLES[0], (192, 128)))
    assert picture.std() > 20


def test_a_sheet_shows_the_first_pictures(folder, tmp_path, pairs):
    from pise_core.images import read_image

    assert main(["synthesize", "sheet", "--data", str(folder), "--out", str(tmp_path / "sheet.png")]) == 0
    sheet = read_image(tmp_path / "sheet.png")
    assert sheet.shape == (256, 16 * 176, 3)
    np.testing.assert_array_equal(sheet[:, 176:352], pairs[0].target.image)
    assert (sheet[:, 12 * 176 :] == 255).all()
    assert main(["synthesize", "sheet", "--data", str(folder), "--out", str(tmp_path / "s.jpg"), "--width", "704"]) == 0
    assert read_image(tmp_path / "s.jpg").shape == (64, 704, 3)
