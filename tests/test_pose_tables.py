"""Joints that people label by hand or keep in tables: the right pose, or one line why not."""

import json

import numpy as np
import pytest

from pise_core.errors import InputError
from pise_core.pose_files import open_pose_file, read_pose, write_pose
from tests.pose_files_of_others import COCO, NECKLESS, SIZE, TRUTH, coco, rows

WIDTH, HEIGHT = SIZE
NAMED = {name: (x, y) for name, (x, y, _) in zip(COCO, coco(NECKLESS), strict=True)}
#: Somebody else, half as large, who stands elsewhere.
OTHER = {name: (x / 2 + 20, y / 2 + 100) for name, (x, y) in NAMED.items()}
OTHER_TRUTH = NECKLESS[:, :2] / 2 + (20, 100)


def labelme(*people, group=True):
    shapes = [
        {"label": name, "points": [[x, y]], "group_id": n if group else None, "shape_type": "point", "flags": {}}
        for n, person in enumerate(people)
        for name, (x, y) in person.items()
    ]
    box = {"label": "person", "points": [[1, 2], [30, 40]], "group_id": 0, "shape_type": "rectangle", "flags": {}}
    about = {"imagePath": "a.jpg", "imageData": None, "imageHeight": HEIGHT, "imageWidth": WIDTH}
    return {"version": "5.4.1", "flags": {}, "shapes": [box, *shapes], **about}


def label_studio(short=False):
    def entry(name, x, y):
        value = {"x": 100 * x / WIDTH, "y": 100 * y / HEIGHT, "width": 0.5, "keypointlabels": [name]}
        sides = {"original_width": WIDTH, "original_height": HEIGHT}
        return value | sides if short else {"value": value, "type": "keypointlabels", "image_rotation": 0, **sides}

    entries = [entry(name, *at) for name, at in NAMED.items()]
    if short:
        return [{"image": "a.jpg", "id": 7, "kp": entries, "annotator": 1}]
    cancelled = {"id": 1, "was_cancelled": True, "result": []}
    return [{"id": 7, "annotations": [cancelled, {"id": 2, "result": entries}], "data": {"image": "a.jpg"}}]


def via(project=False):
    regions = [
        {"shape_attributes": {"name": "point", "cx": x, "cy": y}, "region_attributes": {"who": "Ann", "joint": name}}
        for name, (x, y) in NAMED.items()
    ]
    files = {"a.jpg81234": {"filename": "a.jpg", "size": 81234, "regions": regions, "file_attributes": {}}}
    return {"_via_settings": {}, "_via_img_metadata": files} if project else files


def supervisely(kind="point"):
    objects = [
        {"geometryType": kind, "classTitle": name, "points": {"exterior": [[x, y]], "interior": []}}
        for name, (x, y) in NAMED.items()
    ]
    return {"description": "", "tags": [], "size": {"height": HEIGHT, "width": WIDTH}, "objects": objects}


def text(head, lines, mark=","):
    return "\n".join([mark.join(head), *(mark.join(map(str, line)) for line in lines)]) + "\n"


def wide(mark=",", decimal="."):
    head = [f"{name}_{axis}" for name in NAMED for axis in ("x", "y", "score")]
    row = [f"{value:.2f}".replace(".", decimal) for at in NAMED.values() for value in (*at, 0.9)]
    return text(head, [row], mark)


def deeplabcut():
    parts = [name for name in NAMED for _ in range(3)]
    head = ["scorer", *(["resnet50"] * len(parts))]
    numbers = [f"{value:.3f}" for at in NAMED.values() for value in (*at, 0.98)]
    return text(head, [["bodyparts", *parts], ["coords", *(["x", "y", "likelihood"] * len(NAMED))], [0, *numbers]])


LONG = [(name, x, y) for name, (x, y) in NAMED.items()]
PANDAS = {
    "lists": {"name": list(NAMED), "x": [x for x, _ in NAMED.values()], "y": [y for _, y in NAMED.values()]},
    "split": {"columns": ["joint", "x", "y"], "data": [list(row) for row in LONG]},
    "split, joints as index": {
        "index": list(NAMED),
        "columns": ["x", "y"],
        "data": [list(at) for at in NAMED.values()],
    },
    "index": {axis: {name: at[n] for name, at in NAMED.items()} for n, axis in enumerate("xy")},
    "records, wide": [{f"{name} {axis}": at[n] for name, at in NAMED.items() for n, axis in enumerate("xy")}],
    "one row, wide": {f"{name}.{axis}": at[n] for name, at in NAMED.items() for n, axis in enumerate("xy")},
}
READ = {
    "labelme": labelme(NAMED),
    "labelme, nobody grouped": labelme(NAMED, group=False),
    "labelme, two people": labelme(OTHER, NAMED),
    "labelme, a list of files": [labelme(NAMED)],
    "Label Studio": label_studio(),
    "Label Studio, short": label_studio(short=True),
    "VIA": via(),
    "VIA, project": via(project=True),
    "Supervisely": supervisely(),
    **{f"pandas, {name}": table for name, table in PANDAS.items()},
    "names and percent": {name: [f"{100 * x / WIDTH}%", f"{100 * y / HEIGHT}%"] for name, (x, y) in NAMED.items()},
    "names and px": {name: {"x": f"{x}px", "y": f"{y}px"} for name, (x, y) in NAMED.items()},
    "percent, and said": {
        "unit": "percent",
        "size": list(SIZE),
        "keypoints": [[100 * x / WIDTH, 100 * y / HEIGHT, 1] for x, y, _ in rows(NECKLESS)],
    },
}
TEXTS = {
    "CSV": text(["joint", "x", "y"], LONG),
    "CSV with other columns": text(
        ["", "Frame", "Joint name", "X (px)", "Y (px)", "confidence"], [(n, 0, *row, 0.8) for n, row in enumerate(LONG)]
    ),
    "TSV": text(["joint", "x", "y"], LONG, "\t"),
    "CSV of a spreadsheet with decimal commas": text(
        ["Joint", "X", "Y"],
        [(name, f"{x:.1f}".replace(".", ","), f"{y:.1f}".replace(".", ",")) for name, x, y in LONG],
        ";",
    ),
    "CSV, percent": text(["name", "x %", "y %"], [(name, 100 * x / WIDTH, 100 * y / HEIGHT) for name, x, y in LONG]),
    "CSV, wide": wide(),
    "CSV, wide, decimal commas": wide(";", ","),
    "DeepLabCut": deeplabcut(),
    "numbers alone": "\n".join(f"{x:.2f} {y:.2f} {s:.2f}" for x, y, s in coco(NECKLESS)),
    "numbers alone, one line": ",".join(f"{v:.2f}" for row in coco(NECKLESS) for v in row),
}
REFUSED = {
    "percent beside a size": (
        {"size": list(SIZE), "keypoints": [[100 * x / WIDTH, 100 * y / HEIGHT, 1] for x, y, _ in rows(NECKLESS)]},
        '"unit": "percent"',
    ),
    "percent alone": (
        {name: [100 * x / WIDTH, 100 * y / HEIGHT] for name, (x, y) in NAMED.items()},
        '"unit": "pixels"',
    ),
    "a joint twice": ([{"name": n, "x": x, "y": y} for n, x, y in [*LONG, *LONG]], "more than once"),
    "labelme, two people in no group": (labelme(NAMED, OTHER, group=False), "more than once"),
    "skeletons of Supervisely": (supervisely("graph"), "export as COCO"),
    "thousands": (
        {name: [f"{x:.0f},000", f"{y:.0f},000"] for name, (x, y) in NAMED.items()},
        "where a number should be",
    ),
}


@pytest.mark.parametrize("name", READ)
def test_labels_and_tables_in_json(name):
    pose = read_pose(json.dumps(READ[name]).encode(), SIZE)
    assert np.abs(pose[:, :2] - NECKLESS[:, :2]).max() < 0.6


@pytest.mark.parametrize("name", TEXTS)
def test_tables_as_text(name):
    pose = read_pose(TEXTS[name].encode(), SIZE)
    assert np.abs(pose[:, :2] - NECKLESS[:, :2]).max() < 0.6
    pose = read_pose(TEXTS[name].replace("\n", "\r\n").encode("utf-8-sig"), SIZE)  # from a spreadsheet
    assert np.abs(pose[:, :2] - NECKLESS[:, :2]).max() < 0.6


@pytest.mark.parametrize("name", REFUSED)
def test_what_could_be_another_pose_is_refused(name):
    content, said = REFUSED[name]
    with pytest.raises(InputError) as caught:
        read_pose(json.dumps(content).encode(), SIZE)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_other_text_is_named():
    for content, said in (
        ('<?xml version="1.0"?><annotations><image/></annotations>', "is XML"),
        ("%YAML:1.0\n---\npeople: []\n", "is YAML"),
        ("name,age\nAnn,30\nBob,40\n", "no table with columns for joints"),
    ):
        with pytest.raises(InputError, match=said):
            read_pose(content.encode(), SIZE)


def test_people_and_pictures_of_a_table():
    """Their columns part them; pictures are in the order in which they come, and a score below the bar is nowhere."""
    lines = [
        (frame, who, name, x + 3 * frame, y, 0.05 if name == "left_wrist" else 0.9)
        for frame in range(12)
        for who, person in (("small", OTHER), ("large", NAMED))
        for name, (x, y) in person.items()
    ]
    file = open_pose_file(text(["frame", "person", "joint", "x", "y", "score"], lines).encode())
    assert file.frame_count == 12 and [file.people(n) for n in range(12)] == [2] * 12
    for frame in (0, 2, 11):
        pose = file.pose(SIZE, frame=frame)
        wrist = np.isnan(pose[:, 0])
        assert wrist.sum() == 1 and np.isnan(pose[7, 0])
        assert np.abs(pose[~wrist, :2] - NECKLESS[~wrist, :2] - (3 * frame, 0)).max() < 0.6
        small = file.pose(SIZE, frame=frame, person=0)
        assert np.abs(small[~wrist, :2] - OTHER_TRUTH[~wrist] - (3 * frame, 0)).max() < 0.6


def test_several_people_of_deeplabcut():
    heads = {"scorer": [], "individuals": [], "bodyparts": [], "coords": []}
    numbers = []
    for who, person in (("one", OTHER), ("two", NAMED)):
        for name, at in person.items():
            for axis, value in zip("xy", at, strict=True):
                for head, word in zip(heads, ("net", who, name, axis), strict=True):
                    heads[head].append(word)
                numbers.append(f"{value:.2f}")
    file = open_pose_file(
        text(["scorer", *heads.pop("scorer")], [*([k, *v] for k, v in heads.items()), [0, *numbers]]).encode()
    )
    assert file.people(0) == 2
    assert np.abs(file.pose(SIZE)[:, :2] - NECKLESS[:, :2]).max() < 0.6
    assert np.abs(file.pose(SIZE, person=0)[:, :2] - OTHER_TRUTH).max() < 0.6


def test_who_is_small_in_a_corner_comes_back_from_our_own_file(tmp_path):
    """The file says that its numbers are pixels; in a small picture nobody can mean percent."""
    small = TRUTH.copy()
    small[:, :2] *= 95 / TRUTH[:, 1].max()
    write_pose(tmp_path / "small.json", small, SIZE)
    assert np.abs(read_pose(tmp_path / "small.json", SIZE)[:, :2] - small[:, :2]).max() < 0.01
    pose = read_pose({"size": [110, 110], "keypoints": rows(small)}, (110, 110))
    assert np.abs(pose[:, :2] - small[:, :2]).max() < 0.01
