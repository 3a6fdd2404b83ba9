"""Key poses and their pictures, without a browser: actions called as the page calls them."""

import json

import numpy as np
import pytest
from PIL import Image, ImageSequence

from pise_core.document.motion import encode_mp4
from pise_core.errors import InputError
from pise_core.pose import to_rows
from pise_core.skeleton import JOINT
from tests.conftest import draw_person, moved, run, sent
from tests.pose_files_of_others import FILES, TRUTH


def clip(count):
    """A clip's poses as ComfyUI writes them: the right wrist goes up from picture to picture."""
    pictures = []
    for number in range(count):
        pose = TRUTH.copy()
        pose[JOINT["right_wrist"], :2] += (0, 120 * (1 - number / (count - 1)))
        pictures += FILES["comfyui as shares"](pose)
    return json.dumps(pictures)


def test_a_video_becomes_a_motion(studio, session):
    data = encode_mp4([draw_person(240, 330, (20 + 12 * k, 20, 150 + 12 * k, 310)).photo for k in range(4)], 4)
    path, told = sent(data, "walk.mp4"), []
    for update in studio.follow_clip(session, str(path)):
        told.append(update.get("motion", {}).get("progress"))
    keys = len(session.document.edits.motion.keys)
    assert keys in (7, 8) and [t["done"] for t in told if t] == list(range(1, keys + 1))
    assert len({t["of"] for t in told if t}) == 1
    assert told[-1] is False and not path.exists()  # the server keeps no copy
    before = session.document.edits.motion
    said = []
    for update in studio.follow_clip(session, str(sent(data, "walk.mp4"))):
        if update.get("motion", {}).get("progress"):
            session.stopped = True
        said.append(update.get("bar", {}).get("status", {}).get("text", ""))
    assert session.document.edits.motion is before and any("Stopped" in text for text in said)
    with pytest.raises(InputError, match="can't be read as a video"):
        run(studio.follow_clip(session, str(sent(b"nothing", "walk.mp4"))))
    assert session.document.edits.motion is before


def test_a_clip_of_poses_becomes_a_motion(studio, session):
    page = run(studio.commit_motion(session, {"seq": 1, "text": clip(5)}))
    motion = session.document.edits.motion
    assert len(motion.keys) == 5 and motion.seconds == 0.5 and not motion.loop
    assert len(page["motion"]["motion"]["keys"]) == 5
    heights = [key[JOINT["right_wrist"], 1] for key in motion.keys]
    assert heights == sorted(heights, reverse=True) and heights[0] > heights[-1] + 5
    hips = [key[[8, 11], :2].mean(0) for key in motion.keys]
    assert np.allclose(hips, session.document.person.pose[[8, 11], :2].mean(0), atol=1)
    # A long one keeps its way and its time, in as many keys as there may be.
    run(studio.commit_motion(session, {"seq": 2, "text": clip(241)}))
    motion = session.document.edits.motion
    heights = [key[JOINT["right_wrist"], 1] for key in motion.keys]
    assert len(motion.keys) == 24 and heights == sorted(heights, reverse=True)
    assert motion.seconds * 23 == pytest.approx(10, rel=0.01)
    with pytest.raises(InputError, match="one picture only"):
        run(studio.commit_motion(session, {"seq": 3, "text": json.dumps(FILES["comfyui"](TRUTH))}))
    assert session.document.edits.motion is motion


def test_a_motion_is_an_edit_and_its_pictures_can_be_stopped(studio, session, person):
    motion = {"keys": [to_rows(person.pose), to_rows(moved(person))], "seconds": 0.25, "loop": False}
    page = run(studio.commit_motion(session, {"motion": motion}))
    assert len(page["motion"]["motion"]["keys"]) == 2 and len(page["motion"]["motion"]["poses"]) == 13
    assert session.document.can_undo and session.document.edits.none
    news = run(studio.save_motion(session, {"format": "gif", "size": "small"}))["bar"]["file"]
    with Image.open(news["url"].removeprefix("/gradio_api/file=")) as gif:
        assert len(list(ImageSequence.Iterator(gif))) == 4 and gif.size == (220, 330)
    updates = studio.save_motion(session, {"format": "mp4", "size": "large"})
    assert next(updates)["motion"]["progress"]["of"] == 4
    run(studio.stop_motion(session, {}))
    assert run(updates)["bar"]["status"]["text"].startswith("Stopped")
    run(studio.undo(session, {}))
    with pytest.raises(InputError, match="two key"):
        run(studio.save_motion(session, {"format": "gif", "size": "small"}))


def test_a_key_pose_that_is_added_while_a_picture_is_rendered_takes_away_no_download(studio, session, person):
    run(studio.commit_pose(session, {"keypoints": to_rows(moved(person))}))
    picture = studio.render(session)
    next(picture)
    motion = {"keys": [to_rows(person.pose)], "seconds": 0.5, "loop": True}
    told = run(studio.commit_motion(session, {"motion": motion}))["bar"]["status"]["text"]
    assert "add another" in told  # one alone can be neither played nor saved
    page = run(picture)
    assert page["download"]["interactive"] and page["bar"]["status"]["kind"] == "ok"
    assert page["pose"]["layers"]


def test_pictures_of_a_motion_wait_for_their_turns_one_by_one(studio, session, person, monkeypatch):
    monkeypatch.setattr(studio.line, "room", 1)  # however many cores there are
    motion = {"keys": [to_rows(person.pose), to_rows(moved(person))], "seconds": 0.25, "loop": False}
    run(studio.commit_motion(session, {"motion": motion}))
    asked = {"format": "gif", "size": "small"}
    motion = studio.save_motion(session, asked)
    assert next(motion)["motion"]["progress"]["done"] == 0
    first = studio.line.steps(iter(["made"] * 2))
    assert next(first) == "made"
    assert next(motion)["bar"]["status"]["text"] == "1 other request comes first…"
    list(first)
    assert next(motion)["motion"]["progress"]["done"] == 1
    assert list(studio.line.steps(iter(["between"]))) == ["between"]  # nobody waits for all of the motion
    assert run(motion)["bar"]["file"]

    waiting = studio.save_motion(session, asked)
    next(waiting)
    first = studio.line.steps(iter(["made"] * 2))
    next(first)
    next(waiting)
    run(studio.stop_motion(session, {}))
    page = run(waiting)  # although the other one is not done
    assert page["bar"]["status"]["text"].startswith("Stopped") and page["motion"]["progress"] is False
    assert list(first) == ["made"] and len(studio.line) == 0


def test_the_page_can_tell_an_answer_to_an_older_change_of_the_motion(studio, session, person):
    motion = {"keys": [to_rows(person.pose)], "seconds": 0.5, "loop": True}
    page = run(studio.commit_motion(session, {"seq": 7, "motion": motion}))
    assert page["motion"]["motion"]["seq"] == 7
    assert run(studio.undo(session, {"seq": 9}))["motion"]["motion"]["seq"] == 9
    assert run(studio.start(session))["motion"]["motion"]["seq"] is None  # of a page that was reloaded: always taken
    updates = studio.commit_motion(session, {"seq": 11, "motion": motion | {"seconds": 90}})
    refused = next(updates)["motion"]["motion"]
    assert (refused["seq"], refused["seconds"]) == (11, 1.0)  # what the page shows is put right
    with pytest.raises(InputError, match="seconds"):
        next(updates)
