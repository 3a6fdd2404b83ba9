"""The rule that clothes give way to skin on arms, neck and lower legs alone, wherever a map comes from."""

import json

import numpy as np
import pytest

from pise_core.coverage import check_covered
from pise_core.document import Document, Edits, Motion
from pise_core.document.edits import Paint
from pise_core.document.recipe import read_recipe
from pise_core.errors import InputError
from pise_core.images import encode_image, write_parsing
from pise_core.regions import REGION, UNTOUCHED
from pise_core.skeleton import JOINT
from tests.conftest import layer, moved

_TOP, _PANTS, _SKIN, _LEG = (REGION[name] for name in ("upper_clothes", "pants", "upper_skin", "leg"))


def _between(person, a: str, b: str, share: float = 0.5) -> tuple[int, int]:
    start, end = (person.pose[JOINT[name], :2] for name in (a, b))
    x, y = start + share * (end - start)
    return round(float(x)), round(float(y))


def _patch(person, x: int, y: int, region: int, size: int = 12) -> np.ndarray:
    """The person's map with what is worn about a place changed."""
    near = np.zeros_like(person.parsing, bool)
    near[y - size : y + size, x - size : x + size] = True
    return np.where(near & np.isin(person.parsing, [_TOP, _PANTS]), np.uint8(region), person.parsing)


@pytest.mark.parametrize(
    ("place", "region", "refused"),
    [
        (("right_shoulder", "left_hip"), _SKIN, True),
        (("left_hip", "right_hip"), _LEG, True),
        (("right_hip", "right_knee"), _LEG, True),
        (("right_knee", "right_ankle"), _LEG, False),
        (("left_shoulder", "left_elbow", 0.7), _SKIN, False),
        (("right_shoulder", "left_hip"), REGION["dress"], False),
        (("right_shoulder", "left_hip"), REGION["background"], False),
    ],
)
def test_only_arms_neck_and_lower_legs_are_uncovered(person, place, region, refused):
    wanted = _patch(person, *_between(person, *place), region, 12 if refused else 7)
    assert (wanted != person.parsing).any()
    if refused:
        with pytest.raises(InputError, match="arms, neck and lower legs"):
            check_covered(person.parsing, wanted, person.pose)
    else:
        check_covered(person.parsing, wanted, person.pose)


def test_a_seam_is_no_undressing_and_many_small_strokes_are(person):
    x, y = _between(person, "right_shoulder", "left_hip")
    check_covered(person.parsing, _patch(person, x, y, _SKIN, 3), person.pose)
    wanted = person.parsing
    with pytest.raises(InputError):
        for dx in range(-24, 25, 6):
            wanted = np.where(_patch(person, x + dx, y, _SKIN, 3) == _SKIN, np.uint8(_SKIN), wanted)
            check_covered(person.parsing, wanted, person.pose)


def test_where_joints_are_missing_clothes_stay(person):
    pose = person.pose.copy()
    for name in ("right_hip", "left_hip", "right_shoulder", "left_shoulder"):
        pose[JOINT[name]] = np.nan
    wanted = np.where(np.isin(person.parsing, [_TOP, _PANTS]), np.uint8(_SKIN), person.parsing)
    with pytest.raises(InputError):
        check_covered(person.parsing, wanted, pose)


def test_documents_refuse_it_however_it_is_asked_for(document, person, tmp_path, editor):
    x, y = _between(person, "right_shoulder", "left_hip")
    paint = layer(person, _SKIN, slice(y - 14, y + 14), slice(x - 14, x + 14))
    mask = paint.labels() != UNTOUCHED
    (tmp_path / "bare.json").write_text(json.dumps({"replace": {"upper_clothes": "upper_skin"}}))
    for attempt in (
        lambda: document.set_paint(None, paint),
        lambda: document.stroked(document.edits, None, paint),
        lambda: document.paint("upper_skin", mask),
        lambda: document.set_regions(np.where(mask, np.uint8(_SKIN), person.parsing)),
        lambda: read_recipe(tmp_path / "bare.json", editor).apply(document),
    ):
        with pytest.raises(InputError, match="arms, neck and lower legs"):
            attempt()
    assert not document.can_undo


def test_strokes_add_up_in_the_pose_of_now(document, person):
    """The rule looks at the clothes of the photo, not at what the last stroke left."""
    x, y = _between(person, "right_shoulder", "left_hip")
    worn = layer(person, REGION["dress"], slice(y - 14, y + 14), slice(x - 14, x + 14))
    document.set_paint(None, worn)
    bare = layer(person, _SKIN, slice(y - 14, y + 14), slice(x - 14, x + 14))
    with pytest.raises(InputError):
        document.set_paint(worn, bare)
    pose = person.pose.copy()
    pose[:, 0] += 20
    document.set_pose(pose)
    with pytest.raises(InputError):
        document.set_paint(None, layer(person, _SKIN, slice(y - 14, y + 14), slice(x + 6, x + 34)))


def test_looks_stay_with_their_kind(document, known_other, person):
    """What has a texture goes where it was; skin is neither recoloured nor cut out as a garment."""
    document.add_reference(known_other)
    plain = np.full((200, 200, 3), 240, np.uint8)
    plain[60:140, 60:140] = (40, 70, 120)
    garment = document.add_garment(plain, "upper_clothes")
    for attempt in (
        lambda: document.set_styles({"upper_skin": {garment: 1.0}}),
        lambda: document.set_styles({"leg": {garment: 1.0}}),
        lambda: document.add_garment(person.photo, "upper_skin"),
        lambda: document.recolour("leg", "#aa0000"),
    ):
        with pytest.raises(InputError):
            attempt()


def test_the_page_takes_a_refused_stroke_back(studio, session, person):
    document = session.need_document()
    x, y = _between(person, "right_shoulder", "left_hip")
    stroke = layer(person, _SKIN, slice(y - 14, y + 14), slice(x - 14, x + 14))
    updates = []
    with pytest.raises(InputError, match="arms, neck and lower legs"):
        for update in studio.commit_paint(session, {"labels": stroke.text(), "before": None, "seq": 7}):
            updates.append(update)
    told = updates[-1]["regions"]["map"]
    assert told["paint"] is None and told["version"] == 7 and told["document"] == session.number
    assert not document.can_undo


def test_the_command_line_refuses_it(person, weights, tmp_path):
    from pise_core.cli.main import main

    (tmp_path / "photo.png").write_bytes(encode_image(person.photo))
    bare = np.where(np.isin(person.parsing, [_TOP, _PANTS]), np.uint8(_SKIN), person.parsing)
    write_parsing(tmp_path / "bare.png", bare)
    out = tmp_path / "out.png"
    status = main(["edit", str(tmp_path / "photo.png"), "--parsing", str(tmp_path / "bare.png"), "--out", str(out)])
    assert status != 0 and not out.exists()


def test_a_person_is_not_rendered_bare_unless_that_is_asked_for(known):
    x, y = _between(known, "right_shoulder", "left_hip")
    bare = _patch(known, x, y, _SKIN)
    paint = np.where(bare == known.parsing, np.uint8(UNTOUCHED), bare)
    for asked in ({"parsing": bare}, {"paint": paint}):
        with pytest.raises(InputError, match="arms, neck and lower legs"):
            known.render(**asked)
    assert known.render(parsing=bare, any_map=True).changed.any()


def test_paint_that_undresses_is_not_rendered_from_a_file_either(document, person, tmp_path, editor):
    """Such as of a file that was made by hand, or before the rule; all else in it is there."""
    x, y = _between(person, "right_shoulder", "left_hip")
    bare = Paint(layer(person, _SKIN, slice(y - 14, y + 14), slice(x - 14, x + 14)), None, True)
    allowed = Paint(layer(person, REGION["dress"], slice(y - 14, y + 14), slice(x - 14, x + 14)), None, True)
    document._history.commit(paint=allowed)
    document._history.commit(paint=bare)  # as no document does
    document.save(tmp_path / "bare.pise")
    opened = Document.open(tmp_path / "bare.pise", editor)
    for preview in (True, False):
        with pytest.raises(InputError, match="arms, neck and lower legs"):
            opened.render(preview=preview)
    with pytest.raises(InputError, match="arms, neck and lower legs"):
        opened.frames(Edits(paint=opened.edits.paint, motion=Motion((person.pose, moved(person)))))[0]()
    assert opened.undo() and opened.edits.paint is not None and opened.edits.paint.layer == allowed.layer
    assert np.array_equal(opened.render().photo, document.render(document._history.steps[-2]).photo)
