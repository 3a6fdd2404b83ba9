"""Trousers between legs that go apart: one cloth that ends in an arch, with neither a point nor a slit."""

import cv2
import numpy as np
import pytest

from pise_core.pose import default_skeleton
from pise_core.regions import REGION
from pise_core.skeleton import HIPS, LEGS, SHOULDERS
from pise_core.warping.crotch import between_thighs
from pise_core.warping.parts import assign_parts
from pise_core.warping.warp import Carried, carry

SIZE = (400, 300)
GROUND, CLOTH = (220, 220, 220), (40, 60, 120)


@pytest.fixture
def pose() -> np.ndarray:
    return default_skeleton((60, 10, 240, 390))


def trousers(pose: np.ndarray, region: str = "pants") -> tuple[np.ndarray, np.ndarray]:
    """Photo and map of somebody whose legs stand side by side, and touch down to the knees."""
    parsing = np.zeros(SIZE, np.uint8)
    hips, shoulders = pose[list(HIPS), :2], pose[list(SHOULDERS), :2]
    trunk = np.concatenate([shoulders, hips[::-1]])
    cv2.fillPoly(parsing, [np.rint(trunk).astype(np.int32)], REGION["upper_clothes"])
    half = abs(hips[1, 0] - hips[0, 0]) / 2
    for leg in LEGS:
        line = np.rint(pose[list(leg), :2]).astype(np.int32)
        cv2.polylines(parsing, [line], False, REGION[region], round(2.1 * half))
    parsing[: int(hips[:, 1].min() - half)][parsing[: int(hips[:, 1].min() - half)] == REGION[region]] = 0
    photo = np.full((*SIZE, 3), GROUND, np.uint8)
    photo[parsing > 0] = CLOTH
    return photo, parsing


def apart(pose: np.ndarray, by: float = 18) -> np.ndarray:
    """Both legs turned outwards by some degrees."""
    target = pose.copy()
    middle = pose[list(HIPS), 0].mean()
    for leg in LEGS:
        turn = np.radians(by) * (1 if pose[leg[0], 0] < middle else -1)
        turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        target[leg[1:], :2] = pose[leg[0], :2] + (pose[leg[1:], :2] - pose[leg[0], :2]) @ turned.T
    return target


def moved(pose: np.ndarray, target: np.ndarray, photo: np.ndarray, parsing: np.ndarray) -> Carried:
    share = (parsing > 0).astype(np.float32)
    return carry(photo, parsing, assign_parts(parsing, pose), pose, target, rim=1, share=share, behind=[])


def gap_top(parsing: np.ndarray, pose: np.ndarray, target: np.ndarray) -> np.ndarray:
    """For each column between the knees the row at which trousers end below the hips."""
    knees = np.sort(target[[leg[1] for leg in LEGS], 0])
    hips = round(float(pose[list(HIPS), 1].mean()))
    below = parsing[hips:, round(knees[0]) + 12 : round(knees[1]) - 12] != REGION["pants"]
    assert below.any(0).all()
    return below.argmax(0)


def test_trousers_end_in_an_arch_between_legs_that_go_apart(pose):
    target = apart(pose)
    top = gap_top(moved(pose, target, *trousers(pose)).parsing, pose, target)
    highest = top.argmin()
    assert abs(highest - len(top) / 2) < 0.25 * len(top)
    # From there on down to either side: no point hangs in the middle.
    assert (np.diff(top[: highest + 1]) <= 0).all() and (np.diff(top[highest:]) >= 0).all()
    half = abs(pose[HIPS[1], 0] - pose[HIPS[0], 0]) / 2
    assert 0.8 * half < top.min() < 1.8 * half


def test_cloth_above_the_arch_has_neither_seam_nor_slit(pose):
    target = apart(pose)
    photo, parsing = trousers(pose)
    made = moved(pose, target, photo, parsing)
    hips, half = pose[list(HIPS), :2].mean(0), abs(pose[HIPS[1], 0] - pose[HIPS[0], 0]) / 2
    x, y = np.rint(hips).astype(int)
    inner = slice(y, round(y + 0.9 * half)), slice(round(x - half), round(x + half))
    assert (made.trust[inner] > 0.99).all()
    assert np.abs(made.image[inner].astype(int) - CLOTH).max() <= 1


def test_legs_that_stay_leave_the_cloth_between_them_as_it_is(pose):
    photo, parsing = trousers(pose)
    made = moved(pose, pose, photo, parsing)
    assert not made.landed.any() and not made.lifted.any()
    whole = pose.copy()
    whole[:, 0] += 20
    assert not (moved(pose, whole, photo, parsing).trust[:, :40] > 0).any()


@pytest.mark.parametrize("region", ["leg", "dress"])
def test_bare_legs_and_skirts_have_no_such_cloth(pose, region):
    photo, parsing = trousers(pose, region)
    assert between_thighs(assign_parts(parsing, pose), parsing, pose) is None


def test_who_sits_has_no_such_cloth(pose):
    photo, parsing = trousers(pose)
    seated = pose.copy()
    for leg in LEGS:
        seated[leg[1], 1] = seated[leg[0], 1] + 5
    assert between_thighs(assign_parts(parsing, pose), parsing, seated) is None


@pytest.mark.parametrize("by", [0.0, 0.5, 1.5])
def test_no_line_of_the_ground_shows_at_a_knee(pose, by):
    target = apart(pose, 25)
    for leg in LEGS:  # shins turn otherwise than thighs
        target[leg[2], 0] = target[leg[1], 0] + by * (target[leg[2], 0] - target[leg[1], 0])
    made = moved(pose, target, *trousers(pose))
    knees = int(target[LEGS[0][1], 1])
    rows = slice(knees - 25, knees + 30)
    whole = cv2.morphologyEx((made.parsing[rows] > 0).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    inside = cv2.erode(whole, np.ones((7, 7), np.uint8)) > 0
    assert inside.sum() > 1000
    assert made.trust[rows][inside].min() > 0.99
