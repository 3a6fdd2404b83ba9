"""Poses out of a video, smoothed, and the motion that they become."""

import io
import json
from typing import Any

import av
import numpy as np
import pytest

from pise_core import Document, InputError, NobodyFound
from pise_core.cli.main import main
from pise_core.detection.clip import MOST_PICTURES, Clip, smoothed
from pise_core.document.motion import encode_gif, encode_mp4
from pise_core.images import write_image
from pise_core.pose import default_skeleton, empty_pose, visible
from pise_core.pose_files import open_pose_file
from tests.conftest import draw_person


def across(count: int) -> list:
    """Drawn people, each a little to the right of the one before."""
    return [
        draw_person(360, 330, (30 + 160 * k / (count - 1), 26, 160 + 160 * k / (count - 1), 310)) for k in range(count)
    ]


@pytest.fixture(scope="module")
def walk():
    return across(8)


@pytest.fixture(scope="module")
def video(walk, tmp_path_factory):
    path = tmp_path_factory.mktemp("clips") / "walk.mp4"
    path.write_bytes(encode_mp4([drawn.photo for drawn in walk], 4))
    return path


def test_somebody_who_walks_is_followed(editor, walk, video):
    clip = editor.clip_poses(video)
    assert clip.size == (360, 330) and not clip.cut
    assert clip.seconds == pytest.approx(1 / 8, rel=0.05) and len(clip.poses) in (15, 16)
    for place, drawn in enumerate(walk):
        pose = clip.poses[min(2 * place, len(clip.poses) - 1)]
        there = visible(pose)
        assert there.sum() >= 12
        off = np.hypot(*(pose[there, :2] - drawn.pose[there, :2]).T)
        assert np.median(off) < 9, place
    # Evenly, without jitter: the neck's steps to the right are alike.
    necks = np.array([pose[1, 0] for pose in clip.poses])
    assert necks[-1] - necks[0] == pytest.approx(160, abs=16)
    assert np.diff(necks).min() > 0 and np.abs(np.diff(necks, 2)).max() < 6


@pytest.mark.parametrize("kind", ["gif", "webm", "turned"])
def test_other_containers_and_turned_clips(editor, walk, kind):
    pictures = [drawn.photo for drawn in walk[:3]]
    if kind == "gif":
        data = encode_gif(pictures, 4)
    elif kind == "webm":
        data = coded(pictures, "webm", "libvpx")
    else:  # as a phone does that is held sideways: stored turned to the left, with a note to turn it to the right
        data = coded([np.rot90(picture) for picture in pictures], "mp4", "libx264", turned=-90)
    clip = editor.clip_poses(data)
    assert clip.size == (360, 330)
    assert np.hypot(*(clip.poses[0][1, :2] - walk[0].pose[1, :2])) < 9


def coded(pictures, container: str, codec: str, turned: int = 0) -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as out:
        stream: Any = out.add_stream(codec, rate=4)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        if turned:
            stream.set_display_rotation(turned)
        for picture in pictures:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24")))
        out.mux(stream.encode())
    return buffer.getvalue()


def test_a_clip_becomes_a_motion_of_the_person(editor, known, person, video):
    document = Document.of(known)
    clip = editor.clip_poses(video)
    assert document.follow(clip.poses, clip.seconds) == len(clip.poses)
    motion = document.edits.motion
    assert motion.seconds == pytest.approx(clip.seconds) and not motion.loop and len(motion.keys) == len(clip.poses)
    for key in motion.keys:  # the person's own size, and in the person's place
        assert np.ptp(key[visible(key), 1]) == pytest.approx(np.ptp(person.pose[:, 1]), rel=0.15)
    document.undo()
    assert not document.edits.motion.keys


def test_the_pace_of_a_long_clip_stays(known, person):
    document = Document.of(known)
    poses = [person.pose] * 93
    nowhere = empty_pose()
    assert document.follow([*poses[:40], nowhere, *poses[41:]], 0.2) == 92
    motion = document.edits.motion
    assert len(motion.keys) == 24 and motion.seconds * 23 == pytest.approx(92 * 0.2, rel=0.01)
    with pytest.raises(InputError, match="too little of the person"):
        document.follow([person.pose, nowhere], 0.2)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "can't be read as a video"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "can't be read as a video"),
        (b"", "can't be read as a video"),
        (b"\x00" * 4000, "can't be read as a video"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt " + b"\x00" * 40, "can't be read as a video"),
    ],
)
def test_what_is_no_clip_is_refused_in_one_line(editor, data, says):
    with pytest.raises(InputError, match=says) as refused:
        editor.clip_poses(data)
    assert "\n" not in str(refused.value)


def test_clips_that_show_too_little_are_refused(editor, walk, video, tmp_path):
    wall = [np.full((200, 160, 3), 180, np.uint8)] * 4
    with pytest.raises(NobodyFound, match="nobody was found in the clip"):
        editor.clip_poses(encode_mp4(wall, 4))
    with pytest.raises(InputError, match="one picture only"):
        editor.clip_poses(encode_mp4([walk[0].photo], 8))
    torn = tmp_path / "torn.mp4"
    torn.write_bytes(video.read_bytes()[:2000])
    with pytest.raises(InputError, match="torn.mp4"):
        editor.clip_poses(torn)
    with pytest.raises(InputError, match="can't read"):
        editor.clip_poses(tmp_path / "none.mp4")


def test_of_a_long_clip_pictures_are_looked_at_evenly(editor, monkeypatch):
    seen = []
    monkeypatch.setattr("pise_core.detection.clip._seen", lambda analyzer, picture, *_: seen.append(picture.mean()))
    grey = [np.full((64, 48, 3), shade, np.uint8) for shade in range(250)]
    with pytest.raises(NobodyFound):
        editor.clip_poses(encode_mp4(grey, 10))
    assert len(seen) == MOST_PICTURES
    steps = np.diff(seen)
    assert seen[0] == pytest.approx(0, abs=3) and seen[-1] == pytest.approx(198, abs=4)  # the first 20 of 25 seconds
    assert steps.min() > 0 and steps.max() < 6


# ---- smoothing


def swinging(count: int, seconds: float) -> list[np.ndarray]:
    """A body whose right arm swings, a turn in three seconds."""
    poses = []
    for number in range(count):
        pose = default_skeleton((40, 20, 200, 420))
        pose[4, :2] = pose[2, :2] + 110 * np.array([np.cos(2.1 * number * seconds), np.sin(2.1 * number * seconds)])
        poses.append(pose)
    return poses


def test_jitter_is_halved_and_movement_stays():
    truth, random = swinging(40, 0.125), np.random.default_rng(4)
    noise = random.normal(0, 4, (40, 18, 2))
    noisy = [pose.copy() for pose in truth]
    for pose, off in zip(noisy, noise, strict=True):
        pose[:, :2] += off
    found = np.stack(smoothed(noisy, 0.125))[..., :2] - np.stack(truth)[..., :2]
    still = [joint for joint in range(18) if joint != 4]
    assert np.sqrt((found[:, still] ** 2).mean()) < 0.6 * np.sqrt((noise[:, still] ** 2).mean())
    assert np.sqrt((found[2:-2, 4] ** 2).mean()) < 8  # of a circle of 110 pixels
    same = np.stack(smoothed([truth[0]] * 9, 0.125))
    assert np.allclose(same[..., :2], truth[0][:, :2], atol=1e-3)


def test_a_jump_is_left_out_and_a_short_gap_closed():
    truth = swinging(30, 0.125)
    poses = [pose.copy() for pose in truth]
    poses[10][7, :2] += (90, -70)  # for one picture the left wrist is taken for something else
    for number in (15, 16, 17):
        poses[number][4] = np.nan, np.nan, 0
    for number in range(20, 28):
        poses[number][13] = np.nan, np.nan, 0
    found = smoothed(poses, 0.125)
    assert np.hypot(*(found[10][7, :2] - truth[10][7, :2])) < 1
    for number in (15, 16, 17):
        assert np.hypot(*(found[number][4, :2] - truth[number][4, :2])) < 22
    assert [bool(visible(found[number])[13]) for number in (19, 20, 24, 27, 28)] == [True, False, False, False, True]


# ---- the command


def test_animate_writes_the_motion_the_poses_and_a_document(video, photo_path, tmp_path, capsys):
    document, poses = tmp_path / "walk.pise", tmp_path / "walk.json"
    assert (
        main(["animate", str(photo_path), "--motion", str(video), "--out", str(document), "--poses", str(poses)]) == 0
    )
    assert document.read_bytes() and len(json.loads(poses.read_text())) in (15, 16)
    assert len(open_pose_file(poses).motion((360, 330))) in (15, 16)
    short = tmp_path / "two.json"
    short.write_text(json.dumps(json.loads(poses.read_text())[:2]))
    out = tmp_path / "walk.gif"
    assert main(["animate", str(photo_path), "--motion", str(short), "--out", str(out)]) == 0
    assert out.read_bytes()[:4] == b"GIF8"
    assert capsys.readouterr().out.split("\n")[:2] == [str(document), str(out)]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--motion", "walk.mp4", "--out", "walk.png"], "can't write a motion as '.png'"),
        (["--motion", "walk.mp4", "--out", "none/walk.gif"], "there is no folder none"),
        (["--motion", "walk.json", "--out", "walk.gif", "--poses", "p.json"], "a file of poses already"),
        (["--motion", "walk.mp4", "--out", "walk.gif", "--poses", "p.txt"], "written as .json"),
        (["--motion", "none.json", "--out", "walk.gif"], "can't read none.json"),
    ],
)
def test_animate_refuses_before_it_works(arguments, says, person, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_image("me.png", person.photo)
    assert main(["animate", "me.png", *arguments]) == 2
    said = capsys.readouterr().err
    assert says in said and said.count("\n") == 1


def test_a_clip_in_a_format_that_nobody_knows_is_one_line(walk):
    unknown = encode_mp4([drawn.photo for drawn in walk[:2]], 4).replace(b"avc1", b"zzz1")
    with pytest.raises(InputError, match=r"^the clip is in a format that can't be decoded; [^\n]*$"):
        list(Clip(unknown).pictures())
