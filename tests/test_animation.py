"""Poses between key poses, and the files they become."""

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import av
import cv2
import numpy as np
import pytest
from PIL import Image, ImageSequence
from playwright.sync_api import sync_playwright

from pise_core.document import Motion
from pise_core.document.file_reader import read
from pise_core.document.motion import encode_gif, encode_mp4, interpolate, motion_poses, places
from pise_core.errors import InputError
from pise_core.pose import default_skeleton, visible
from pise_core.skeleton import LIMBS
from tests.conftest import chromium_path


def turned(pose, joints, centre, degrees):
    angle = np.radians(degrees)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    out = pose.copy()
    out[joints, :2] = (pose[joints, :2] - pose[centre, :2]) @ rotation.T + pose[centre, :2]
    return out


@pytest.fixture
def standing():
    return default_skeleton((20, 20, 180, 320))


def lengths(pose):
    return np.array([np.hypot(*(pose[a, :2] - pose[b, :2])) for a, b in LIMBS])


def test_limbs_swing_and_keep_their_lengths(standing):
    raised = turned(standing, [3, 4], 2, 150)
    poses = interpolate([standing, raised], 10)
    assert len(poses) == 11
    assert np.allclose(poses[0][:, :2], standing[:, :2], atol=1e-3)
    assert np.allclose(poses[-1][:, :2], raised[:, :2], atol=1e-3)
    for pose in poses:
        assert np.allclose(lengths(pose), lengths(standing), rtol=1e-3)
    halfway = turned(standing, [3, 4], 2, 75)
    assert np.allclose(poses[5][:, :2], halfway[:, :2], atol=0.5)


def test_bones_turn_the_shorter_way_round(standing):
    low, high = turned(standing, [3, 4], 2, 80), turned(standing, [3, 4], 2, 200)  # across the angle of 180 degrees
    angles = [np.arctan2(*(pose[3, :2] - pose[2, :2])[::-1]) for pose in interpolate([low, high], 8)]
    turns = np.degrees(np.diff(np.unwrap(angles)))
    assert (turns > 0).all() and turns.sum() == pytest.approx(120, abs=0.5)


def test_each_key_has_its_time_and_ways_are_eased(standing):
    keys = (standing, turned(standing, [3, 4], 2, 60), turned(standing, [6, 7], 5, -90))
    even = Motion(keys, 0.5, False)
    assert np.allclose(places(even), np.arange(13) / 6)
    assert np.allclose(motion_poses(even), interpolate(keys, 6), atol=1e-4, equal_nan=True)
    slow = replace(even, times=(1.0, 3.0, 1.0))
    assert [int(np.floor(place)) for place in places(slow)] == [0] * 6 + [1] * 18 + [2]
    assert len(places(replace(slow, loop=True))) == 6 + 18 + 6
    for easing, quarter in (("gentle", 0.15625), ("faster", 0.0625), ("slower", 0.4375)):
        way = places(replace(even, seconds=1.0, easing=easing))
        assert way[3] == quarter and way[12] == 1 and (np.diff(way) > 0).all() and way[-1] == 2
    poses = motion_poses(replace(slow, easing="gentle"))
    assert np.allclose(poses[6][:, :2], keys[1][:, :2], atol=1e-3) and len(poses) == 25


@pytest.mark.parametrize(
    ("times", "easing", "said"),
    [([1.0], "even", "each key pose"), ([1, 9], "even", "each key pose"), ("11", "even", "each key pose"),
     ([1, True], "even", "each key pose"), (None, "bouncing", "even, gentle")],
)  # fmt: skip
def test_times_and_easings_that_make_no_sense_are_refused(document, standing, times, easing, said):
    with pytest.raises(InputError, match=said):
        document.set_motion([standing, standing], 1.0, True, times, easing)
    assert not document.can_undo


def test_times_and_easing_are_a_step_and_are_kept(document, standing, tmp_path):
    keys = [standing, turned(standing, [3, 4], 2, 60)]
    document.set_motion(keys, 1.0, True)
    document.set_motion(keys, 1.0, True, [1, 1])
    assert document.steps == (["motion"], 1)  # all the same is none
    document.set_motion(keys, 1.0, True, [0.5, 2], "gentle")
    assert document.steps == (["motion", "motion"], 2)
    document.save(tmp_path / "motion.pise")
    motion = read(tmp_path / "motion.pise").history[2].motion
    assert motion.times == (0.5, 2.0) and motion.easing == "gentle" and motion.same(document.edits.motion)


def test_a_loop_comes_back_and_every_key_is_met(standing):
    keys = [standing, turned(standing, [3, 4], 2, 60), turned(standing, [6, 7], 5, -90)]
    poses = interpolate(keys, 6, loop=True)
    assert len(poses) == 18
    for number, key in enumerate(keys):
        assert np.allclose(poses[6 * number][:, :2], key[:, :2], atol=1e-3)
    steps = [np.abs(a[:, :2] - b[:, :2]).max() for a, b in zip(poses, poses[1:] + poses[:1], strict=True)]
    assert max(steps) < 0.5 * np.abs(keys[0][:, :2] - keys[1][:, :2]).max()  # no jump, at the seam neither


def test_a_joint_is_there_between_keys_that_have_it(standing):
    without = standing.copy()
    without[4] = np.nan, np.nan, 0
    poses = interpolate([standing, standing, without], 4)
    assert [bool(visible(pose)[4]) for pose in poses] == [True] * 5 + [False] * 4
    assert all(visible(pose)[7] for pose in poses)


def test_too_little_to_move_is_refused(standing):
    headless = standing.copy()
    headless[1] = np.nan, np.nan, 0
    for keys, steps, message in (
        ([standing], 4, "two key"),
        ([standing] * 2, 0, "one step"),
        ([headless] * 2, 4, "neck"),
    ):
        with pytest.raises(InputError, match=message):
            interpolate(keys, steps)
    for encode in (encode_gif, encode_mp4):
        with pytest.raises(InputError, match="one picture"):
            encode([], 12)


def frames():
    pictures = []
    for number in range(6):
        picture = np.full((75, 51, 3), 210, np.uint8)
        cv2.circle(picture, (10 + 5 * number, 30), 8, (200, 40, 40), -1)
        pictures.append(picture)
    return pictures


def test_a_gif_plays_for_ever_at_the_given_pace():
    with Image.open(io.BytesIO(encode_gif(frames(), 10))) as gif:
        assert len(list(ImageSequence.Iterator(gif))) == 6 and gif.info["duration"] == 100 and gif.info["loop"] == 0
        gif.seek(5)
        shown = np.array(gif.convert("RGB")).astype(int)
    assert np.abs(shown - frames()[5]).mean() < 4


def test_an_mp4_plays_everywhere_and_shows_the_pictures():
    data = encode_mp4(frames(), 12)
    assert data == encode_mp4(frames(), 12)
    assert data.index(b"moov") < data.index(b"mdat")  # it plays while it is still loading
    with av.open(io.BytesIO(data), "r") as video:
        stream = video.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert stream.average_rate == 12
        read = [frame.to_ndarray(format="rgb24").astype(int) for frame in video.decode(video=0)]
    assert len(read) == 6 and read[0].shape == (74, 50, 3)
    assert np.abs(read[5] - frames()[5][:74, :50]).mean() < 8


#: Red, jeans, skin and grass in quarters.
COLOURS = [(200, 30, 60), (84, 107, 150), (222, 170, 140), (60, 150, 60)]


def plain(height):
    picture = np.empty((height, 320, 3), np.uint8)
    for number, colour in enumerate(COLOURS):
        picture[:, 80 * number : 80 * (number + 1)] = colour
    return picture


@pytest.mark.parametrize("height", [640, 1280])
def test_an_mp4_names_its_colours_and_keeps_them_in_a_browser(height, tmp_path):
    (tmp_path / "motion.mp4").write_bytes(encode_mp4([plain(height)] * 6, 12))
    with av.open(str(tmp_path / "motion.mp4")) as video:
        coded = video.streams.video[0].codec_context
        assert (coded.colorspace, coded.color_primaries, coded.color_trc, coded.color_range) == (1, 1, 1, 1)
    (tmp_path / "page.html").write_text('<video src="motion.mp4" muted></video>')

    def picture():
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
            page = browser.new_page()
            page.goto((tmp_path / "page.html").as_uri())
            shot = page.screenshot(clip=page.evaluate(_SEEN))
            browser.close()
        return shot

    with ThreadPoolExecutor(1) as pool:  # the browser tests' own event loop may be running in this thread
        shot = Image.open(io.BytesIO(pool.submit(picture).result()))
    seen = np.asarray(shot.convert("RGB")).astype(int)
    middle = seen[seen.shape[0] // 2]
    for number, colour in enumerate(COLOURS):
        assert np.abs(middle[80 * number + 40] - colour).max() <= 4, (height, colour)


#: The video's first picture is on show: where.
_SEEN = """() => new Promise((resolve, reject) => {
    document.body.style.margin = "0";
    const video = document.querySelector("video");
    video.onerror = () => reject(new Error("the video can't be played"));
    const done = () => video.requestVideoFrameCallback(() => setTimeout(() => {
        resolve({ x: 0, y: 0, width: video.clientWidth, height: Math.min(600, video.clientHeight) });
    }, 200));
    video.onloadeddata = () => { done(); video.currentTime = 0.1; };
    if (video.readyState >= 2) video.onloadeddata();
})"""


def test_a_gif_keeps_small_areas_of_saturated_colour():
    picture = np.full((320, 240, 3), 255, np.uint8)
    picture[:200] = np.linspace(120, 255, 240)[None, :, None]
    picture = np.clip(picture + np.random.default_rng(0).normal(0, 4, picture.shape), 0, 255).astype(np.uint8)
    picture[250:262, 100:112], picture[270:280, 20:30] = COLOURS[1], COLOURS[0]
    with Image.open(io.BytesIO(encode_gif([picture] * 3, 10))) as gif:
        shown = np.array(gif.convert("RGB")).astype(int)
    assert np.abs(shown[250:262, 100:112].mean((0, 1)) - COLOURS[1]).max() < 3
    assert np.abs(shown[270:280, 20:30].mean((0, 1)) - COLOURS[0]).max() < 3
