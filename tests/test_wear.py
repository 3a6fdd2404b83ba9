"""Wearing somebody else's garment, cut and all."""

import json

import cv2
import numpy as np
import pytest

from pise_core import Document
from pise_core.cli import main as cli
from pise_core.coverage import check_covered
from pise_core.document import Edits
from pise_core.document.file_reader import read
from pise_core.document.recipe import read_recipe
from pise_core.document.replacing import replaced
from pise_core.errors import InputError
from pise_core.images import read_image, write_image
from pise_core.regions import REGION
from pise_core.skeleton import JOINT
from pise_core.warping.bare_body import drawn, limb, trunk
from pise_core.warping.garment_warp import GarmentWarp, places, relative_size
from tests.conftest import Drawn, draw_person

TOP, DRESS, PANTS, SKIN, LEG = (REGION[n] for n in ("upper_clothes", "dress", "pants", "upper_skin", "leg"))
OWN_SKIN = np.array((224, 180, 150))
#: Of the lender: a colour that nothing else has.
GREEN = np.array((20, 230, 40))


def lender(kind: str, box=(110, 40, 300, 460)) -> Drawn:
    """Somebody with bright green skin in a garment of one colour, in a picture of another size."""
    made = draw_person(400, 500, box, shirt=(70, 70, 200), trousers=(150, 30, 160))
    photo, parsing, pose = made.photo.copy(), made.parsing.copy(), made.pose
    photo[np.isin(parsing, [SKIN, REGION["face"]])] = GREEN

    def point(name):
        return pose[JOINT[name], :2]

    def paint(region, colour, draw):
        mask = np.zeros(parsing.shape, np.uint8)
        draw(mask)
        photo[mask > 0], parsing[mask > 0] = colour, region

    def bone(a, b, width):
        start, end = (tuple(int(v) for v in point(name)) for name in (a, b))
        return lambda mask: cv2.line(mask, start, end, 1, width)

    for side in ("left", "right"):
        if kind in ("sleeveless", "dress", "short"):
            paint(SKIN, GREEN, bone(f"{side}_shoulder", f"{side}_elbow", 27))
        if kind == "long":
            paint(TOP, (70, 70, 200), bone(f"{side}_elbow", f"{side}_wrist", 18))
    corners = [point(name) for name in ("right_shoulder", "left_shoulder", "left_hip", "right_hip")]
    paint(TOP, (70, 70, 200), lambda mask: cv2.fillConvexPoly(mask, np.array(corners, np.int32), 1))
    if kind in ("dress", "short"):
        for side in ("left", "right"):
            paint(LEG, GREEN, bone(f"{side}_hip", f"{side}_ankle", 40))
        length = 1 if kind == "dress" else 0.35
        hem = [point(f"{s}_hip") * (1 - length) + point(f"{s}_knee") * length for s in ("left", "right")]
        hem = [hem[0] + (30, 0), hem[1] - (30, 0)]
        outline = np.array([*corners[:2], corners[2] + (12, 0), *hem, corners[3] - (12, 0)], np.int32)
        paint(DRESS, (200, 90, 30), lambda mask: cv2.fillPoly(mask, [outline], 1))
    return Drawn(photo, pose, parsing)


@pytest.fixture(scope="module")
def lenders(editor):
    """Editor's people by the garment that they wear."""
    people = {kind: lender(kind) for kind in ("sleeveless", "long", "dress")}
    return {k: editor.set_person(p.photo, pose=p.pose, parsing=p.parsing) for k, p in people.items()}


@pytest.fixture(scope="module")
def in_dress(known, lenders):
    return known.wear({"dress": lenders["dress"]})


def middle(pose, a, b, share=0.5):
    x, y = pose[JOINT[a], :2] * (1 - share) + pose[JOINT[b], :2] * share
    return int(y), int(x)


def greenish(photo):
    """Pixels that are nearly the lender's skin."""
    red, green, blue = (photo[..., c].astype(int) for c in range(3))
    return (green > 150) & (green - red > 60) & (green - blue > 60)


def test_a_sleeveless_top_uncovers_arms_of_the_wearers_own_skin(known, lenders):
    worn = known.wear({"upper_clothes": lenders["sleeveless"]})
    for side in ("left", "right"):
        here = middle(known.pose, f"{side}_shoulder", f"{side}_elbow", 0.7)
        assert known.parsing[here] == TOP and worn.parsing[here] == SKIN
        assert np.abs(worn.photo[here].astype(int) - OWN_SKIN).max() < 60
    chest = middle(known.pose, "neck", "right_hip")
    assert worn.parsing[chest] == TOP and np.abs(worn.photo[chest].astype(int) - (70, 70, 200)).max() < 25


def test_long_sleeves_cover_bare_arms(known, lenders):
    worn = known.wear({"upper_clothes": lenders["long"]})
    here = middle(known.pose, "left_elbow", "left_wrist")
    assert known.parsing[here] == SKIN and worn.parsing[here] == TOP
    assert np.abs(worn.photo[here].astype(int) - (70, 70, 200)).max() < 40


def test_a_dress_covers_shirt_and_trousers_and_uncovers_legs(known, in_dress):
    counts = np.bincount(in_dress.parsing.ravel(), minlength=8)
    assert counts[PANTS] == counts[TOP] == 0 < counts[DRESS]
    knee = known.pose[JOINT["left_knee"], 1]
    rows = np.flatnonzero((in_dress.parsing == DRESS).any(axis=1))
    assert rows[0] < known.pose[JOINT["left_hip"], 1] - 40 and abs(rows[-1] - knee) < 15
    shin = middle(known.pose, "left_knee", "left_ankle", 0.6)
    assert known.parsing[shin] == PANTS and in_dress.parsing[shin] == LEG
    assert np.abs(in_dress.photo[shin].astype(int) - OWN_SKIN).max() < 70


def test_trousers_come_back_over_bare_legs(editor, known, lenders):
    """A wearer in a dress gets trousers: the upper half of the dress stays, as a top."""
    worn = lenders["dress"].wear({"pants": known})
    pose = lenders["dress"].pose
    assert worn.parsing[middle(pose, "right_hip", "right_knee")] == PANTS
    assert worn.parsing[middle(pose, "neck", "left_hip")] == TOP
    assert not (worn.parsing == DRESS).any()
    chest = middle(pose, "neck", "left_hip", 0.4)
    assert np.array_equal(worn.photo[chest], lenders["dress"].photo[chest])


def test_a_short_dress_is_worn_over_trousers_and_is_longer_where_there_are_none(editor, known, lenders):
    made = lender("short")
    short = editor.set_person(made.photo, pose=made.pose, parsing=made.parsing)
    worn = known.wear({"dress": short})
    for share in (0.6, 1.5):  # thighs and shins
        joints = ("left_hip", "left_knee") if share < 1 else ("left_knee", "left_ankle")
        here = middle(known.pose, *joints, share % 1)
        assert worn.parsing[here] == PANTS and np.array_equal(worn.photo[here], known.photo[here])
    pose = lenders["dress"].pose
    longer = lenders["dress"].wear({"dress": short})
    assert longer.parsing[middle(pose, "left_hip", "left_knee", 0.6)] == DRESS
    check_covered(lenders["dress"].parsing, longer.parsing, pose)


@pytest.mark.parametrize("kind", ["sleeveless", "long", "dress"])
def test_no_pixel_of_the_lenders_skin_comes_along(known, lenders, kind):
    region = "dress" if kind == "dress" else "upper_clothes"
    assert greenish(lenders[kind].photo).any()
    assert not greenish(known.wear({region: lenders[kind]}).photo).any()


def test_what_is_far_keeps_its_bytes_and_the_same_input_gives_the_same_bytes(known, lenders, in_dress):
    far = cv2.dilate(((known.parsing > 0) | (in_dress.parsing > 0)).astype(np.uint8), np.ones((41, 41))) == 0
    assert far.any() and np.array_equal(in_dress.photo[far], known.photo[far])
    face = cv2.erode((known.parsing == REGION["face"]).astype(np.uint8), np.ones((9, 9))) > 0
    assert face.any() and np.array_equal(in_dress.photo[face], known.photo[face])
    again = known.wear({"dress": lenders["dress"]})
    assert np.array_equal(again.photo, in_dress.photo) and np.array_equal(again.parsing, in_dress.parsing)


def test_what_is_worn_moves_with_the_body(known, in_dress):
    pose = known.pose.copy()
    pose[JOINT["left_wrist"], :2] += 40, -80
    moved = in_dress.render(pose=pose)
    assert not (moved.parsing == PANTS).any() and (moved.parsing == DRESS).sum() > 1000


def test_a_garment_that_nobody_wears_is_worn(document, laid_out):
    photo, _ = laid_out
    document.wear("upper_clothes", document.add_garment(photo, "upper_clothes"))
    made = document.render()
    colour = np.median(photo[110:150, 80:120].reshape(-1, 3), axis=0)
    chest = middle(document.person.pose, "neck", "right_hip")
    assert made.parsing[chest] == TOP and np.abs(made.photo[chest].astype(int) - colour).max() < 40


@pytest.mark.parametrize(
    ("garments", "said"),
    [({"hair": 0}, "what can be worn"), ("dress", "what can be worn"), ({"dress": 0}, "shows no dress"),
     ({"pants": None}, "shows no pants")],
)  # fmt: skip
def test_what_cannot_be_worn_is_refused_in_a_line(known, known_other, garments, said):
    wanted = garments if isinstance(garments, str) else {k: known_other if v == 0 else v for k, v in garments.items()}
    with pytest.raises(InputError, match=said) as refused:
        known.wear(wanted)
    assert "\n" not in str(refused.value)


def test_ones_own_garment_changes_nothing(known):
    assert known.wear({"upper_clothes": known}) is known and known.wear({}) is known


def test_a_document_wears_in_one_history_and_keeps_it_in_its_file(document, known, lenders, tmp_path, editor):
    key = document.add_reference(lenders["dress"], "dress")
    document.wear("dress", key)
    made = document.render()
    assert not document.edits.none and not document.edits.looks_like(Edits())
    assert (made.parsing == DRESS).any() and np.array_equal(document.base_map(), made.parsing)
    document.recolour("dress", "#1b3a8c")
    assert (document.render().photo != made.photo).any()
    assert document.undo() and np.array_equal(document.render().photo, made.photo)
    document.save(tmp_path / "worn.pise")
    assert read(tmp_path / "worn.pise").history[1].wear == {"dress": key}
    again = Document.open(tmp_path / "worn.pise", editor)
    assert np.array_equal(again.render().photo, made.photo)
    document.remove_reference(key)
    assert document.edits.none and np.array_equal(document.render().photo, known.photo)
    assert document.undo() and document.edits.wear == {"dress": key}
    document.wear("dress", None)
    assert document.edits.none
    document.undo()
    document.start_over()
    assert document.edits.none
    for wear in ({"hair": key}, {"dress": "r9"}, {"dress": ["r1"]}, "dress"):
        with pytest.raises(InputError):
            document.set_wear(wear)
    with pytest.raises(InputError, match="shows no pants"):
        document.wear("pants", key)


def test_people_are_dressed_once_for_many_pictures(document, lenders, monkeypatch):
    key = document.add_reference(lenders["sleeveless"], "top")
    document.wear("upper_clothes", key)
    dressed = document.sized().editor.wear
    asked = []
    monkeypatch.setattr(type(document.sized().editor), "wear", lambda self, *a: asked.append(a) or dressed(*a))
    document.render()
    pose = document.person.pose.copy()
    pose[JOINT["left_wrist"], :2] += 30, -60
    for step in range(2):
        document.set_pose(pose + step)
        document.render()
    assert len(asked) == 1


def test_paint_lies_on_what_is_worn(document, lenders):
    document.wear("dress", document.add_reference(lenders["dress"], "dress"))
    mask = np.zeros(document.person.parsing.shape, bool)
    y, x = middle(document.person.pose, "left_knee", "left_ankle")
    mask[y - 10 : y + 10, x - 8 : x + 8] = True
    document.paint("dress", mask)
    assert document.render().parsing[y, x] == DRESS and not (document.render().parsing == PANTS).any()


def test_a_recipe_wears(document, lenders, editor, tmp_path):
    drawn_lender = lender("dress")
    saved = Document(editor, drawn_lender.photo, pose=drawn_lender.pose, parsing=drawn_lender.parsing)
    saved.save(tmp_path / "lender.pise")
    (tmp_path / "look.json").write_text(json.dumps({"wear": {"dress": "lender.pise"}}))
    recipe = read_recipe(tmp_path / "look.json", editor)
    recipe.apply(document)
    assert (document.render().parsing == DRESS).any() and list(document.edits.wear) == ["dress"]
    document.save(tmp_path / "worn.pise")
    assert list(read_recipe(tmp_path / "worn.pise", editor).wear) == ["dress"]
    for wear, said in (({"hair": "lender.pise"}, "can be worn"), ({"pants": "lender.pise"}, "no pants to wear")):
        (tmp_path / "look.json").write_text(json.dumps({"wear": wear}))
        with pytest.raises(InputError, match=said):
            read_recipe(tmp_path / "look.json", editor)


def test_a_borrowed_dress_is_worn_where_there_is_none(document, editor, tmp_path):
    made = lender("dress")
    Document(editor, made.photo, pose=made.pose, parsing=made.parsing).save(tmp_path / "lender.pise")
    (tmp_path / "look.json").write_text(json.dumps({"styles": {"dress": "lender.pise", "hair": "lender.pise"}}))
    read_recipe(tmp_path / "look.json", editor).apply(document)
    assert list(document.edits.wear) == ["dress"] and list(document.edits.styles) == ["hair"]
    assert (document.render().parsing == DRESS).any()


def test_trousers_that_are_replaced_by_a_dress_hang_as_one(document, editor, tmp_path):
    (tmp_path / "look.json").write_text(json.dumps({"replace": {"pants": "dress"}}))
    read_recipe(tmp_path / "look.json", editor).apply(document)
    parsing = document.render().parsing
    pose = document.person.pose
    y = int(pose[JOINT["left_knee"], 1])
    x = int(pose[[JOINT["left_knee"], JOINT["right_knee"]], 0].mean())
    assert document.person.parsing[y, x] == 0 and parsing[y, x] == DRESS and not (parsing == PANTS).any()
    skirt = parsing[y] == DRESS
    assert np.diff(np.flatnonzero(skirt)).max() == 1
    assert np.array_equal(replaced(document.person.parsing, {TOP: PANTS}) == PANTS,
                          np.isin(document.person.parsing, [TOP, PANTS]))  # fmt: skip


def test_the_command_line_wears(person, other_person, tmp_path, capsys):
    write_image(tmp_path / "me.png", person.photo)
    write_image(tmp_path / "other.png", other_person.photo)
    command = ["edit", str(tmp_path / "me.png"), "--out", str(tmp_path / "out.png")]
    assert cli.main([*command, "--wear", f"upper_clothes={tmp_path / 'other.png'}"]) == 0
    assert (read_image(tmp_path / "out.png") != person.photo).any()
    assert cli.main([*command, "--wear", f"hair={tmp_path / 'other.png'}"]) == 2
    assert "--wear hair: what can be worn is" in capsys.readouterr().err
    twice = ["--wear", f"dress={tmp_path / 'other.png'}"] * 2
    assert cli.main([*command, *twice]) == 2
    assert "--wear dress is given twice" in capsys.readouterr().err


def test_a_garment_lands_where_the_wearers_joints_are(person, other_person):
    warp = GarmentWarp.between(other_person.pose, person.pose)
    assert warp is not None and warp.size == pytest.approx(relative_size(other_person.pose, person.pose))
    joints = [JOINT["left_elbow"], JOINT["left_wrist"]]
    assert np.abs(warp.limbs["left_arm"](person.pose[joints, :2]) - other_person.pose[joints, :2]).max() < 4
    mirrored = [JOINT["right_elbow"], JOINT["right_wrist"]]
    assert np.abs(warp.mirrored["left_arm"](person.pose[joints, :2]) - other_person.pose[mirrored, :2]).max() < 4
    window = slice(100, 230), slice(60, 90)
    columns, rows = places(warp.trunk, window)
    assert columns.shape == rows.shape == (130, 30)
    found = warp.trunk(np.array([[60.5, 100.5], [89.5, 229.5]])) - 0.5
    assert np.allclose([columns[0, 0], rows[0, 0]], found[0], atol=1e-3)
    assert np.allclose([columns[-1, -1], rows[-1, -1]], found[1], atol=1e-3)
    nothing = np.full((18, 3), np.nan, np.float32)
    assert GarmentWarp.between(nothing, person.pose) is None


def test_limbs_stay_within_their_sleeves(person):
    joints = (JOINT["left_shoulder"], JOINT["left_elbow"], JOINT["left_wrist"])
    size = person.parsing.shape
    bare = limb(person.pose, joints)
    thin = np.zeros(size, np.uint8)
    ends = [tuple(int(v) for v in person.pose[joint, :2]) for joint in joints]
    cv2.polylines(thin, [np.array(ends, np.int32)], False, 1, 7)
    within = limb(person.pose, joints, thin > 0)
    assert bare is not None and within is not None
    assert within[:, 2].max() < bare[:, 2].max() and drawn(within, size).sum() < drawn(bare, size).sum()
    half = drawn(bare, size, 0.0, 0.5)
    assert half.sum() < drawn(bare, size).sum() and half[ends[0][1], ends[0][0]] and not half[ends[2][1], ends[2][0]]
    assert trunk(person.pose, size)[middle(person.pose, "neck", "left_hip")]
    missing = person.pose.copy()
    missing[joints[1]] = np.nan
    assert limb(missing, joints) is None and not drawn(None, size).any()


def test_a_speckle_of_a_map_is_no_garment(editor, document):
    drawn_person = lender("dress")
    parsing = np.where(drawn_person.parsing == TOP, DRESS, drawn_person.parsing).astype(np.uint8)
    ys, xs = np.nonzero(parsing == DRESS)
    parsing[ys[0] : ys[0] + 4, xs[0] : xs[0] + 4] = TOP
    speckled = editor.set_person(drawn_person.photo, pose=drawn_person.pose, parsing=parsing)
    assert speckled.present[TOP] and not speckled.lends(TOP) and speckled.lends(DRESS)
    with pytest.raises(InputError, match="shows no upper clothes"):
        document.person.wear({"upper_clothes": speckled})
    key = document.add_reference(speckled, "speckled")
    with pytest.raises(InputError, match="shows no upper clothes"):
        document.wear("upper_clothes", key)
    assert document.edits.none


def test_who_stands_beside_the_wearer_stays_dressed(editor, lenders):
    wearer, other = (draw_person(440, 330, box) for box in ((30, 20, 200, 310), (250, 20, 420, 310)))
    there = other.parsing > 0
    photo = np.where(there[..., None], other.photo, wearer.photo)
    parsing = np.where(there, other.parsing, wearer.parsing).astype(np.uint8)
    parsing[100:102, 120:340][parsing[100:102, 120:340] == 0] = TOP  # shoulder to shoulder
    both = editor.set_person(photo, pose=wearer.pose, parsing=parsing)
    worn = both.wear({"upper_clothes": lenders["sleeveless"]})
    tops = there & (other.parsing == TOP)
    inner = cv2.erode(tops.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert inner.sum() > 1000 and (worn.parsing[inner] == TOP).all() and np.array_equal(worn.photo[inner], photo[inner])
    assert (
        worn.photo[(wearer.parsing == TOP) & (parsing == TOP)] != photo[(wearer.parsing == TOP) & (parsing == TOP)]
    ).any()


def test_nothing_is_seen_through_trousers(editor, known, person):
    """Where the wearer's legs stand wider than the lender's."""
    drawn_person = lender("long", box=(150, 40, 260, 460))
    slim = editor.set_person(drawn_person.photo, pose=drawn_person.pose, parsing=drawn_person.parsing)
    worn = known.wear({"pants": slim})
    hips = [worn.pose[JOINT[f"{side}_hip"], :2] for side in ("left", "right")]
    x, y = np.mean(hips, axis=0).astype(int)
    rows = slice(y, y + 12)
    was = person.parsing[rows, x - 8 : x + 8] == PANTS
    assert was.any() and (worn.parsing[rows, x - 8 : x + 8][was] == PANTS).all()
    colour = np.median(drawn_person.photo[drawn_person.parsing == PANTS], axis=0)
    assert np.abs(worn.photo[rows, x - 8 : x + 8][was].astype(int) - colour).mean() < 25
