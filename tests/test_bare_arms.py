"""Bare arms take no cloth along; sleeves go with them."""

import cv2
import numpy as np
import pytest

from pise_core.regions import REGION
from pise_core.skeleton import JOINT
from pise_core.warping.bare_arms import without_cloth_beside
from pise_core.warping.parts import PARTS, assign_parts, with_overlap
from tests.conftest import Drawn, draw_person

ARM = [PARTS.index(f"left_{bone}") for bone in ("upper_arm", "forearm")]
DRESS = (225, 215, 200)


def bare_armed(beside: tuple[int, int, int] = DRESS, sleeve: float = 0.0) -> tuple[Drawn, np.ndarray]:
    """Somebody in a dress whose left arm is bare below a ``sleeve`` of so much of its length, and where a strip of
    cloth lies beside that arm."""
    drawn = draw_person(440, 660, shirt=DRESS, trousers=DRESS)
    photo, parsing = drawn.photo.copy(), drawn.parsing.copy()
    parsing[np.isin(parsing, [REGION["upper_clothes"], REGION["pants"]])] = REGION["dress"]
    shoulder, elbow, wrist = (drawn.pose[JOINT[f"left_{name}"], :2] for name in ("shoulder", "elbow", "wrist"))
    arm, strip = (np.zeros(parsing.shape, np.uint8) for _ in range(2))
    points = np.rint([shoulder + sleeve * (elbow - shoulder), elbow, wrist]).astype(np.int32)
    cv2.polylines(strip, [points - (16, 0)], False, 1, 12)  # towards the body
    cv2.polylines(arm, [points], False, 1, 22)
    photo[arm > 0], parsing[arm > 0] = (224, 180, 150), REGION["upper_skin"]
    strip = (strip > 0) & (arm == 0) & (np.arange(660)[:, None] > shoulder[1] + 60)
    photo[strip], parsing[strip] = beside, REGION["dress"]
    return drawn._replace(photo=photo, parsing=parsing), strip


def parts_of(drawn: Drawn) -> tuple[np.ndarray, np.ndarray]:
    before = assign_parts(drawn.parsing, drawn.pose)
    return before, without_cloth_beside(before, drawn.photo, drawn.pose, drawn.parsing)


def test_a_strip_of_the_dress_beside_a_bare_arm_stays_with_the_dress():
    drawn, strip = bare_armed()
    before, after = parts_of(drawn)
    taken = strip & np.isin(before, ARM)
    assert taken.sum() > 300
    assert np.isin(after[taken], ARM).mean() < 0.15
    skin = drawn.parsing == REGION["upper_skin"]
    assert (before[skin] == after[skin]).all()


def test_a_strip_of_another_colour_is_not_of_the_dress():
    drawn, strip = bare_armed(beside=(60, 90, 40))
    owner = assign_parts(drawn.parsing, drawn.pose)
    owner[strip] = ARM[0]
    after = without_cloth_beside(owner, drawn.photo, drawn.pose, drawn.parsing)
    assert (after[strip] == ARM[0]).all()


def test_a_sleeve_stays_with_its_arm():
    drawn, _ = bare_armed(sleeve=0.7)
    before, after = parts_of(drawn)
    shoulder, elbow = (drawn.pose[JOINT[f"left_{name}"], :2] for name in ("shoulder", "elbow"))
    x, y = np.rint(shoulder + 0.4 * (elbow - shoulder)).astype(int)
    assert np.isin(before[y - 5 : y + 5, x - 5 : x + 5], ARM).all()
    assert np.isin(after[y - 5 : y + 5, x - 5 : x + 5], ARM).all()


@pytest.mark.parametrize("joint", ["left_elbow", "left_wrist", "left_shoulder"])
def test_nothing_changes_where_a_joint_is_missing(joint):
    drawn, _ = bare_armed()
    drawn.pose[JOINT[joint]] = np.nan, np.nan, 0
    before, after = parts_of(drawn)
    assert np.array_equal(before, after)


def test_a_bent_elbow_takes_no_piece_of_the_dress_along():
    drawn, strip = bare_armed()
    _, owner = parts_of(drawn)
    index = PARTS.index("left_forearm")
    mask = with_overlap((owner == index).astype(np.uint8), index, "left_forearm", drawn.parsing, owner, drawn.pose)
    elbow = drawn.pose[JOINT["left_elbow"], :2]
    ys, xs = np.mgrid[:660, :440]
    bend = np.hypot(xs - elbow[0], ys - elbow[1]) < 40
    apart = cv2.dilate(np.isin(owner, ARM).astype(np.uint8), np.ones((3, 3), np.uint8)) == 0
    assert not mask[bend & strip & apart].any()
    assert mask[bend & (owner == ARM[0])].any()
