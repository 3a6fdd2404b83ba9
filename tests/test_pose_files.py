"""Poses in files of other programs: the same joints whatever the format, or one line that says why not."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pise_core
from pise_core.errors import InputError
from pise_core.pose import visible
from pise_core.pose_files import KINDS, encode_pose, open_pose_file, read_pose, write_pose
from pise_core.skeleton import JOINT
from tests.pose_files_of_others import (
    COCO,
    FILES,
    NECKLESS,
    SIZE,
    TRUTH,
    annotation,
    body25,
    canvas,
    coco,
    deepfashion,
    encoded,
    flat,
    mediapipe,
    openpose,
    rows,
    scaled,
    shares,
    xy,
)


def away(pose, truth):
    """The distance of the joint that is farthest off; infinite where joints are missing in one of both only."""
    if not np.array_equal(visible(pose), np.isfinite(truth[:, 0])):
        return np.inf
    return float(np.nanmax(np.hypot(*(pose[:, :2] - truth[:, :2]).T)))


def refused(source, size=SIZE, **choice):
    with pytest.raises(InputError) as caught:
        read_pose(source, size, **choice)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("name", FILES)
def test_every_format_gives_the_same_joints(name):
    content = FILES[name](NECKLESS)
    pose = read_pose(encoded(content), SIZE)
    assert pose.dtype == np.float32 and pose.shape == (18, 3)
    assert away(pose, NECKLESS) < 0.6
    assert np.array_equal(read_pose(content, SIZE), pose, equal_nan=True)
    # The same joints in a picture of the same shape and another size.
    twice = read_pose(content, (1056, 1536))
    if open_pose_file(content).fits((1, 1)):
        return  # it does not say how large its picture is: the numbers are of the picture at hand, or shares of it
    assert away(twice, NECKLESS * (2, 2, 1)) < 1.2


@pytest.mark.parametrize("name", FILES)
def test_a_joint_that_is_missing_stays_missing(name):
    less = NECKLESS.copy()
    less[[JOINT["left_wrist"], JOINT["right_ankle"]]] = np.nan
    assert away(read_pose(FILES[name](less), SIZE), less) < 0.6


def test_rows_of_deepfashion():
    less = TRUTH.copy()
    less[JOINT["left_wrist"]] = np.nan
    for text in (deepfashion(less), deepfashion(less).split("\n")[1]):
        assert away(read_pose(text.encode(), SIZE), less) < 2.2  # whole pixels of a picture of a third the size
    assert open_pose_file(deepfashion(TRUTH).encode() + deepfashion(less).split("\n")[1].encode()).frame_count == 2


def test_dress_code_counts_in_pixels_of_half_its_pictures():
    points = [[x, y, s, n] for n, (x, y, s) in enumerate(scaled(rows(), 0.6))]
    pose = read_pose({"keypoints": points}, (768, 1024))
    assert away(pose, TRUTH * (1.2, 1.2, 1)) < 0.01


def test_path_bytes_and_parsed_json_are_the_same(tmp_path):
    path = tmp_path / "pose.json"
    path.write_bytes(encoded(FILES["comfyui"](TRUTH)))
    for source in (path, str(path), path.read_bytes(), json.loads(path.read_text())):
        assert away(pise_core.read_pose(source, SIZE), TRUTH) < 0.01


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_marks_of_the_encoding_do_not_count(encoding):
    text = json.dumps(FILES["controlnet"](TRUTH))
    assert away(read_pose(text.encode(encoding), SIZE), TRUTH) < 0.01


def test_envelopes():
    file = FILES["controlnet"](TRUTH)
    for content in (
        json.dumps(file),  # JSON in a string of JSON
        {"data": {"output": [file]}},
        {**file, "canvas_width": None, "canvas_height": None},
        {**file, "people": file["people"][0]},
        {"people": [None, *file["people"]]},
    ):
        assert away(read_pose(encoded(content), SIZE), TRUTH) < 0.01
    lines = encoded(file) + b"\n" + encoded(file) + b"\n"
    assert away(read_pose(lines, SIZE), TRUTH) < 0.01 and open_pose_file(lines).frame_count == 2


# ---- whom


def test_the_largest_and_most_complete_person_is_taken_unless_another_is_chosen():
    small = scaled(rows(), 0.3)
    half = [row if index < 8 else [0.0, 0.0, 0.0] for index, row in enumerate(scaled(rows(), 1.05))]
    nobody = [[0.0, 0.0, 0.0]] * 18
    people = [openpose(points)["people"][0] for points in (small, nobody, half, rows())]
    content = {"people": people, **canvas()}
    assert away(read_pose(content, SIZE), TRUTH) < 0.01
    file = open_pose_file(content)
    assert file.people(0) == 3  # whom nobody saw counts for nobody
    assert away(file.pose(SIZE, person=0), TRUTH * (0.3, 0.3, 1)) < 0.01
    assert "people" in refused(content, person=3) and "no picture 1" in refused(content, frame=1)


def test_people_of_several_pictures_are_kept_apart():
    other = TRUTH + (40, 30, 0)
    entries = [
        {"image_id": name, "category_id": 1, "keypoints": flat(coco(pose)), "score": 1.0}
        for name, pose in (("0.jpg", NECKLESS), ("1.jpg", other), ("1.jpg", NECKLESS * (0.2, 0.2, 1)))
    ]
    file = open_pose_file(entries)
    assert file.frame_count == 2 and file.people(0) == 1 and file.people(1) == 2
    assert away(file.pose(SIZE, frame=1), other + [(0, 0, 0), (0, -0.0, 0), *[(0, 0, 0)] * 16]) < 2
    poses = file.motion(SIZE)
    assert len(poses) == 2 and abs(poses[1][0, 0] - other[0, 0]) < 1


def test_the_first_picture_that_shows_somebody_is_taken():
    file = [openpose([[0, 0, 0]] * 18, **canvas()), {"people": [], **canvas()}, openpose(rows(), **canvas())]
    assert away(read_pose(file, SIZE), TRUTH) < 0.01 and open_pose_file(file).first() == 2


def test_crowds_and_other_things_are_nobody():
    file = {
        "images": [{"id": 7, "width": 528, "height": 768}],
        "annotations": [annotation(scaled(coco(), 1.1), iscrowd=1), annotation(coco(NECKLESS))],
    }
    assert away(read_pose(file, SIZE), NECKLESS) < 0.01
    for content in (
        {"people": []},
        {"people": [], "animals": [flat(rows())]},
        {"people": [{"pose_keypoints_2d": flat([[0, 0, 0]] * 18)}]},
        {"annotations": []},
        {"keypoints": [None] * 18},
        [],
        [None],
    ):
        assert "nobody" in refused(content)
    assert "animal" in refused({"people": [], "animals": [flat(rows())]})


# ---- where


def test_another_shape_of_picture_keeps_the_proportions():
    wide = [[x + 900, y, s] for x, y, s in rows()]
    pose = read_pose({"size": [1600, 768], "keypoints": wide}, SIZE)
    assert np.allclose(pose[:, :2] - pose[0, :2], TRUTH[:, :2] - TRUTH[0, :2], atol=0.01)
    there = pose[:, :2]
    assert (there >= 0).all() and (there <= SIZE).all()
    # Lying, somebody may have to become smaller to fit in.
    lying = [[y + 300, x, s] for x, y, s in rows()]
    pose = read_pose({"width": 1400, "height": 528, "keypoints": lying}, SIZE)
    ratio = np.ptp(pose[:, :2], axis=0) / np.ptp(np.array(lying)[:, :2], axis=0)
    assert ratio[0] == pytest.approx(ratio[1], rel=1e-4) and (pose[:, 0] <= 528).all()
    # Sides that a program rounded to 64 pixels are no other shape.
    stretched = [[x * 512 / 528, y * 768 / 768, s] for x, y, s in rows()]
    assert away(read_pose(openpose(stretched, **canvas((512, 768))), SIZE), TRUTH) < 0.01


def test_shares_may_lie_a_little_outside():
    out = TRUTH.copy()
    out[JOINT["right_ankle"], 1], out[JOINT["right_wrist"], 0] = 800, -20
    for content in (openpose(shares(rows(out)), **canvas()), [openpose(shares(rows(out)))]):
        assert away(read_pose(content, SIZE), out) < 0.05


def test_a_pose_of_another_picture_without_a_size_is_refused():
    message = refused(openpose(scaled(body25(), 3)))
    assert "outside" in message and "size" in message
    assert away(open_pose_file(openpose(scaled(rows(), 3))).pose(SIZE, own=True), TRUTH * (3, 3, 1)) < 0.01


# ---- what is missing


@pytest.mark.parametrize(
    "row",
    [None, [], [None, None, None], [None, None, 0], [0, 0], [0, 0, 0], [-1, -1], [-1, -1, 0], [5, 5, 0], [5, 5, 0.05],
     [float("nan"), float("nan"), 0.9], [5, float("nan")], [0, 0, 0.9], [5, 5, -1], [5, 5, None]],
)  # fmt: skip
def test_every_spelling_of_a_missing_joint(row):
    body = [xy(rows()), rows()][row is not None and len(row) == 3]
    body = [*body[:7], row, *body[8:]]
    less = TRUTH.copy()
    less[7] = np.nan
    pose = read_pose({"size": list(SIZE), "keypoints": body}, SIZE)
    assert away(pose, less) < 0.01 and pose[7, 2] == 0


def test_networks_that_answer_every_point_are_believed_from_a_higher_score_on():
    unsure = NECKLESS.copy()
    unsure[[9, 10, 12, 13], 2] = 0.2
    less = NECKLESS.copy()
    less[[9, 10, 12, 13]] = np.nan
    assert away(read_pose(FILES["alphapose"](unsure), SIZE), less) < 0.01
    assert away(read_pose({"landmarks": mediapipe(unsure)}, SIZE), less) < 0.01
    assert away(read_pose(FILES["openpose coco"](unsure), SIZE), NECKLESS) < 0.01


# ---- what is no pose


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ({}, "an empty object"),
        ({"keypoints": 3}, "a number"),
        ({"faces": [1], "model": "x"}, "faces, model"),
        ({"keypoints": {}}, "empty object"),
        ({"keypoints": "eighteen characters"}, "text"),
        ({"people": [{"pose_keypoints_2d": [1, 2, 3]}]}, "3 numbers"),
        ({"people": [{"pose_keypoints_2d": flat([[9, 9, 1]] * 21)}]}, "63 numbers"),
        ({"keypoints": [[1, 2, 1]] * 21}, "21 points, which is a hand"),
        ({"keypoints": [[1, 2, 1]] * 16}, "16 points, which is MPII"),
        ({"keypoints": [*rows()[:17], [1]]}, "1 numbers"),
        ({"keypoints": [*rows()[:17], ["x", 2, 3]]}, "text as point 17"),
        ({"keypoints": [*rows()[:17], 7]}, "a number where point 17"),
        ({"keypoints": [*rows()[:17], [True, 2, 3]]}, "true as point 17"),
        ({"keypoints": [*rows()[:17], [float("inf"), 2, 3]]}, "infinite"),
        ({"keypoints": [*rows()[:17], [1e9, 2, 3]]}, "1e+09"),
        ({"keypoints": [*rows()[:17], [10**400, 2, 3]]}, "infinite"),
        ({"keypoints": rows(), "size": [10]}, "size"),
        ({"keypoints": rows(), "size": [0, 10]}, "size"),
        ({"keypoints": rows(), "size": "big"}, "size"),
        ({"keypoints": xy(rows()), "keypoint_scores": [1, 2]}, "18 points and 2 scores"),
        ("text", "text"),
        (7, "a number"),
    ],
)
def test_what_is_no_pose_is_refused_with_what_was_found(content, found):
    assert found in refused(encoded(content))


@pytest.mark.parametrize(
    "data", [b"", b" ", b"nonsense", b"[" * 100_000, b'{"keypoints": ' + b"9" * 5000 + b"}", bytes(range(256)), b"\xff"]
)
def test_what_is_no_json_is_refused(data):
    refused(data)


def test_an_unknown_order_of_joints_is_refused_not_guessed():
    human36m = [*[[250, 400, 1], [210, 400, 1], [205, 540, 1], [203, 670, 1], [290, 400, 1], [293, 544, 1]]]
    human36m += [[280, 663, 1], [255, 300, 1], [262, 209, 1], [266, 150, 1], [266, 100, 1], [325, 211, 1]]
    human36m += [[333, 310, 1], [329, 386, 1], [199, 207, 1], [150, 150, 1], [120, 70, 1]]
    assert "order" in refused({"keypoints": human36m})
    assert "order" in refused(openpose([*coco(), *rows()[:1], *body25()[17:24]]))  # BODY_25B has COCO's first


def test_missing_files_are_named(tmp_path):
    assert "there is no file" in refused(tmp_path / "none.json")
    assert "can't be read" in refused(tmp_path)
    (tmp_path / "kind.json").write_text('{"a": 1}')
    assert refused(tmp_path / "kind.json").startswith("kind.json holds an object with a")
    with pytest.raises(InputError, match="not from set"):
        read_pose({1}, SIZE)  # type: ignore[arg-type]


# ---- out again


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_read_again(tmp_path, kind):
    pose = read_pose(FILES["ours"](NECKLESS), SIZE)
    pose[7] = np.nan, np.nan, 0
    pise_core.write_pose(tmp_path / "pose.json", pose, SIZE, kind)
    again = read_pose(tmp_path / "pose.json", SIZE)
    assert away(again, pose.astype(np.float64)) < 0.02
    assert np.allclose(again[:, 2], pose[:, 2], atol=0.15 if kind == "coco" else 1e-3)


def test_what_others_expect_of_what_is_written():
    pose = read_pose(FILES["ours"](TRUTH), SIZE)
    data = json.loads(encode_pose(pose, SIZE, "body25"))
    points = np.array(data["people"][0]["pose_keypoints_2d"]).reshape(25, 3)
    assert np.allclose(points[:19], np.array(body25())[:19], atol=0.01) and not points[19:].any()
    assert np.allclose(json.loads(encode_pose(pose, SIZE, "coco"))[0]["keypoints"], flat(coco()), atol=0.01)
    assert len(json.loads(encode_pose(pose, SIZE, "openpose"))["people"][0]["pose_keypoints_2d"]) == 54
    assert json.loads(encode_pose(pose, SIZE, "comfyui"))[0]["canvas_width"] == 528


def test_writing_refuses_other_suffixes_and_kinds(tmp_path):
    pose = read_pose(FILES["ours"](TRUTH), SIZE)
    with pytest.raises(InputError, match=r"\.json"):
        write_pose(tmp_path / "pose.txt", pose, SIZE)
    with pytest.raises(InputError, match="body25"):
        write_pose(tmp_path / "pose.json", pose, SIZE, "bvh")


# ---- whatever is read is the truth within a tolerance, or is refused


@st.composite
def bodies(draw):
    """A body somewhere in a picture, turned, scaled, with joints missing: (18, 3) and (W, H)."""
    width, height = draw(st.integers(200, 3000)), draw(st.integers(200, 3000))
    angle = np.radians(draw(st.integers(-180, 180)))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (NECKLESS[:, :2] - NECKLESS[:, :2].mean(0)) @ turn.T
    spread = np.ptp(points, axis=0)
    points *= draw(st.floats(0.25, 1)) * 0.98 * min(width / spread[0], height / spread[1])
    room = np.maximum([width, height] - np.ptp(points, axis=0), 0)
    points += room * (draw(st.floats(0.02, 0.98)), draw(st.floats(0.02, 0.98))) - points.min(0)
    pose = np.c_[points + 0.01, NECKLESS[:, 2]]
    for joint in draw(st.lists(st.integers(0, 17), max_size=5)):
        pose[joint] = np.nan
    for joint in ("right_shoulder", "left_shoulder"):
        if np.isnan(pose[JOINT[joint], 0]):
            pose[JOINT["neck"]] = np.nan
    return pose, (width, height)


@settings(max_examples=150, deadline=None)
@given(bodies(), st.sampled_from(["rows", "flat", "shares", "body25", "coco", "named"]), st.booleans())
def test_any_body_is_read_where_it_is_or_refused(body, kind, sized):
    pose, size = body
    points = rows(pose)
    as_shares = [[x / size[0], y / size[1], s] for x, y, s in points]
    more, size_of = (canvas(size), {"size": list(size)}) if sized else ({}, {})
    content = {
        "rows": lambda: {"keypoints": points, **size_of},
        "flat": lambda: openpose(points, **more),
        "shares": lambda: [openpose(as_shares, **more)],
        "body25": lambda: openpose(body25(pose), **more),
        "coco": lambda: [{"image_id": 1, "keypoints": flat(coco(pose)), **size_of}],
        "named": lambda: {"joints": [{"name": n, "x": p[0], "y": p[1]} for n, p in zip(COCO, coco(pose), strict=True)]},
    }[kind]()  # fmt: skip
    try:
        found = read_pose(content, size)
    except InputError as error:
        assert "\n" not in str(error)
        return
    expected = pose.copy()
    if kind in ("coco", "named"):  # without a neck of its own
        shoulders = expected[[JOINT["right_shoulder"], JOINT["left_shoulder"]]]
        expected[JOINT["neck"]] = np.r_[shoulders[:, :2].mean(0), 1]
    assert away(found, expected) < 0.01 * max(size)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=20)
        | st.dictionaries(
            st.sampled_from(["people", "keypoints", "pose_keypoints_2d", "scores", "size", "landmarks", "images", "a",
                             "annotations", "bodies", "candidate", "subset", "width", "height", "x", "y", "nose"]),
            inner, max_size=5,
        )
    ),
    max_leaves=60,
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(ANYTHING)
def test_anything_is_a_pose_or_is_refused_with_one_line(content):
    try:
        pose = read_pose(encoded(content), SIZE)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert pose.shape == (18, 3) and np.isfinite(pose[visible(pose)]).all() and visible(pose).any()


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(FILES)), st.data())
def test_a_damaged_file_is_refused_or_still_holds_its_numbers(name, data):
    whole = encoded(FILES[name](NECKLESS))
    cut = data.draw(st.integers(0, len(whole)))
    try:
        pose = read_pose(whole[:cut], SIZE)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert away(pose, NECKLESS) < 0.6
