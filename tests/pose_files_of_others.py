"""One pose as other programs write it: what each file holds is made here, from the formats' own descriptions."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from pise_core.skeleton import JOINT, JOINTS

#: (W, H) of the picture that the files are for.
SIZE = (528, 768)
#: Somebody with the right arm raised: x, y, score.
TRUTH = np.array(
    [
        (266, 133, 0.82), (262, 209, 0.92), (199, 207, 0.91), (150, 150, 0.9), (120, 70, 0.9), (325, 211, 0.92),
        (333, 310, 0.87), (329, 386, 0.72), (223, 405, 0.84), (211, 545, 0.83), (203, 671, 0.91), (292, 405, 0.85),
        (293, 544, 0.88), (280, 663, 0.89), (255, 121, 0.87), (278, 122, 0.88), (245, 125, 0.87), (287, 128, 0.89),
    ],
    np.float64,
)  # fmt: skip
#: Without a neck of its own: the middle of the shoulders stands for it.
NECKLESS = np.array(TRUTH)
NECKLESS[JOINT["neck"], :2] = TRUTH[[JOINT["right_shoulder"], JOINT["left_shoulder"]], :2].mean(0)
COCO = [
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
]  # fmt: skip
_MEDIAPIPE = {
    "nose": 0, "left_eye": 2, "right_eye": 5, "left_ear": 7, "right_ear": 8, "left_shoulder": 11, "right_shoulder": 12,
    "left_elbow": 13, "right_elbow": 14, "left_wrist": 15, "right_wrist": 16, "left_hip": 23, "right_hip": 24,
    "left_knee": 25, "right_knee": 26, "left_ankle": 27, "right_ankle": 28,
}  # fmt: skip


def rows(pose: np.ndarray = TRUTH) -> list[list[float]]:
    """18 rows [x, y, score]; (0, 0, 0) where a joint is missing, as OpenPose has it."""
    return [[round(float(v), 3) for v in row] if np.isfinite(row[0]) else [0.0, 0.0, 0.0] for row in pose]


def flat(points: list[list[float]]) -> list[float]:
    return [value for row in points for value in row]


def coco(pose: np.ndarray = TRUTH) -> list[list[float]]:
    return [rows(pose)[JOINT[name]] for name in COCO]


def body25(pose: np.ndarray = TRUTH) -> list[list[float]]:
    body = rows(pose)
    middle = [(a + b) / 2 for a, b in zip(body[8], body[11], strict=True)]
    feet = [[x, y + 12, s] for x, y, s in (body[13], body[13], body[13], body[10], body[10], body[10])]
    return [*body[:8], middle, *body[8:], *feet]


def wholebody(pose: np.ndarray = TRUTH) -> list[list[float]]:
    """133 points: body, six of the feet, 68 of the face, 21 of each hand."""
    return [*coco(pose), *[[200.0, 690.0, 0.8]] * 6, *[[266.0, 130.0, 0.9]] * 68, *[[120.0, 60.0, 0.7]] * 42]


def halpe26(pose: np.ndarray = TRUTH) -> list[list[float]]:
    body = rows(pose)
    head, hip = [body[0][0], body[0][1] - 60, 0.8], [257.0, 405.0, 0.8]
    return [*coco(pose), head, body[1], hip, *[[200.0, 690.0, 0.8]] * 6]


def mediapipe(pose: np.ndarray = TRUTH) -> list[dict[str, float]]:
    points = [{"x": 0.5, "y": 0.2, "z": -0.1, "visibility": 0.9} for _ in range(33)]
    for name, index in _MEDIAPIPE.items():
        x, y, score = rows(pose)[JOINT[name]]
        points[index] = {"x": x / SIZE[0], "y": y / SIZE[1], "z": -0.2, "visibility": score}
    return points


def openpose(points: list[list[float]], **more: Any) -> dict[str, Any]:
    person = {
        "person_id": [-1],
        "pose_keypoints_2d": flat(points),
        "face_keypoints_2d": flat([[266, 130, 0.9]] * 70),
        "hand_left_keypoints_2d": flat([[329, 390, 0.5]] * 21),
        "hand_right_keypoints_2d": [],
        "pose_keypoints_3d": [],
    }
    return {"version": 1.3, "people": [person], **more}


def canvas(size: tuple[float, float] = SIZE) -> dict[str, float]:
    return {"canvas_width": size[0], "canvas_height": size[1]}


def shares(points: list[list[float]]) -> list[list[float]]:
    return [[x / SIZE[0], y / SIZE[1], s] for x, y, s in points]


def scaled(points: list[list[float]], factor: float) -> list[list[float]]:
    return [[x * factor, y * factor, s] for x, y, s in points]


def xy(points: list[list[float]]) -> list[list[float]]:
    return [[x, y] for x, y, _ in points]


def scores(points: list[list[float]]) -> list[float]:
    return [s for _, _, s in points]


_IMAGE = {"id": 7, "file_name": "a.jpg", "width": SIZE[0], "height": SIZE[1]}


def annotation(points: list[list[float]], **more: Any) -> dict[str, Any]:
    seen = [[x, y, 2 if s else 0] for x, y, s in points]
    return {"id": 3, "image_id": 7, "category_id": 1, "num_keypoints": 17, "keypoints": flat(seen), "iscrowd": 0} | more


def mmpose(points: list[list[float]]) -> dict[str, Any]:
    return {"keypoints": xy(points), "keypoint_scores": scores(points), "bbox": [[1, 2, 3, 4]], "bbox_score": 0.9}


def deepfashion(pose: np.ndarray = TRUTH) -> str:
    """A row of PATN's lists, whose pictures are 176x256."""
    there = np.isfinite(pose[:, 0])
    x, y = pose[:, 0] * 176 / SIZE[0], pose[:, 1] * 256 / SIZE[1]
    columns = [[round(float(v)) if ok else -1 for v, ok in zip(axis, there, strict=True)] for axis in (y, x)]
    return f"name:keypoints_y:keypoints_x\nfashionWOMENDressesid00000002_1front.jpg: {columns[0]}: {columns[1]}\n"


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.title() for word in others)


#: What the file holds, by the program's name, for a pose of 18 joints.
FILES: dict[str, Callable[[np.ndarray], Any]] = {
    "ours": lambda p: {"size": list(SIZE), "keypoints": rows(p)},
    "ours with null": lambda p: {
        "size": list(SIZE), "keypoints": [r if np.isfinite(q[0]) else None for r, q in zip(rows(p), p, strict=True)],
    },
    "openpose body_25": lambda p: openpose(body25(p)),
    "openpose coco": lambda p: openpose(rows(p)),
    "openpose 1.1": lambda p: {"version": 1.1, "people": [{"pose_keypoints": flat(rows(p))}]},
    "openpose body_25 as shares": lambda p: openpose(shares(body25(p))),
    "openpose from -1 to 1": lambda p: openpose(
        [[2 * x - 1, 2 * y - 1, s] if s else [0, 0, 0] for x, y, s in shares(body25(p))]
    ),
    "controlnet": lambda p: openpose(rows(p), animals=[], **canvas()),
    "controlnet's web api": lambda p: {"images": [], "info": "Success", "poses": [openpose(rows(p), **canvas())]},
    "controlnet at half size": lambda p: openpose(scaled(rows(p), 0.5), **canvas((264, 384))),
    "comfyui": lambda p: [openpose(rows(p), **canvas())],
    "comfyui as shares": lambda p: [openpose(shares(rows(p)), **canvas((1056, 1536)))],
    "comfyui without a canvas, as shares": lambda p: [openpose(shares(rows(p)))],
    "openpose-editor": lambda p: {"width": 264, "height": 384, "keypoints": xy(scaled(rows(p), 0.5))},
    "openpose-editor, several": lambda p: {"width": 528, "height": 768, "keypoints": [xy(rows(p))]},
    "rows alone": rows,
    "a flat list": lambda p: flat(rows(p)),
    "coco annotations": lambda p: {
        "images": [_IMAGE], "annotations": [annotation(coco(p))], "categories": [{"id": 1, "name": "person"}],
    },
    "coco annotations with names": lambda p: {
        "images": [_IMAGE],
        "annotations": [annotation([*reversed(coco(p))])],
        "categories": [{"id": 1, "name": "person", "keypoints": [*reversed(COCO)]}],
    },
    "coco results": lambda p: [{"image_id": 7, "category_id": 1, "keypoints": flat(coco(p)), "score": 0.9}],
    "alphapose": lambda p: [
        {"image_id": "a.jpg", "category_id": 1, "keypoints": flat(coco(p)), "score": 2.9, "box": [1, 2, 3, 4], "idx": 1}
    ],
    "alphapose halpe-26": lambda p: [{"image_id": "a.jpg", "keypoints": flat(halpe26(p)), "score": 2.9}],
    "alphapose cmu": lambda p: {"a.jpg": {"version": "AlphaPose v0.3", "bodies": [{"joints": flat(rows(p))}]}},
    "mmpose": lambda p: [mmpose(coco(p))],
    "mmpose wholebody": lambda p: [mmpose(wholebody(p))],
    "mmpose inferencer": lambda p: {"predictions": [[mmpose(coco(p))]]},
    "mmpose video": lambda p: {
        "meta_info": {"dataset_name": "coco", "keypoint_id2name": {str(n): name for n, name in enumerate(COCO)}},
        "instance_info": [{"frame_id": 1, "instances": [mmpose(coco(p))]}],
    },
    "rtmlib": lambda p: {"keypoints": [xy(coco(p))], "scores": [scores(coco(p))]},
    "rtmlib in openpose's order": lambda p: {"keypoints": [xy(rows(p))], "scores": [scores(rows(p))]},
    "dwpose": lambda p: {
        "bodies": {
            "candidate": xy(shares(rows(p))),
            "subset": [[n if s else -1 for n, s in enumerate(scores(rows(p)))]],
        },
        "hands": [],
        "faces": [],
    },
    "mediapipe": lambda p: {"landmarks": mediapipe(p)},
    "mediapipe tasks": lambda p: {
        "pose_landmarks": [mediapipe(p)], "pose_world_landmarks": [[{"x": 0.1, "y": -0.4, "z": 0.0}] * 33],
    },
    "mediapipe in javascript": lambda p: {"poseLandmarks": mediapipe(p)},
    "mediapipe's message": lambda p: {"landmark": mediapipe(p)},
    "mediapipe rows": lambda p: [[m["x"], m["y"], m["z"], m["visibility"]] for m in mediapipe(p)],
    "movenet": lambda p: [
        {
            "score": 0.9,
            "keypoints": [{"x": x, "y": y, "score": s, "name": n} for (x, y, s), n in zip(coco(p), COCO, strict=True)],
        }
    ],
    "posenet": lambda p: {
        "score": 0.9,
        "keypoints": [
            {"part": _camel(n), "position": {"x": x, "y": y}, "score": s}
            for (x, y, s), n in zip(coco(p), COCO, strict=True)
        ],
    },
    "ultralytics": lambda p: [
        {
            "name": "person", "class": 0, "confidence": 0.9, "box": {"x1": 1, "y1": 2, "x2": 3, "y2": 4},
            "keypoints": {"x": [r[0] for r in coco(p)], "y": [r[1] for r in coco(p)], "visible": scores(coco(p))},
        }
    ],
    "frames by name": lambda p: {"00001.jpg": rows(p), "00002.jpg": None},
    "joints by name": lambda p: {"size": list(SIZE), **dict(zip(JOINTS, rows(p), strict=True))},
}  # fmt: skip


def encoded(content: Any) -> bytes:
    return json.dumps(content).encode()
