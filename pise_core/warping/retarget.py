"""One person's pose in another person's body: limb directions from the one, bone lengths and place from the other."""

import numpy as np

from pise_core.errors import InputError
from pise_core.pose import visible
from pise_core.skeleton import HIPS, JOINT_COUNT, LIMBS, NECK, PARENTS, PARENTS_FIRST

#: The middle of the hips, carried along as one more point.
_MID_HIP = JOINT_COUNT


def _hangs_on(joint: int) -> int:
    """The skeleton's parent, but the hips hang on their middle, and that and the neck on each other."""
    if joint in HIPS:
        return _MID_HIP
    return {NECK: _MID_HIP, _MID_HIP: NECK}.get(joint, PARENTS[joint] if joint < JOINT_COUNT else NECK)


def _anchors(joint: int) -> tuple[int, ...]:
    """Each joint is placed by the first of these that is in place: its parent, and where that is no end of the torso,
    that one's parent."""
    parent = _hangs_on(joint)
    return (parent,) if NECK in (joint, parent) else (parent, _hangs_on(parent))


#: In the order of placing.
_ANCHORS = {joint: _anchors(joint) for joint in (NECK, _MID_HIP, *PARENTS_FIRST[1:])}

#: People's proportions differ by about this much; where two bones differ by more, one of them is foreshortened.
_PROPORTIONS = 1.25


def retarget(pose_source: np.ndarray, pose_target: np.ndarray) -> np.ndarray:
    """The wanted pose, fitted to a person.

    The middle of the person's hips stays where it is (the neck, where hips are missing), and the bones keep their
    lengths and take the directions of ``pose_target``. A bone that is foreshortened in the target becomes shorter here
    too. Joints that the target lacks stay as the person has them, relative to the joint they hang on.

    Args:
        pose_source: (18, 3) the person's own pose, in pixels of the person's photo.
        pose_target: (18, 3) the pose to take over, in pixels of any other picture.

    Returns:
        (18, 3) float32 in pixels of the person's photo; joints missing in both poses are missing.

    Raises:
        InputError: if the two poses have neither the hips nor the neck in common.
    """
    own, wanted = _with_mid_hip(pose_source), _with_mid_hip(pose_target)
    has_own, has_wanted = visible(own), visible(wanted)
    root = next((i for i in (_MID_HIP, NECK) if has_own[i] and has_wanted[i]), None)
    if root is None:
        raise InputError("the pose can't be fitted: the neck or both hips must be visible in both photos")
    scale = _scale(own, wanted)

    placed = np.full_like(own, np.nan)
    placed[:, 2] = 0
    placed[root] = own[root]
    for joint, anchors in _ANCHORS.items():
        if joint == root:
            continue
        in_place = [anchor for anchor in anchors if np.isfinite(placed[anchor, 0])]
        # The wanted pose first; what it doesn't say, the person's own pose does.
        for pose, there in ((wanted, has_wanted), (own, has_own)):
            anchor = next((a for a in in_place if there[a] and there[joint]), None)
            if anchor is None:
                continue
            bone = pose[joint, :2] - pose[anchor, :2]
            if pose is wanted:
                both = has_own[joint] and has_own[anchor]
                bone = _fitted(bone, scale, float(np.linalg.norm(own[joint, :2] - own[anchor, :2])) if both else None)
            placed[joint, :2] = placed[anchor, :2] + bone
            placed[joint, 2] = pose[joint, 2]
            break
    return placed[:JOINT_COUNT].astype(np.float32)


def _with_mid_hip(pose: np.ndarray) -> np.ndarray:
    """(19, 3) float64: the joints and the middle of the hips, nan where a hip is missing."""
    hips = pose[list(HIPS)].astype(np.float64)
    return np.vstack([pose.astype(np.float64), hips.mean(0)])


def _scale(own: np.ndarray, wanted: np.ndarray) -> float:
    """How much larger the person is than the wanted pose: by the torso, or by the middle one of the shared bones."""
    ratios = []
    for a, b in ((NECK, _MID_HIP), *LIMBS):
        lengths = [float(np.linalg.norm(pose[a, :2] - pose[b, :2])) for pose in (own, wanted)]
        if np.isfinite(lengths).all() and min(lengths) > 1e-3:
            ratios.append(lengths[0] / lengths[1])
            if b == _MID_HIP:
                break
    return float(np.median(ratios)) if ratios else 1.0


def _fitted(bone: np.ndarray, scale: float, own_length: float | None) -> np.ndarray:
    """The wanted bone (x, y) at the person's length, as long as that is a matter of proportions."""
    length = float(np.linalg.norm(bone))
    if own_length is None or length < 1e-6:
        return bone * scale
    scaled = length * scale
    return bone * (np.clip(own_length, scaled / _PROPORTIONS, scaled * _PROPORTIONS) / length)
