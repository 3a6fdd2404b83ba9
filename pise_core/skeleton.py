"""The skeleton: one table of the joints, and all that follows from it.

The order is OpenPose's with 18 joints. Whatever counts joints, groups them or hangs them on one another takes it from
here, and so does the page (``app/components.py`` sends it).
"""

from typing import NamedTuple


class Joint(NamedTuple):
    """A row of the table."""

    name: str
    parent: str | None  # the joint it hangs on; None for the root
    part: str | None  # the part of the body whose bone ends here, if any is moved by it
    standing: tuple[float, float]  # x, y in a standing figure whose box is 1 by 1, arms a little away from the body


TABLE = (
    Joint("nose", "neck", "head", (0.500, 0.090)),
    Joint("neck", None, None, (0.500, 0.185)),
    Joint("right_shoulder", "neck", None, (0.385, 0.195)),
    Joint("right_elbow", "right_shoulder", "right_upper_arm", (0.330, 0.340)),
    Joint("right_wrist", "right_elbow", "right_forearm", (0.300, 0.475)),
    Joint("left_shoulder", "neck", None, (0.615, 0.195)),
    Joint("left_elbow", "left_shoulder", "left_upper_arm", (0.670, 0.340)),
    Joint("left_wrist", "left_elbow", "left_forearm", (0.700, 0.475)),
    Joint("right_hip", "neck", None, (0.425, 0.500)),
    Joint("right_knee", "right_hip", "right_thigh", (0.415, 0.710)),
    Joint("right_ankle", "right_knee", "right_shin", (0.410, 0.920)),
    Joint("left_hip", "neck", None, (0.575, 0.500)),
    Joint("left_knee", "left_hip", "left_thigh", (0.585, 0.710)),
    Joint("left_ankle", "left_knee", "left_shin", (0.590, 0.920)),
    Joint("right_eye", "nose", None, (0.470, 0.070)),
    Joint("left_eye", "nose", None, (0.530, 0.070)),
    Joint("right_ear", "right_eye", None, (0.435, 0.080)),
    Joint("left_ear", "left_eye", None, (0.565, 0.080)),
)

JOINTS = tuple(row.name for row in TABLE)
#: Index of a joint by its name.
JOINT = {name: index for index, name in enumerate(JOINTS)}
JOINT_COUNT = len(JOINTS)
#: Index of the joint that each joint hangs on; -1 for the root.
PARENTS = tuple(-1 if row.parent is None else JOINT[row.parent] for row in TABLE)


def _with_descendants(joint: int) -> tuple[int, ...]:
    """The joint and all that hang on it, each right after its parent; the head comes after the rest of the body."""
    children = [child for child, parent in enumerate(PARENTS) if parent == joint]
    children.sort(key=lambda child: TABLE[child].part == "head")
    return joint, *(found for child in children for found in _with_descendants(child))


ROOT = PARENTS.index(-1)
#: All joints, parents before children.
PARENTS_FIRST = _with_descendants(ROOT)
#: Pairs of joints that are drawn as bones, in drawing order: the head over the body.
LIMBS = tuple((PARENTS[joint], joint) for joint in PARENTS_FIRST[1:])


def _mirrored(name: str) -> str:
    side, _, rest = name.partition("_")
    return f"{ {'right': 'left', 'left': 'right'}[side] }_{rest}" if side in ("right", "left") else name


#: Index of each joint's counterpart when the image is mirrored.
MIRROR = tuple(JOINT[_mirrored(name)] for name in JOINTS)
#: The bone of each part of the body that has one: from joint, to joint.
BONES = {row.part: (PARENTS[index], index) for index, row in enumerate(TABLE) if row.part}
#: The part that a part goes on from: a forearm from its upper arm. The others go on from the torso.
FOLLOWS = {part: before for part, (joint, _) in BONES.items() if (before := TABLE[joint].part)}

NECK, NOSE = JOINT["neck"], JOINT["nose"]
# Pairs: right, left.
SHOULDERS, ELBOWS, WRISTS, HIPS, KNEES, ANKLES, EYES, EARS = (
    (JOINT[f"right_{name}"], JOINT[f"left_{name}"])
    for name in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "eye", "ear")
)
#: Shoulder, elbow, wrist and hip, knee, ankle: right, left.
ARMS = tuple(zip(SHOULDERS, ELBOWS, WRISTS, strict=True))
LEGS = tuple(zip(HIPS, KNEES, ANKLES, strict=True))
TORSO = (*SHOULDERS, *HIPS)
#: Nose, eyes and ears.
FACE = (NOSE, *EYES, *EARS)
