"""On which side an elbow is while the wrist is dragged and the bones keep their lengths."""

import math

import pytest
from alone import HOST, open_page

from pise_core.pose import default_skeleton, to_rows
from pise_core.skeleton import JOINT

_SHOULDER, _ELBOW, _WRIST = (JOINT[f"left_{name}"] for name in ("shoulder", "elbow", "wrist"))
#: Drags the left wrist through places, and gives the elbow and the wrist after each.
_DRAGGED = """async ([module, rows, places]) => {
  const { dragJoint } = await import(module);
  const start = rows.map(([x, y, score]) => ({ x, y, score, on: true }));
  let last;
  return places.map(([x, y]) => {
    last = dragJoint(start, 7, { x, y }, false, last);
    return [last[6], last[7]].map((joint) => [joint.x, joint.y]);
  });
}"""
_MODEL = f"{HOST}/pose/skeleton.js"


@pytest.fixture(scope="module")
def page(chromium):
    page = open_page(chromium)
    yield page
    page.close()


def _arm(upper, lower):
    """A pose whose left arm of 60 + 55 pixels points in these directions, in degrees from the image's x to its y."""
    pose = default_skeleton((100, 100, 300, 500))
    for joint, to, length, angle in ((_SHOULDER, _ELBOW, 60, upper), (_ELBOW, _WRIST, 55, lower)):
        x, y = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        pose[to, :2] = pose[joint, :2] + (length * x, length * y)
    return pose


def _drag(page, pose, *places):
    """The (x, y) of elbow and wrist, from the shoulder, along the line through places (angle, distance) from it."""
    sx, sy = pose[_SHOULDER, :2].tolist()
    path = []
    for (angle, far), (to, beyond) in zip(places, places[1:], strict=False):
        for step in range(1, 201):
            a, d = math.radians(angle + (to - angle) * step / 200), far + (beyond - far) * step / 200
            path.append((sx + d * math.cos(a), sy + d * math.sin(a)))
    return [[(x - sx, y - sy) for x, y in joints] for joints in page.evaluate(_DRAGGED, [_MODEL, to_rows(pose), path])]


def _side(joints):
    (ex, ey), (wx, wy) = joints
    return math.copysign(1, ex * wy - ey * wx)


def _farthest(line):
    """How far the elbow goes at most while the finger moves by a 200th of a leg of its way."""
    return max(math.dist(a[0], b[0]) for a, b in zip(line, line[1:], strict=False))


@pytest.mark.parametrize(("upper", "lower"), [(85, 95), (95, 85), (80, 60), (100, 40), (92, -84)])
def test_a_folded_arm_keeps_its_elbow_where_it_is(page, upper, lower):
    """Hanging, bent or folded altogether, then taken about the shoulder, both above and below it."""
    pose = _arm(upper, lower)
    wx, wy = (pose[_WRIST, :2] - pose[_SHOULDER, :2]).tolist()
    hand = math.degrees(math.atan2(wy, wx)), math.hypot(wx, wy)
    line = _drag(page, pose, hand, (45, 70), (-135, 50), (-45, 50), (200, 60))
    assert len({_side(joints) for joints in line}) == 1
    assert _farthest(line[3:]) < 5


@pytest.mark.parametrize("hand", [84, 96])
@pytest.mark.parametrize("towards", [0, 180])
def test_the_elbow_of_an_arm_that_hangs_stays_below_the_raised_hand(page, hand, towards):
    line = _drag(page, _arm(hand - 4, hand + 4), (hand, 114.7), (towards, 90))
    (ex, ey), (wx, wy) = line[-1]
    assert wy == pytest.approx(0, abs=0.1) and ey > 20


def test_the_elbow_changes_sides_where_the_arm_was_straight(page):
    """Bent upwards, drawn out, and bent again: now it hangs."""
    line = _drag(page, _arm(-40, 50), (0, 80), (0, 130), (0, 80))
    assert line[0][0][1] < 0 < line[-1][0][1]
