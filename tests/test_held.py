"""What is held goes wholly with the hand, or stays whole."""

import io
import json
import zipfile

import cv2
import numpy as np
import pytest

from app.api.endpoints import Programs, Upload
from app.state.session import Session
from app.view import updates
from pise_core import InputError
from pise_core.document import Document
from pise_core.document.file_reader import read
from pise_core.document.file_writer import write
from pise_core.framing import Framing
from pise_core.held import Held, carried_by, checked_held, find_held, moved_held
from pise_core.masks import grow
from pise_core.pose import default_skeleton
from pise_core.regions import REGION
from pise_core.skeleton import JOINT
from pise_core.warping.parts import PARTS
from tests.conftest import draw_person
from tests.test_parts import turned

BAG = (250, 210, 20)


@pytest.fixture(scope="module")
def with_bag():
    """A person with a yellow bag below the right hand, before a plain wall; where the bag is, and the wall."""
    drawn = draw_person(640, 660, (188, 53, 452, 620))
    wall = np.full(drawn.photo.shape, (150, 165, 180), np.uint8)
    photo = np.where(drawn.parsing[..., None] > 0, drawn.photo, wall)
    x, y = np.rint(drawn.pose[JOINT["right_wrist"], :2]).astype(int)
    held = np.zeros(drawn.parsing.shape, np.uint8)
    cv2.line(held, (x, y + 10), (x - 8, y + 60), 1, 4)
    cv2.rectangle(held, (x - 50, y + 60), (x + 20, y + 120), 1, -1)
    held[drawn.parsing == REGION["upper_skin"]] = 0
    photo[held > 0] = BAG
    return drawn._replace(photo=photo, parsing=np.where(held > 0, 0, drawn.parsing).astype(np.uint8)), held, wall


def things(labels: np.ndarray, pose: np.ndarray) -> Held:
    held = checked_held(labels, labels.shape, pose)
    assert held is not None
    return held


def yellow(photo: np.ndarray) -> np.ndarray:
    return np.asarray((np.abs(photo.astype(int) - BAG) < 40).all(2))


@pytest.fixture(scope="module")
def holder(editor, with_bag):
    drawn, held, _ = with_bag
    return editor.set_person(drawn.photo, pose=drawn.pose, parsing=drawn.parsing, held=held)


@pytest.fixture(scope="module")
def arm_out(with_bag):
    """The right arm turned out."""
    return turned(with_bag[0].pose, ["right_elbow", "right_wrist"], "right_shoulder", 60)


def test_a_bag_below_a_hand_goes_with_it(holder):
    assert holder.held.carriers == ("right_hand",)
    assert (holder.full.owner[holder.held.labels > 0] == PARTS.index("right_held")).all()
    assert not holder.parsing[holder.held.labels > 0].any()


def test_a_bag_whose_handles_were_not_found_hangs_from_the_hand_above_it(with_bag):
    drawn, _, _ = with_bag
    x, y = np.rint(drawn.pose[JOINT["right_wrist"], :2]).astype(int)
    elbow = drawn.pose[JOINT["right_elbow"], :2]
    arm = float(np.hypot(*(elbow - (x, y))))

    def carrier(left, top, hanging=()):
        labels = np.zeros(drawn.parsing.shape, np.uint8)
        cv2.rectangle(
            labels, (round(x + left * arm), round(y + top * arm)), (round(x + (left + 0.6) * arm), 620), 1, -1
        )
        return carried_by(labels, drawn.pose, hanging).carriers

    assert carrier(-0.3, 1.1) == ("right_hand",)
    assert carrier(-0.3, 1.1, [False]) == ("stays",)  # a piece of a skirt
    assert carrier(-1.3, 1.1) == ("stays",)  # what stands beside somebody
    assert carrier(-0.3, 1.4) == ("stays",)  # what lies on the ground


def test_a_bag_goes_whole_with_the_hand_and_leaves_the_wall(holder, with_bag, arm_out):
    drawn, held, wall = with_bag
    photo = holder.render(pose=arm_out).photo
    bag = yellow(photo)
    # As much of it as there was, in one piece, at the hand, and as upright as before.
    assert bag.sum() == pytest.approx(held.sum(), rel=0.15)
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(bag.astype(np.uint8), connectivity=8)
    assert stats[1:, cv2.CC_STAT_AREA].max() > 0.97 * bag.sum()
    before, after = (cv2.boundingRect(mask.astype(np.uint8))[2:] for mask in (held, bag))
    assert after == pytest.approx(before, abs=8)
    wrist = arm_out[JOINT["right_wrist"], :2].astype(int)
    assert grow(bag, 30)[wrist[1], wrist[0]]
    gone = grow(held > 0, 4) & ~grow(bag, 6) & ~grow(drawn.parsing > 0, 8)
    assert gone.sum() > 2000
    assert (np.abs(photo.astype(int) - wall).mean(2)[gone] > 14).mean() < 0.01


def test_a_bag_that_stays_is_the_same_to_the_bit_away_from_the_arm(holder, with_bag, arm_out):
    drawn, held, _ = with_bag
    staying = holder.holding(["stays"])
    assert staying.held.carriers == ("stays",)
    assert (staying.full.owner[held > 0] == PARTS.index("torso")).all()
    edit = staying.render(pose=arm_out)
    arm = np.isin(staying.full.owner, [PARTS.index("right_forearm"), PARTS.index("right_upper_arm")])
    away = (held > 0) & ~grow(arm, 8)
    assert away.sum() > 3000
    assert (edit.photo[away] == drawn.photo[away]).all() and not edit.changed[away].any()
    assert yellow(edit.photo).sum() == pytest.approx(held.sum(), rel=0.1)
    assert (
        staying.holding(["right_hand"]).render(pose=arm_out).photo.tobytes()
        == holder.render(pose=arm_out).photo.tobytes()
    )


def test_without_a_known_bag_the_arm_goes_alone(editor, with_bag, arm_out):
    drawn, held, _ = with_bag
    person = editor.set_person(drawn.photo, pose=drawn.pose, parsing=drawn.parsing)
    assert person.held is None
    with pytest.raises(InputError, match="0 held things"):
        person.holding(["stays"])


def test_a_bag_is_in_the_cut_out_and_among_the_layers(holder, with_bag):
    _, held, _ = with_bag
    layers = {layer.name: layer for layer in holder.layers}
    bag = layers["right_held"]
    shown = np.zeros(held.shape, np.uint8)
    shown[bag.window] = bag.image[..., 3]
    inner = ~grow(held == 0, 3)
    assert (shown[inner] == 255).all() and not shown[~grow(held > 0, 9)].any()
    assert (holder.alpha[inner] == 1).all()
    behind = layers["background"].image[..., :3]
    assert not yellow(behind)[held > 0].any()


def test_legs_that_walk_go_on_behind_a_bag(editor):
    """A bag before the thigh stays with the hand: the leg that moves behind it has no hole in its shape."""
    drawn = draw_person(440, 660)
    x, y = np.rint(drawn.pose[JOINT["right_wrist"], :2]).astype(int)
    held = np.zeros(drawn.parsing.shape, np.uint8)
    cv2.rectangle(held, (x - 20, y + 20), (x + 45, y + 90), 1, -1)
    hidden = (held > 0) & (drawn.parsing == REGION["pants"])
    assert hidden.sum() > 400
    photo = np.where(held[..., None] > 0, np.array(BAG, np.uint8), drawn.photo)
    person = editor.set_person(photo, pose=drawn.pose, parsing=drawn.parsing, held=held)
    wanted = turned(drawn.pose, ["right_knee", "right_ankle"], "right_hip", -14)
    edit = person.render(pose=wanted)
    assert (yellow(edit.photo) & (held > 0)).sum() > 0.97 * held.sum()
    layers = {layer.name: layer for layer in person.layers}
    thigh = layers["right_thigh"]
    shown = np.zeros(held.shape, np.uint8)
    shown[thigh.window] = thigh.image[..., 3]
    assert (shown[hidden] == 255).mean() > 0.6
    cloth = np.zeros(drawn.photo.shape, np.uint8)
    cloth[thigh.window] = thigh.image[..., :3]
    assert not yellow(cloth)[hidden & (shown == 255)].any()


def test_what_lies_in_a_hand_turns_with_it(holder, with_bag):
    drawn, _, _ = with_bag
    wrist = drawn.pose[JOINT["right_wrist"], :2]
    labels = np.zeros(drawn.parsing.shape, np.uint8)
    x, y = np.rint(wrist).astype(int)
    labels[y + 5 : y + 30, x - 6 : x + 6] = 1
    phone = things(labels, drawn.pose)
    assert phone.carriers == ("right_hand",)
    assert (phone.parts(drawn.pose)[labels > 0] == PARTS.index("right_forearm")).all()


def test_what_hangs_from_a_shoulder_stays(with_bag):
    drawn, _, _ = with_bag
    labels = np.zeros(drawn.parsing.shape, np.uint8)
    shoulder, wrist = (
        np.rint(drawn.pose[JOINT[f"right_{name}"], :2]).astype(int).tolist() for name in ("shoulder", "wrist")
    )
    cv2.line(labels, shoulder, wrist, 1, 6)
    assert things(labels, drawn.pose).carriers == ("stays",)


def test_things_move_in_maps_as_in_pictures(holder, arm_out):
    parts = holder.full.held
    moved = moved_held(parts, holder.pose, arm_out)
    assert (moved >= 0).sum() == pytest.approx((parts >= 0).sum(), rel=0.05)
    shown = yellow(holder.render(pose=arm_out).photo)
    assert (shown & (moved >= 0)).sum() > 0.9 * shown.sum()
    assert (moved_held(parts, holder.pose, holder.pose) == parts).all()


@pytest.mark.parametrize(
    "wrong", [np.zeros((3, 3), np.uint8), np.zeros((660, 440), float), -np.eye(660, 440, dtype=int)]
)
def test_a_map_of_what_is_held_is_checked(wrong):
    with pytest.raises(InputError, match="what is held"):
        checked_held(wrong, (660, 440), default_skeleton((0, 0, 440, 660)))


def test_more_things_than_can_be_told_apart_are_refused():
    many = np.arange(660 * 440).reshape(660, 440) % 20
    with pytest.raises(InputError, match="at most"):
        checked_held(many, (660, 440), default_skeleton((0, 0, 440, 660)))
    held = things(np.where(many == 3, 9, 0), default_skeleton((0, 0, 440, 660)))
    assert held.labels.max() == 1 and len(held.boxes) == 1
    with pytest.raises(InputError, match="left_hand, right_hand, stays"):
        held.with_carriers(["the dog"])


def test_things_are_found_where_the_analyzer_is_sure():
    """Two things, one of them in two pieces beside each other, a speckle, and a doubtful one."""
    sure, regions = np.zeros((256, 176), np.float32), np.zeros((8, 256, 176), np.float32)
    sure[100:120, 20:40] = 0.9
    sure[122:130, 20:40] = 0.5  # beside it: the same thing
    sure[60:70, 120:140] = 0.95
    sure[200:202, 50:52] = 0.99  # a speckle
    sure[200:220, 100:120] = 0.45  # doubtful
    sure[105:110, 20:40] = 0.9
    regions[0], regions[:, 105:110, 20:24] = 1, 0
    regions[REGION["upper_skin"], 105:110, 20:24] = 0.9  # fingers about it
    sure[105:110, 20:24] = 0.45
    regions[:, 60:65, 120:140] = 0
    regions[REGION["upper_clothes"], 60:65, 120:140] = 0.95  # half of the other one is taken for cloth
    framing = Framing((352, 512), 0.5, 0.0, 0.0)
    photo = np.full((512, 352, 3), 200, np.uint8)
    photo[200:260, 40:80] = photo[120:140, 240:280] = (30, 60, 20)
    held = find_held(photo, sure, regions, framing, default_skeleton((0, 0, 352, 512)))
    assert isinstance(held, Held) and len(held.carriers) == 2
    assert held.labels.shape == (512, 352)
    assert held.labels[220, 60] == held.labels[250, 60] == 1
    assert held.labels[130, 260] == held.labels[138, 260] == held.labels[122, 260] == 2
    assert not held.labels[215, 44] and not held.labels[402, 102] and not held.labels[420, 220]
    assert find_held(photo, np.zeros_like(sure), regions, framing, default_skeleton((0, 0, 352, 512))) is None
    # Where nothing is seen but the wall, nothing is held, unless the analyzer is certain of it.
    wall, doubted = np.full_like(photo, 200), np.where(sure > 0.9, np.float32(0.9), sure)
    doubted[100:120, 20:40] = 0.5
    doubted[112:120, 20:40] = 0.85
    doubted[60:70, 120:140] = 0.7
    doubted[62:68, 120:140] = 0.81
    assert find_held(photo, doubted, regions, framing, default_skeleton((0, 0, 352, 512))) is not None
    assert find_held(wall, doubted, regions, framing, default_skeleton((0, 0, 352, 512))) is None
    certain = find_held(wall, sure, regions, framing, default_skeleton((0, 0, 352, 512)))
    assert certain is not None and certain.labels[130, 260] > 0


def test_a_thing_ends_where_the_photo_shows_its_edge():
    """The analyzer's cells are four pixels wide; the edge of a slanted thing is no stair of them."""
    sure, regions = np.zeros((256, 176), np.float32), np.zeros((8, 256, 176), np.float32)
    regions[0] = 1
    framing = Framing((704, 1024), 0.25, 0.0, 0.0)
    corners = np.array([[120, 400], [320, 460], [260, 640], [60, 580]], np.int32)
    truth = cv2.fillPoly(np.zeros((1024, 704), np.uint8), [corners], 1) > 0
    photo = np.where(truth[..., None], np.array([30, 60, 20]), np.array([200, 200, 205])).astype(np.uint8)
    small = cv2.fillPoly(np.zeros((256, 176), np.uint8), [corners // 4], 1) > 0
    sure[small] = 0.95
    held = find_held(photo, sure, regions, framing, default_skeleton((0, 0, 704, 1024)))
    assert held is not None
    wrong = (held.labels > 0) != truth
    stairs = cv2.resize(small.astype(np.uint8), (704, 1024), interpolation=cv2.INTER_NEAREST) > 0
    assert wrong.sum() < 0.5 * (stairs != truth).sum()
    assert wrong.sum() / truth.sum() < 0.02


def test_no_slit_of_background_is_left_between_a_thing_and_the_body():
    labels, parsing = np.zeros((200, 150), np.uint8), np.zeros((200, 150), np.uint8)
    labels[50:120, 40:80] = 1
    parsing[20:180, 82:110] = REGION["pants"]
    parsing[50:120, 20:28] = REGION["pants"]  # farther away than a slit
    held = Held(labels, ("stays",))
    met = held.meeting(parsing, 0.5)
    assert (met.labels[52:118, 80:82] == 1).all()
    assert not met.labels[:, 28:40].any() and not met.labels[:48].any() and not met.labels[122:].any()
    assert (met.labels[labels > 0] == 1).all() and not met.labels[parsing > 0].any()
    assert (held.meeting(np.zeros_like(parsing), 0.5).labels == labels).all()


def test_what_things_go_with_is_a_step_of_the_history_that_is_saved(holder, arm_out, tmp_path, editor):
    document = Document.of(holder, "bag")
    assert [thing["carrier"] for thing in document.held] == ["right_hand"]
    document.set_pose(arm_out)
    with_hand = document.render().photo
    document.hold(["stays"])
    assert document.held[0]["carrier"] == "stays" and document.steps[0][-1] == "held"
    staying = document.render().photo
    assert (staying != with_hand).any()
    assert (document.render(preview=True).photo != Document.of(holder).render(preview=True).photo).any()
    document.save(tmp_path / "bag.pise")
    again = Document.open(tmp_path / "bag.pise", editor)
    assert again.person.held is not None and holder.held is not None
    assert again.held == document.held and (again.person.held.labels == holder.held.labels).all()
    assert (again.render().photo == staying).all()
    assert document.undo() and (document.render().photo == with_hand).all()
    document.hold(["right_hand"])  # as it is by itself: no step
    assert document.edits.held == () and document.can_redo
    document.start_over()
    assert document.edits.none and document.edits.held == ()
    for wrong in ([], ["stays", "stays"], ["left"]):
        with pytest.raises(InputError, match="held things go each with"):
            document.hold(wrong)


def test_a_damaged_map_of_what_is_held_is_refused(holder, tmp_path):
    data = write(Document.of(holder, "bag").contents())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for change in ({"held.png": members["parsing.png"]}, {"held.png": None}):
        path = tmp_path / "wrong.pise"
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in (members | change).items():
                if content is not None:
                    archive.writestr(name, content)
        with pytest.raises(InputError, match="damaged"):
            read(path)
    entries = json.loads(members["document.json"])
    entries["person"]["held"] = ["the dog"]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (members | {"document.json": json.dumps(entries).encode()}).items():
            archive.writestr(name, content)
    with pytest.raises(InputError, match="damaged"):
        read(path)


def test_programs_say_what_held_things_go_with(studio, holder, tmp_path):
    Document.of(holder, "bag").save(tmp_path / "bag.pise")
    programs, session = Programs(studio), Session()
    state = programs.open_file(session, Upload(str(tmp_path / "bag.pise")))
    assert state["held"][0]["carrier"] == "right_hand" and len(state["held"][0]["box"]) == 4
    assert programs.set_held(session, ["left_hand"])["held"][0]["carrier"] == "left_hand"
    with pytest.raises(InputError, match="left_hand, right_hand, stays"):
        programs.set_held(session, [])
    assert programs.undo(session)["held"][0]["carrier"] == "right_hand"
    session.close()


def test_the_live_preview_has_the_bag_as_a_part_that_goes_with_the_hand(studio, holder, arm_out, tmp_path):
    """In the photo's own pose, and again in another one."""
    session = Session()
    document = Document.of(holder, "bag")
    document.set_pose(arm_out)
    document.save(tmp_path / "bag.pise")
    Programs(studio).open_file(session, Upload(str(tmp_path / "bag.pise")))
    for _ in range(2):
        now = session.moment()
        assert now is not None
        edits = now.document.edits
        told = updates.layers(session, now, edits, now.document.render(edits), "url")
        names = [part[0] for part in told["parts"]]
        assert "right_held" in names
        x, y, w, h = told["parts"][names.index("right_held")][1:5]
        wrist = now.document.pose_of(edits)[JOINT["right_wrist"], :2] * told["scale"]
        assert abs(x + w / 2 - wrist[0]) < w and y < wrist[1] + h < y + 2 * h
        session.need_document().undo()
    session.close()
