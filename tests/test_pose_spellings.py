"""Poses as programs and scripts spell them beside the usual formats: the right joints, or one line why not."""

import json
from random import Random

import numpy as np
import pytest

from pise_core.errors import InputError
from pise_core.pose_files import open_pose_file, read_pose
from pise_core.skeleton import JOINT, JOINTS
from tests.pose_files_of_others import (
    COCO,
    FILES,
    NECKLESS,
    SIZE,
    TRUTH,
    annotation,
    coco,
    flat,
    mediapipe,
    openpose,
    rows,
    scaled,
    xy,
)

BACKWARDS = [*reversed(range(18))]
POINTS = coco(NECKLESS)
SMALL = scaled(rows(), 0.5)


def without(pose, *names):
    pose = pose.copy()
    pose[[JOINT[name] for name in names]] = np.nan
    return pose


def shown(points, names, **more):
    """Points as objects that say which they are."""
    return [{"name": n, "x": x, "y": y, **more} for (x, y, _), n in zip(points, names, strict=True)]


def renamed(change):
    """The joints from the last to the first, called otherwise."""
    return [{"name": change(JOINTS[n]), "x": TRUTH[n, 0], "y": TRUTH[n, 1]} for n in BACKWARDS]


def sides(joint):
    """ "left", "shoulder" of "left_shoulder"."""
    side, _, rest = joint.partition("_")
    return (side, rest) if rest else ("", side)


def yolo(scale=1.0, score=""):
    points = " ".join(f"{scale * x / SIZE[0]:.6f} {scale * y / SIZE[1]:.6f} {s:.3f}" for x, y, s in POINTS)
    return f"0 0.43 0.49 0.4 0.8 {points}{score}\n"


def line(pose, **more):
    return {"keypoints": [[round(float(v), 3) for v in row] for row in pose], **more}


KEPT = [n for n in range(17) if n not in (1, 2)]

#: What a file holds, and the joints in it.
RIGHT = {
    "joints named in another word": (
        {"keypoints": [{"joint": JOINTS[n], "x": TRUTH[n, 0], "y": TRUTH[n, 1]} for n in BACKWARDS]}, TRUTH,
    ),
    "body parts named": (
        {"keypoints": [{"bodypart": JOINTS[n], "x": TRUTH[n, 0], "y": TRUTH[n, 1], "likelihood": 0.9}
                       for n in BACKWARDS]}, TRUTH,
    ),
    "sides behind a dot": (
        {"keypoints": renamed(lambda j: f"{sides(j)[1]}.{sides(j)[0][:1].upper()}" if "_" in j else j)}, TRUTH,
    ),
    "sides behind": ({"keypoints": renamed(lambda j: f"{sides(j)[1]}_{sides(j)[0][:1]}" if "_" in j else j)}, TRUTH),
    "sides as letters": ({"keypoints": renamed(lambda j: sides(j)[0][:1] + sides(j)[1])}, TRUTH),
    "in one word": ({"keypoints": renamed(lambda j: j.replace("_", "").upper())}, TRUTH),
    "numbered, from the last": (
        {"keypoints": [{"id": n, "x": TRUTH[n, 0], "y": TRUTH[n, 1], "score": 0.9} for n in BACKWARDS]}, TRUTH,
    ),
    "numbered from one": (
        {"keypoints": [{"index": n + 1, "x": TRUTH[n, 0], "y": TRUTH[n, 1]} for n in BACKWARDS]}, TRUTH,
    ),
    "rows under their numbers": ({"keypoints": {str(n): rows()[n] for n in BACKWARDS}}, TRUTH),
    "points under their numbers": (
        {"keypoints": {str(n): {"x": TRUTH[n, 0], "y": TRUTH[n, 1], "score": 0.9} for n in range(18)}}, TRUTH,
    ),
    "rows that begin with their number": ([[n, *TRUTH[n, :2], 0.9] for n in range(18)], TRUTH),
    "rows that begin with their number, from one": ([[n + 1, *TRUTH[n, :2]] for n in range(18)], TRUTH),
    "cvzone": ([[n, round(m["x"] * 528), round(m["y"] * 768)] for n, m in enumerate(mediapipe(NECKLESS))], NECKLESS),
    "transformers, unsure points left out": (
        [[{"keypoints": xy([POINTS[n] for n in KEPT]), "scores": [0.9] * 15, "labels": KEPT, "bbox": [1, 2, 3, 4]}]],
        without(NECKLESS, "left_eye", "right_eye"),
    ),
    "roboflow": (
        {"predictions": [{"x": 520, "y": 760, "width": 440, "height": 1280, "confidence": 0.9, "class": "person",
                          "keypoints": [{"x": 2 * x, "y": 2 * y, "confidence": s, "class_id": n, "class": COCO[n]}
                                        for n, (x, y, s) in enumerate(POINTS)]}],
         "image": {"width": 1056, "height": 1536}}, NECKLESS,
    ),
    "a box beside": ([{"x": 150, "y": 90, "width": 220, "height": 600, "keypoints": flat(POINTS)}], NECKLESS),
    "supervision": ({"xy": [xy(POINTS)], "confidence": [[0.9] * 17], "class_id": [0]}, NECKLESS),
    "said to be unseen": (
        {"keypoints": [point | {"visible": point["name"] != "left_wrist"} for point in shown(POINTS, COCO)]},
        without(NECKLESS, "left_wrist"),
    ),
    "hardly likely": (
        {"keypoints": [point | {"likelihood": 0.02 if point["name"] == "left_wrist" else 0.99}
                       for point in shown(POINTS, COCO)]}, without(NECKLESS, "left_wrist"),
    ),
    "NaN as text": (
        {"keypoints": [["NaN", "nan", 0] if n == 7 else row for n, row in enumerate(rows())]},
        without(TRUTH, "left_wrist"),
    ),
    "nothing as text, flat": (
        {"people": [{"pose_keypoints_2d": [*flat(rows()[:7]), "null", "", "None", *flat(rows()[8:])]}]},
        without(TRUTH, "left_wrist"),
    ),
    "numbers as text": ({"keypoints": [[f"{x}", f" {y:g}", "9e-1"] for x, y, _ in rows()]}, TRUTH),
    "minus one in shares": (
        {"keypoints": [[-1 / 528, -1 / 768] if n == 7 else [TRUTH[n, 0] / 528, TRUTH[n, 1] / 768] for n in range(18)]},
        without(TRUTH, "left_wrist"),
    ),
    "a joint within the first pixel": (
        line(np.vstack([TRUTH[:4], [[0.4, 0.7, 0.9]], TRUTH[5:]]), size=list(SIZE)),
        np.vstack([TRUTH[:4], [[0.4, 0.7, 0.9]], TRUTH[5:]]),
    ),
    "imageWidth": ({"imageWidth": 264, "imageHeight": 384, "keypoints": SMALL}, TRUTH),
    "a size among the metadata": (
        {"metadata": {"width": 264, "height": 384}, "people": openpose(SMALL)["people"]}, TRUTH,
    ),
    "a size of the image": ({"image": {"width": 264, "height": 384, "path": "a.jpg"}, "keypoints": SMALL}, TRUTH),
    "w and h": ({"w": 264, "h": 384, "keypoints": SMALL}, TRUTH),
    "img_w": ({"img_w": 264, "img_h": 384, "keypoints": SMALL}, TRUTH),
    "a frame's size": ({"frame_width": 264, "frame_height": 384, "frames": [openpose(SMALL)]}, TRUTH),
    "a size as text": ({"canvas_width": "264", "canvas_height": "384", "people": openpose(SMALL)["people"]}, TRUTH),
    "a size of nothing": ({"canvas_width": 0, "canvas_height": 0, "people": openpose(rows())["people"]}, TRUTH),
    "a canvas that is much larger": (
        {"canvas_width": 8192, "canvas_height": 11916, "people": openpose(scaled(rows(), 8192 / 528))["people"]}, TRUTH,
    ),
    "people under numbers": (
        {"people": {"0": openpose(scaled(rows(), 0.3))["people"][0], "1": openpose(rows())["people"][0]}}, TRUTH,
    ),
    "a person within a person": ({"people": [{"person": {"pose": {"keypoints": rows()}}}]}, TRUTH),
    "a picture's people in a list of lists": ([openpose(rows())["people"]], TRUTH),
    "points as objects in OpenPose's envelope": (
        {"people": [{"pose_keypoints_2d": [{"x": x, "y": y, "c": s} for x, y, s in rows()]}]}, TRUTH,
    ),
    "an animal before the person": (
        {"categories": [{"id": 18, "name": "dog", "keypoints": [*reversed(COCO)]}, {"id": 1, "name": "person"}],
         "annotations": [annotation(scaled(POINTS, 1.1), category_id=18), annotation(POINTS)]}, NECKLESS,
    ),
}  # fmt: skip

#: What a file holds, and what the line says of it.
REFUSED = {
    "some numbers left out": (
        {"keypoints": [{"id": n, "x": TRUTH[n, 0], "y": TRUTH[n, 1]} for n in range(18) if n != 4]}, "leaves some",
    ),
    "names that nobody knows": ({"keypoints": shown(POINTS, [f"place{chr(97 + n)}" for n in range(17)])}, "calls its"),
    "bones, not joints": (
        {"keypoints": shown(POINTS, ["Head", "LeftArm", "LeftForeArm", "LeftHand", "RightArm", "RightForeArm",
         "RightHand", "LeftUpLeg", "LeftLeg", "LeftFoot", "RightUpLeg", "RightLeg", "RightFoot", "Hips", "Spine",
         "Chest", "Root"])}, "calls its points Head, LeftArm",
    ),
    "metres in the world": (
        [{"x": (m["x"] - 257.5 / 528) * 1.1, "y": (m["y"] - 405 / 768) * 1.8, "z": 0, "visibility": 1}
         for m in mediapipe(NECKLESS)], "metres",
    ),
    "metres in the world, said": ({"pose_world_landmarks": [[*mediapipe(NECKLESS)]]}, "in space"),
    "depths": (
        {"keypoints": [[x, y, z] for (x, y, _), z in zip(rows(), np.linspace(-300, 300, 18), strict=True)]},
        "no scores",
    ),
    "JHMDB": ([[5 * n + 9, 9 * n + 9] for n in range(15)], "15 points, which is JHMDB"),
    "OCHuman": ([[5 * n + 9, 9 * n + 9, 1] for n in range(19)], "19 points, which is OCHuman"),
    "COCO's with a neck, no face seen": ([*[None] * 5, *POINTS[5:], rows()[1]], "another order"),
    "boxes without points": ({"predictions": [{"x": 9 + n, "y": 9, "width": 9, "height": 9} for n in range(17)]}, "no"),
    "people cut off by the left side": (
        openpose([[x / SIZE[0] - 0.45, y / SIZE[1], s] for x, y, s in rows()]), "from 0 to 1 or from -1 to 1",
    ),
    "all in the corner": ({"keypoints": [[-0.01, -0.01]] * 18}, "nobody"),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_other_spellings_give_the_same_joints(name):
    content, truth = RIGHT[name]
    pose = read_pose(json.dumps(content).encode(), SIZE)
    there = np.isfinite(truth[:, 0])
    assert np.array_equal(np.isfinite(pose[:, 0]), there)
    assert np.abs(pose[there, :2] - truth[there, :2]).max() < 0.6


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_become_another_pose_is_refused(name):
    content, said = REFUSED[name]
    with pytest.raises(InputError) as caught:
        read_pose(json.dumps(content).encode(), SIZE)
    assert said in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("score", ["", " 0.91", " 0.91 3"])
def test_text_of_ultralytics(score):
    """What ``save_txt`` writes: a line for each person."""
    pose = read_pose((yolo(0.3, score) + yolo(1.0, score)).encode(), SIZE)
    assert np.abs(pose[:, :2] - NECKLESS[:, :2]).max() < 0.01
    assert open_pose_file(yolo().encode()).people(0) == 1
    with pytest.raises(InputError, match="not valid JSON"):
        read_pose(yolo(30.0, score).encode(), SIZE)


def test_pictures_are_in_the_order_of_their_numbers():
    """A program that sorts names puts the tenth before the second."""
    names = sorted(f"frame_{n}.jpg" for n in range(12))
    content = {name: openpose(rows(TRUTH + (int(name[6:-4]), 0, 0))) for name in names}
    across = [pose[0, 0] - TRUTH[0, 0] for pose in open_pose_file(content).motion(SIZE)]
    assert np.allclose(across, range(12))


#: What may stand where something else should.
JUNK = [None, True, "nan", "x", -1, 0, 1e9, [], {}, [1], [[1, 2]], {"x": 1}, "12", float("nan"), 10**30, [None] * 17]
KEYS = ["labels", "id", "name", "w", "width", "xy", "image", "size", "keypoints", "scores", "categories", "category_id"]


def disturbed(node, random):
    """The same with a part of it exchanged for something else, left out or added, here and there."""
    if random.random() < 0.02:
        return random.choice(JUNK)
    if isinstance(node, dict):
        more = {random.choice(KEYS): random.choice(JUNK)} if random.random() < 0.05 else {}
        return {key: disturbed(value, random) for key, value in node.items() if random.random() > 0.02} | more
    if isinstance(node, list):
        return [disturbed(entry, random) for entry in node if random.random() > 0.003]
    return node


def test_a_disturbed_file_is_read_or_refused_in_a_line():
    random = Random(1)  # noqa: S311
    whole = [content for content, _ in RIGHT.values()] + [make(TRUTH) for make in FILES.values()]
    read = 0
    for _ in range(1500):
        try:
            file = open_pose_file(json.dumps(disturbed(random.choice(whole), random)).encode())
            pose = file.pose(SIZE)
            file.motion(SIZE)
        except InputError as error:
            assert "\n" not in str(error)
        else:
            assert pose.shape == (18, 3)
            read += 1
    assert read > 100
