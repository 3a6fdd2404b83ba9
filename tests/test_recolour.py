"""Garments and hair in other colours: what changes, what stays, and what is refused."""

import cv2
import numpy as np
import pytest

from pise_core import Document
from pise_core.cli import main as cli
from pise_core.document import Edits
from pise_core.document.file_reader import read
from pise_core.errors import InputError
from pise_core.images import read_image, write_image, write_parsing
from pise_core.regions import REGION
from pise_core.rendering.recolour import Recolour, checked_recolour, checked_recolours, recolour
from pise_core.skeleton import JOINT

SHIRT = REGION["upper_clothes"]


def lab(photo):
    return cv2.cvtColor(photo.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


@pytest.fixture(scope="module")
def cloth():
    """A photo of striped, shaded cloth on a wall of another colour, and its map."""
    rows, columns = np.indices((200, 160))
    parsing = np.where((rows > 30) & (rows < 170) & (columns > 30) & (columns < 130), SHIRT, 0).astype(np.uint8)
    shade = 1 - 0.25 * np.sin(columns / 9.0)
    stripes = np.where(rows // 10 % 4 == 0, 0.6, 1.0)
    shirt = np.stack([150 * shade * stripes, 60 * shade * stripes, 50 * shade * stripes], -1)
    wall = np.broadcast_to((190, 195, 200), (200, 160, 3))
    return np.where((parsing > 0)[..., None], shirt, wall).clip(0, 255).astype(np.uint8), parsing


@pytest.mark.parametrize("colour", ["#1b3a8c", "#f4f0e8", "#16181c", "#2f8f4a"])
def test_the_typical_colour_becomes_the_chosen_one_and_folds_and_stripes_stay(cloth, colour):
    photo, parsing = cloth
    wanted = checked_recolour(colour)
    made = recolour(photo, parsing, {"upper_clothes": wanted})
    inside = cv2.erode((parsing > 0).astype(np.uint8), np.ones((9, 9))).astype(bool)
    target = lab(np.array([[wanted.colour]], np.uint8))[0, 0]
    assert np.abs(np.median(lab(made)[inside], axis=0) - target).max() < 6
    before, after = lab(photo)[inside][:, 0], lab(made)[inside][:, 0]
    assert np.corrcoef(before, after)[0, 1] > 0.9


def test_what_is_not_the_region_keeps_its_bytes(cloth):
    photo, parsing = cloth
    made = recolour(photo, parsing, {"upper_clothes": checked_recolour("navy")})
    far = cv2.dilate((parsing > 0).astype(np.uint8), np.ones((9, 9))) == 0
    assert np.array_equal(made[far], photo[far]) and (made != photo).any()
    assert recolour(photo, parsing, {"pants": checked_recolour("navy")}) is photo
    assert recolour(photo, parsing, {"upper_clothes": Recolour()}) is photo
    assert np.array_equal(made, recolour(photo, parsing, {"upper_clothes": checked_recolour("navy")}))


def test_the_photo_says_where_a_garment_ends_when_the_map_is_a_little_off(cloth):
    photo, parsing = cloth
    off = np.roll(parsing, 1, axis=1)  # a pixel of the wall is called cloth, and one of cloth the wall
    made = recolour(photo, off, {"upper_clothes": checked_recolour("#1b3a8c")})
    rows = slice(60, 140)
    wall, edge = np.s_[rows, 130:131], np.s_[rows, 31:32]
    assert np.abs(made[wall].astype(int) - photo[wall]).mean() < 25
    blue = lab(made)[edge][..., 2].mean()
    assert blue < 0 < lab(photo)[edge][..., 2].mean()


def test_hue_saturation_and_lightness(cloth):
    photo, parsing = cloth
    inside = cv2.erode((parsing > 0).astype(np.uint8), np.ones((9, 9))).astype(bool)

    def median(**change):
        return np.median(lab(recolour(photo, parsing, {"upper_clothes": Recolour(**change)}))[inside], axis=0)

    own = np.median(lab(photo)[inside], axis=0)
    assert np.hypot(*median(saturation=0.0)[1:]) < 3 < np.hypot(*own[1:])
    assert median(lightness=0.5)[0] > own[0] + 10 and median(lightness=-0.5)[0] < own[0] - 10
    turned = median(hue=90)
    angle = np.degrees(np.arctan2(turned[2], turned[1]) - np.arctan2(own[2], own[1]))
    assert 60 < angle % 360 < 120


@pytest.mark.parametrize(
    "value",
    ["no such colour", "#12", "", 7, [], {"hue": 181}, {"hue": True}, {"lightness": "dark"}, {"tint": 1},
     {"colour": 5}, {"saturation": float("nan")}],
)  # fmt: skip
def test_what_is_no_recolouring_is_refused_in_a_line(value):
    with pytest.raises(InputError) as refused:
        checked_recolour(value)
    assert "\n" not in str(refused.value)


def test_skin_is_not_recoloured():
    for region in ("face", "upper_skin", "leg", "background", "hat"):
        with pytest.raises(InputError, match="can be recoloured"):
            checked_recolours({region: "navy"})


def test_a_document_recolours_in_one_history_and_keeps_it_in_its_file(document, known, tmp_path, editor):
    document.recolour("upper_clothes", "navy")
    document.recolour("hair", {"hue": 60})
    blue = document.render().photo
    assert set(document.edits.recolour) == {"upper_clothes", "hair"} and not document.edits.none
    document.recolour("hair", None)
    assert set(document.edits.recolour) == {"upper_clothes"}
    assert document.undo() and np.array_equal(document.render().photo, blue)
    document.save(tmp_path / "blue.pise")
    assert read(tmp_path / "blue.pise").history[-1].recolour == {"upper_clothes": checked_recolour("navy")}
    again = Document.open(tmp_path / "blue.pise", editor)
    assert np.array_equal(again.render().photo, blue)
    document.start_over()
    assert document.edits.none and np.array_equal(document.render().photo, known.photo)


def test_nothing_is_computed_by_networks_for_a_colour(document, monkeypatch):
    monkeypatch.setattr(document.person.editor.model, "forward", None)
    made = document.render(Edits(recolour={"pants": checked_recolour("olive")}))
    pants = made.parsing == REGION["pants"]
    assert (made.photo[pants] != document.photo[pants]).any(axis=-1).mean() > 0.9


def test_a_recoloured_garment_keeps_its_colour_in_another_pose(document, person):
    document.recolour("upper_clothes", "#1b3a8c")
    pose = person.pose.copy()
    pose[4, :2] += 25, -70
    document.set_pose(pose)
    made = document.render()
    shirt = cv2.erode((made.parsing == SHIRT).astype(np.uint8), np.ones((7, 7))).astype(bool)
    assert np.median(lab(made.photo)[shirt][:, 2]) < -20


def test_the_command_line_recolours(person, tmp_path, capsys):
    write_image(tmp_path / "me.png", person.photo)
    command = ["edit", str(tmp_path / "me.png"), "--out", str(tmp_path / "out.png")]
    assert cli.main([*command, "--recolour", "upper_clothes=#1b3a8c"]) == 0
    assert (read_image(tmp_path / "out.png") != person.photo).any()
    assert cli.main([*command, "--recolour", "face=navy"]) == 2
    assert "can be recoloured" in capsys.readouterr().err
    assert cli.main([*command, "--recolour", "hair=navy", "--recolour", "hair=red"]) == 2
    assert "--recolour hair is given twice" in capsys.readouterr().err


def test_the_command_line_recolours_what_the_picture_shows_alone(person, tmp_path, capsys):
    write_image(tmp_path / "me.png", person.photo)
    command = ["edit", str(tmp_path / "me.png"), "--recolour", "dress=crimson", "--out", str(tmp_path / "out.png")]
    assert cli.main(command) == 2
    assert capsys.readouterr().err == "error: --recolour dress: the person in the photo wears none\n"
    assert not (tmp_path / "out.png").exists()
    # A dress that the photo does not show, and the edit makes, is recoloured.
    wanted = np.where(person.parsing == SHIRT, REGION["dress"], person.parsing).astype(np.uint8)
    write_parsing(tmp_path / "map.png", wanted)
    assert cli.main([*command, "--parsing", str(tmp_path / "map.png")]) == 0
    made = read_image(tmp_path / "out.png").astype(float)[wanted == REGION["dress"]]
    assert np.median(made[:, 0]) > 2 * np.median(made[:, 1:])


def test_a_hand_that_the_map_takes_for_cloth_stays_and_a_cuff_that_it_missed_goes_along(person):
    photo, parsing = person.photo.copy(), person.parsing.copy()
    skin = np.array((224, 180, 150))
    x, y = (person.pose[JOINT["neck"], :2] * 0.4 + person.pose[JOINT["left_hip"], :2] * 0.6).astype(int)
    hand = np.zeros(parsing.shape, np.uint8)
    cv2.circle(hand, (int(x), int(y)), 7, 1, -1)
    photo[hand > 0] = skin
    a, b = (tuple(int(v) for v in person.pose[JOINT[f"right_{name}"], :2]) for name in ("shoulder", "elbow"))
    cuff = np.zeros(parsing.shape, np.uint8)
    cv2.line(cuff, b, a, 1, 5)
    cuff[: b[1] - 4] = 0
    cuff &= (parsing == SHIRT).astype(np.uint8)
    parsing[cuff > 0] = REGION["upper_skin"]
    made = recolour(photo, parsing, {"upper_clothes": checked_recolour("#1b3a8c")})
    changed = np.abs(made.astype(int) - photo).max(2)
    assert np.median(changed[cv2.erode(hand, np.ones((5, 5))) > 0]) < 12
    assert np.median(changed[cuff > 0]) > 60
