"""The command line: what it refuses and how, and what it writes."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pise_core import images
from pise_core.cli import main as cli
from pise_core.parsing_files import read_parsing
from pise_core.pose_files import encode_pose, read_pose
from pise_core.regions import PALETTE, REGION, REGIONS
from pise_core.skeleton import JOINT
from tests.pose_files_of_others import FILES, SIZE, TRUTH, encoded

ROOT = Path(__file__).resolve().parent.parent


def run(*arguments, **environment):
    """The real command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "pise_core", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )


def refused(capsys, *arguments) -> str:
    """The one line on stderr with which a command line is refused."""
    try:
        status = cli.main([str(argument) for argument in arguments])
    except SystemExit as leaving:  # argparse's way
        status = leaving.code
    output = capsys.readouterr()
    assert status == 2
    assert output.err.count("\n") == 1 and output.err.endswith("\n"), output.err
    assert output.out == ""
    return output.err


@pytest.fixture
def photo(tmp_path, person):
    path = tmp_path / "photo.png"
    images.write_image(path, person.photo)
    return path


def test_help_answers_at_once_and_imports_nothing_heavy():
    code = "import sys, pise_core.cli.main as c\ntry: c.main(['--help'])\nexcept SystemExit: pass\n"
    code += "print([m for m in ('torch', 'cv2', 'transformers', 'gradio') if m in sys.modules])"
    start = time.time()
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert result.stdout.strip().endswith("[]"), result.stdout + result.stderr
    assert time.time() - start < 10
    for command in ("analyze", "edit", "prepare", "train"):
        assert command in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "COMMAND"),
        (["paint"], "paint"),
        (["analyze"], "PHOTO"),
        (["analyze", "a.jpg"], "--out"),
        (["edit", "a.jpg"], "--out"),
        (["edit", "a.jpg", "--out", "b.png", "--pose", "p.json", "--pose-from", "c.jpg"], "not allowed"),
        (["edit", "a.jpg", "--out", "b.png", "--nonsense"], "nonsense"),
        (["edit", "a.jpg", "--out", "b.png", "--detector", "guess"], "guess"),
        (["edit", "a.jpg", "--out", "b.png", "--style", "hair"], "REGION=REFERENCE"),
        (["edit", "a.jpg", "--out", "b.png", "--style", "=b.jpg"], "REGION=REFERENCE"),
        (["edit", "a.jpg", "--out", "b.png", "--style", "hair="], "REGION=REFERENCE"),
        (["edit", "a.jpg", "--out", "b.png", "--style", "hair=b.jpg:1.5"], "from 0 to 1"),
        (["edit", "a.jpg", "--out", "b.png", "--style", "hair=b.jpg:-0.1"], "from 0 to 1"),
        (["edit", "a.jpg", "--out", "b.png", "--style", "hair=b.jpg:nan"], "from 0 to 1"),
        (["train", "--nonsense"], ""),
        (["prepare"], "source"),
    ],
)
def test_wrong_command_lines_are_refused_in_one_line(capsys, arguments, message):
    assert message in refused(capsys, *arguments)


def test_a_refusal_is_one_line_and_status_2_for_the_shell_too():
    result = run("edit", "no\nsuch.jpg", "--out", "b.png")
    assert result.returncode == 2 and result.stdout == ""
    assert result.stderr == "error: there is no file no such.jpg\n"


@pytest.mark.parametrize(
    ("text", "region", "path", "alpha"),
    [
        ("hair=b.jpg", "hair", "b.jpg", 1.0),
        ("hair=b.jpg:0.25", "hair", "b.jpg", 0.25),
        ("hair=b.jpg:1", "hair", "b.jpg", 1.0),
        ("hair=b.jpg:.5", "hair", "b.jpg", 0.5),
        ("hair=C:\\photos\\b.jpg", "hair", "C:\\photos\\b.jpg", 1.0),
        ("hair=C:\\photos\\b.jpg:0.5", "hair", "C:\\photos\\b.jpg", 0.5),
        ("hair=12:30 at the sea.jpg", "hair", "12:30 at the sea.jpg", 1.0),
        ("hair=12:30 at the sea.jpg:0.5", "hair", "12:30 at the sea.jpg", 0.5),
        ("hair=a=b.jpg:0", "hair", "a=b.jpg", 0.0),
    ],
)
def test_styles_are_read_from_the_last_colon(text, region, path, alpha):
    assert cli._style(text) == (region, Path(path), alpha)


def test_bad_inputs_of_edit_are_refused_before_any_network_is_loaded(capsys, tmp_path, photo, person):
    out = tmp_path / "out.png"
    text = tmp_path / "text.jpg"
    text.write_text("no picture")
    small = tmp_path / "small.png"
    images.write_parsing(small, person.parsing[:100, :100])
    bare = tmp_path / "bare.png"
    images.write_parsing(bare, np.zeros_like(person.parsing))
    labels = tmp_path / "labels.png"
    Image.fromarray(np.full((330, 220), 12, np.uint8)).save(labels)
    high = tmp_path / "high.png"
    images.write_image(high, person.photo)
    pose = tmp_path / "pose.json"
    pose.write_text(encode_pose(person.pose, (220, 330)))
    empty = tmp_path / "empty.json"
    empty.write_text(json.dumps({"keypoints": [None] * 18}))
    nobody = tmp_path / "nobody.json"
    nobody.write_text(json.dumps({"people": [], "animals": [[1, 2, 3]]}))
    one = tmp_path / "one.json"
    one.write_bytes(encoded(FILES["comfyui"](TRUTH)))
    binary = tmp_path / "binary.json"
    binary.write_bytes(bytes(range(256)))
    # Weights that aren't there prove that none of these gets so far.
    tail = ("--weights", tmp_path / "none")
    for arguments, message in (
        ((tmp_path / "none.jpg", "--out", out), "there is no file"),
        ((text, "--out", out), "text.jpg is not a JPEG, PNG or WebP"),
        ((tmp_path, "--out", out), "can't be read"),
        ((photo, "--out", tmp_path / "out.gif"), ".gif"),
        ((photo, "--out", tmp_path / "out"), "can't write a picture as ''"),
        ((photo, "--out", tmp_path / "no folder" / "out.png"), "there is no folder"),
        ((photo, "--out", photo / "out.png"), "can't write"),
        ((photo, "--out", out, "--pose", tmp_path / "none.json"), "there is no file"),
        ((photo, "--out", out, "--pose", tmp_path), "can't be read"),
        ((photo, "--out", out, "--pose", text), "text.jpg is not valid JSON"),
        ((photo, "--out", out, "--pose", binary), "binary.json"),
        ((photo, "--out", out, "--pose", empty), "empty.json shows nobody"),
        ((photo, "--out", out, "--pose", nobody), "nobody.json shows nobody"),
        ((photo, "--out", out, "--pose", one, "--pose-person", 3), "there it shows 1 person, counted from 0"),
        ((photo, "--out", out, "--pose", one, "--pose-frame", 1), "no picture 1"),
        ((photo, "--out", out, "--pose-person", 0), "give --pose, too"),
        ((photo, "--out", out, "--pose-from", text), "text.jpg is not"),
        ((photo, "--out", out, "--parsing", small), "100x100, the photo 220x330"),
        ((photo, "--out", out, "--parsing", high), "none of the eight regions"),
        ((photo, "--out", out, "--parsing", labels), "index 12"),
        ((photo, "--out", out, "--parsing", bare), "bare.png shows nobody"),
        ((photo, "--out", out, "--parsing", labels, "--table", "schp"), "atr, lip, cihp"),
        ((photo, "--out", out, "--table", "lip"), "give --parsing, too"),
        ((photo, "--out", out, "--parsing", tmp_path / "none.png"), "there is no file"),
        ((photo, "--out", out, "--style", f"hat={photo}"), "no region is called 'hat'"),
        ((photo, "--out", out, "--style", f"hair={tmp_path / 'none.jpg'}"), "there is no file"),
        ((photo, "--out", out, "--style", f"hair={photo}:0.7", "--style", f"hair={photo}:0.4"), "add up to 1.1"),
    ):
        assert message in refused(capsys, "edit", *arguments, *tail), message
    assert not out.exists()


def test_bad_inputs_of_analyze_are_refused(capsys, tmp_path, photo):
    twin = tmp_path / "elsewhere"
    twin.mkdir()
    images.write_image(twin / "photo.jpg", np.zeros((32, 32, 3), np.uint8))
    file = tmp_path / "file"
    file.write_text("in the way")
    for arguments, message in (
        ((tmp_path / "none.jpg", "--out", tmp_path / "out"), "there is no file"),
        ((photo, twin / "photo.jpg", "--out", tmp_path / "out"), "rename one of them"),
        ((photo, photo, "--out", tmp_path / "out"), "twice"),
        ((photo, "--out", file), "file"),
        ((photo, "--out", file / "below"), "file"),
    ):
        assert message in refused(capsys, "analyze", *arguments, "--weights", tmp_path / "none"), message
    assert not (tmp_path / "out").exists()


def test_without_an_edit_the_output_equals_the_input(capsys, tmp_path, photo, person):
    for name in ("same.png", "same.webp"):
        assert cli.main(["edit", str(photo), "--out", str(tmp_path / name)]) == 0
        assert capsys.readouterr().out.strip() == str(tmp_path / name)
        assert np.array_equal(images.read_image(tmp_path / name), person.photo)


def test_what_is_done_is_said_on_stderr_where_it_is_asked(capsys, weights, photo, tmp_path):
    command = ["edit", str(photo), "--parsing", str(tmp_path / "map.png"), "--out", str(tmp_path / "out.png")]
    labels = np.zeros(images.read_image(photo).shape[:2], np.uint8)
    labels[100:120, 100:120] = REGION["upper_clothes"]
    images.write_parsing(tmp_path / "map.png", labels)
    for more, told in (([], False), (["--verbose"], True)):
        assert cli.main([*command, "--weights", str(weights), *more]) == 0
        output = capsys.readouterr()
        assert output.out == f"{tmp_path / 'out.png'}\n"
        assert ("pise_core.editor: loading weights" in output.err) == told


def test_missing_weights_are_told(capsys, tmp_path, photo):
    out = tmp_path / "out.png"
    tail = ("--style", f"hair={photo}", "--weights", tmp_path / "none")
    assert "weights" in refused(capsys, "edit", photo, "--out", out, *tail)
    assert "weights" in refused(capsys, "analyze", photo, "--out", tmp_path / "out", "--weights", tmp_path / "none")


# From here on the real networks work, on drawn people.


@pytest.fixture(scope="module")
def studio(tmp_path_factory, weights, person, other_person):
    """A folder with photo.png, other.png, nobody.png, and what analyze says of the first two."""
    folder = tmp_path_factory.mktemp("studio")
    images.write_image(folder / "photo.png", person.photo)
    images.write_image(folder / "other.png", other_person.photo)
    rows = np.linspace(90, 190, 300).astype(np.uint8)
    images.write_image(folder / "nobody.png", np.broadcast_to(rows[:, None, None], (300, 200, 3)))
    command = ["analyze", folder / "photo.png", folder / "other.png", "--out", folder / "seen", "--weights", weights]
    assert cli.main([*map(str, command), "--device", "cpu"]) == 0
    return folder


def edited(studio, weights, *arguments, name="out.png"):
    command = ["edit", studio / "photo.png", *arguments, "--out", studio / name, "--weights", weights]
    assert cli.main([*map(str, command), "--device", "cpu"]) == 0
    return images.read_image(studio / name)


def raised(pose):
    """The pose with the right forearm pointing up."""
    pose = pose.copy()
    elbow, wrist = JOINT["right_elbow"], JOINT["right_wrist"]
    pose[wrist, :2] = pose[elbow, :2] - np.array((0.3, 0.95)) * np.linalg.norm(pose[wrist, :2] - pose[elbow, :2])
    return pose


def seen_pose(studio, stem="photo"):
    return read_pose(studio / "seen" / stem / "pose.json", (220, 330))


def test_analyze_writes_joints_regions_and_names(studio, person, other_person):
    for stem, drawn in (("photo", person), ("other", other_person)):
        folder = studio / "seen" / stem
        assert {path.name for path in folder.iterdir()} == {"pose.json", "parsing.png", "regions.json"}
        data = json.loads((folder / "pose.json").read_text())
        height, width = drawn.photo.shape[:2]
        assert set(data) == {"size", "unit", "keypoints"} and len(data["keypoints"]) == 18
        assert data["size"] == [width, height] and data["unit"] == "pixels"
        assert all(row is None or len(row) == 3 for row in data["keypoints"])
        assert json.loads((folder / "regions.json").read_text()) == list(REGIONS)
        parsing = read_parsing(folder / "parsing.png", (width, height))
        assert ((parsing > 0) == (drawn.parsing > 0)).mean() > 0.9
        pose = read_pose(folder / "pose.json", (width, height))
        for name in ("nose", "neck", "right_shoulder", "left_elbow", "right_wrist"):
            assert np.linalg.norm(pose[JOINT[name], :2] - drawn.pose[JOINT[name], :2]) < 0.06 * height, name


def test_a_photo_with_nobody_in_it_is_told_and_costs_the_others_nothing(capsys, studio, weights, tmp_path):
    tail = ("--out", tmp_path / "out", "--weights", weights)
    message = refused(capsys, "analyze", studio / "nobody.png", *tail)
    assert "nobody.png: no person was found" in message
    status = cli.main([str(a) for a in ("analyze", studio / "nobody.png", studio / "photo.png", *tail)])
    output = capsys.readouterr()
    assert status == 2 and output.err.count("\n") == 1 and "nobody.png" in output.err
    assert output.out.strip() == str(tmp_path / "out" / "photo")
    assert (tmp_path / "out" / "photo" / "pose.json").exists() and not (tmp_path / "out" / "nobody").exists()
    out = ("--out", tmp_path / "out.png", "--weights", weights)
    for arguments in (
        (studio / "nobody.png", "--style", f"pants={studio / 'other.png'}"),
        (studio / "photo.png", "--style", f"pants={studio / 'nobody.png'}"),
        (studio / "photo.png", "--pose-from", studio / "nobody.png"),
    ):
        assert "nobody.png: no person was found" in refused(capsys, "edit", *arguments, *out)
    assert not (tmp_path / "out.png").exists()


def test_edits_that_ask_for_nothing_change_nothing(studio, weights, person):
    for arguments in (
        ("--pose", studio / "seen" / "photo" / "pose.json"),
        ("--parsing", studio / "seen" / "photo" / "parsing.png"),
        ("--style", f"upper_clothes={studio / 'other.png'}:0"),
        ("--pose-from", studio / "photo.png"),
    ):
        assert np.array_equal(edited(studio, weights, *arguments), person.photo), arguments


def test_a_raised_forearm_changes_that_side_only_and_twice_the_same(studio, weights, person):
    pose = raised(seen_pose(studio))
    (studio / "raised.json").write_text(encode_pose(pose, (220, 330)))
    photo = edited(studio, weights, "--pose", studio / "raised.json")
    assert photo.shape == person.photo.shape
    changed = (photo != person.photo).any(2)
    assert changed.any() and not changed[:, 130:].any()
    elbow = pose[JOINT["right_elbow"], :2].astype(int)
    wrist = pose[JOINT["right_wrist"], :2].astype(int)
    assert changed[wrist[1] : elbow[1], wrist[0] - 8 : elbow[0] + 8].any()
    assert np.array_equal(edited(studio, weights, "--pose", studio / "raised.json", name="again.png"), photo)


def test_a_pose_of_another_size_is_scaled_to_the_photo(studio, weights):
    pose = raised(seen_pose(studio)).astype(np.float64)
    (studio / "one.json").write_text(encode_pose(pose, (220, 330)))
    large = pose * (10, 10, 1)
    (studio / "large.json").write_text(encode_pose(large, (2200, 3300)))
    one, other = (edited(studio, weights, "--pose", studio / name) for name in ("one.json", "large.json"))
    assert np.abs(one.astype(int) - other).mean() < 0.5


def test_poses_of_other_programs_are_those_of_ours(studio, weights, person):
    pose = raised(seen_pose(studio)).astype(np.float64)
    neck = pose[[JOINT["right_shoulder"], JOINT["left_shoulder"]], :2].mean(0)
    pose[JOINT["neck"], :2] = neck
    pose[:, 2] = 1
    # The files are for pictures of another size and the same shape.
    large = pose * (SIZE[0] / 220, SIZE[1] / 330, 1)
    (studio / "ours.json").write_text(encode_pose(pose, (220, 330)))
    ours = edited(studio, weights, "--pose", studio / "ours.json").astype(int)
    for name in ("controlnet", "comfyui as shares", "coco annotations"):
        (studio / "other.json").write_bytes(encoded(FILES[name](large)))
        assert np.abs(edited(studio, weights, "--pose", studio / "other.json") - ours).mean() < 0.5, name


def test_a_pose_of_a_picture_of_another_shape_is_fitted(studio, weights):
    pose = raised(seen_pose(studio)).astype(np.float64)
    (studio / "one.json").write_text(encode_pose(pose, (220, 330)))
    (studio / "wide.json").write_text(encode_pose(pose * (2, 2, 1) + (600, 0, 0), (1600, 660)))
    one, wide = (edited(studio, weights, "--pose", studio / name) for name in ("one.json", "wide.json"))
    assert np.abs(one.astype(int) - wide).mean() < 1


@pytest.mark.parametrize("scale", (0.25, 0.35))
def test_a_pose_of_a_much_smaller_picture_that_does_not_say_so_is_fitted(studio, weights, scale):
    pose = raised(seen_pose(studio)).astype(np.float64)
    (studio / "one.json").write_text(encode_pose(pose, (220, 330)))
    (studio / "small.json").write_text(json.dumps({"keypoints": (pose * (scale, scale, 1)).tolist()}))
    one, small = (edited(studio, weights, "--pose", studio / name) for name in ("one.json", "small.json"))
    assert np.abs(one.astype(int) - small).mean() < 1


def test_another_persons_pose_is_taken_over(studio, weights, tmp_path, other_person):
    # The other person's photo, mirrored: the same pose up to what the analyzer sees differently.
    images.write_image(tmp_path / "mirrored.png", other_person.photo[:, ::-1])
    photo = edited(studio, weights, "--pose-from", tmp_path / "mirrored.png")
    assert photo.shape == (330, 220, 3)


def test_maps_of_other_programs_are_those_of_ours(studio, weights):
    painted = read_parsing(studio / "seen" / "photo" / "parsing.png")
    painted[(painted == REGION["upper_skin"]) & (np.arange(220)[None] < 90)] = REGION["upper_clothes"]
    images.write_parsing(studio / "ours.png", painted)
    ours = edited(studio, weights, "--parsing", studio / "ours.png")
    turned = Image.fromarray(7 - painted)
    turned.putpalette(PALETTE[::-1].tobytes())
    turned.save(studio / "turned.png")
    Image.fromarray(PALETTE[painted]).save(studio / "rgb.png")
    lip = np.array([0, 2, 13, 5, 6, 9, 14, 16], np.uint8)[painted]
    Image.fromarray(lip).save(studio / "lip.png")
    for arguments in (("turned.png",), ("rgb.png",), ("lip.png", "--table", "lip")):
        photo = edited(studio, weights, "--parsing", studio / arguments[0], *arguments[1:])
        assert np.array_equal(photo, ours), arguments


def test_a_painted_sleeve_changes_the_arm_and_a_seam_around_it(studio, weights, person):
    parsing = read_parsing(studio / "seen" / "photo" / "parsing.png")
    sleeve = (parsing == REGION["upper_skin"]) & (np.arange(220)[None] < 90)
    assert sleeve.sum() > 50
    painted = parsing.copy()
    painted[sleeve] = REGION["upper_clothes"]
    images.write_parsing(studio / "painted.png", painted)
    changed = (edited(studio, weights, "--parsing", studio / "painted.png") != person.photo).any(2)
    assert changed[sleeve].mean() > 0.5
    rows, columns = np.nonzero(sleeve)
    near = np.zeros_like(changed)
    near[max(rows.min() - 16, 0) : rows.max() + 17, max(columns.min() - 16, 0) : columns.max() + 17] = True
    assert not changed[~near].any()


def test_a_borrowed_shirt_changes_the_shirt_and_half_of_it_lies_between(studio, weights, person):
    reference = studio / "other.png"
    whole = edited(studio, weights, "--style", f"upper_clothes={reference}")
    half = edited(studio, weights, "--style", f"upper_clothes={reference}:0.5")
    quarters = edited(
        studio, weights, "--style", f"upper_clothes={reference}:.25", "--style", f"upper_clothes={reference}:.25"
    )
    parsing = read_parsing(studio / "seen" / "photo" / "parsing.png")
    shirt = parsing == REGION["upper_clothes"]
    assert (whole != person.photo).any(2)[shirt].mean() > 0.5
    assert not (whole != person.photo).any(2)[300:].any()
    assert (half != whole).any() and (half != person.photo).any()
    assert np.abs(quarters.astype(int) - half).max() <= 2


def test_the_detail_path_can_be_switched_off(studio, weights):
    with_detail = edited(studio, weights, "--pose", studio / "raised.json")
    without = edited(studio, weights, "--pose", studio / "raised.json", "--no-detail")
    assert with_detail.shape == without.shape and (with_detail != without).any()


def test_the_background_has_no_style(capsys, studio, weights):
    out = ("--out", studio / "none.png", "--weights", weights)
    arguments = (studio / "photo.png", "--style", f"background={studio / 'other.png'}", *out)
    assert "background" in refused(capsys, "edit", *arguments)


def test_openpose_without_a_network_is_told_at_once(studio, weights, tmp_path):
    command = ("analyze", studio / "photo.png", "--out", tmp_path / "out", "--weights", weights)
    result = run(*command, "--detector", "openpose", HF_HOME=str(tmp_path), HF_ENDPOINT="http://127.0.0.1:9")
    assert result.returncode == 2 and "body_pose_model.pth" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_reader_who_has_seen_enough_is_no_error(photo, tmp_path):
    """As in "... | head": the work is done, and nobody is told about the pipe."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "pise_core", "edit", str(photo), "--out", str(tmp_path / "out.png")]
    result = subprocess.run(command, cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(writer)
    assert (result.returncode, result.stderr) == (1, "")
    assert (tmp_path / "out.png").exists()
