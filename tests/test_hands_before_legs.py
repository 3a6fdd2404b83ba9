"""A hand that stays lies before a leg that goes: it keeps its pixels up to its edge."""

import cv2
import numpy as np

from pise_core.pose import default_skeleton
from pise_core.regions import REGION
from pise_core.skeleton import BONES, LEGS
from pise_core.warping.parts import PARTS, assign_parts
from pise_core.warping.warp import carry

SKIN = (210, 160, 140)


def test_a_hand_that_stays_keeps_its_edge_before_a_leg_that_goes():
    pose = default_skeleton((60, 10, 240, 390))
    knee, hip = pose[LEGS[0][1], :2], pose[LEGS[0][0], :2]
    elbow, wrist = BONES["right_forearm"]
    pose[elbow, :2], pose[wrist, :2] = hip + [-40, -30], hip + 0.35 * (knee - hip) + [-6, 0]
    parsing = np.zeros((400, 300), np.uint8)
    for leg in LEGS:
        cv2.polylines(parsing, [np.rint(pose[list(leg), :2]).astype(np.int32)], False, REGION["pants"], 34)
    arm = np.rint(pose[[elbow, wrist], :2]).astype(np.int32)
    cv2.polylines(parsing, [arm], False, REGION["upper_skin"], 14)
    photo = np.full((400, 300, 3), 225, np.uint8)
    photo[parsing == REGION["pants"]], photo[parsing == REGION["upper_skin"]] = (40, 60, 120), SKIN
    target = pose.copy()
    for leg, side in zip(LEGS, (-1, 1), strict=True):
        target[leg[1], 0] += 25 * side
        target[leg[2], 0] += 50 * side
    owner = assign_parts(parsing, pose)
    hand = (parsing == REGION["upper_skin"]) & (owner == PARTS.index("right_forearm"))
    beside_leg = hand & (cv2.dilate((parsing == REGION["pants"]).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0)
    assert beside_leg.sum() > 50
    share = (parsing > 0).astype(np.float32)
    made = carry(photo, parsing, owner, pose, target, rim=2, share=share, behind=[])
    assert (made.trust[hand] == 1).all() and (made.image[hand] == SKIN).all()
    # The leg's own rim is not believed about where it was.
    assert made.lifted[owner == PARTS.index("right_thigh")].all()
