"""Key poses are played in the browser, and saved as GIF and MP4."""

import io
import json

import pytest
from PIL import Image, ImageSequence
from playwright.sync_api import expect
from test_desktop import DESKTOP, open_example
from test_phone import PHONE

from pise_core.document.motion import encode_mp4
from tests.conftest import draw_person
from tests.pose_files_of_others import FILES, TRUTH


@pytest.mark.parametrize(("name", "size"), [("desktop", DESKTOP), ("phone", PHONE)])
def test_key_poses_become_a_motion(visit, name, size):
    visitor = visit(f"motion-{name}", **size)
    page = visitor.page
    open_example(visitor, 0)
    keys = page.locator("#motion #keys li")
    for count, preset in enumerate((0, 1, 4), 1):
        page.get_by_role("tab", name="Pose").click()
        visitor.after(lambda number=preset: page.locator("#pose [data-preset]").nth(number).click())
        page.get_by_role("tab", name="Motion").click()
        page.locator('#motion [data-do="add"]').click()
        keys.nth(count - 1).wait_for()
    page.locator("#motion [data-remove]").nth(1).click()
    keys.nth(2).wait_for(state="detached")
    page.locator('#bar [data-do="undo"]').click()
    keys.nth(2).wait_for()
    visitor.wait_for()
    page.locator('#bar [data-do="redo"]').click()
    keys.nth(2).wait_for(state="detached")
    visitor.wait_for()

    # Playing shows the carried parts; every picture is another one.
    page.locator("#motion #seconds").fill("0.4")
    page.locator('#motion [data-do="play"]').click()
    page.locator("#motion #carry").wait_for(state="visible")
    shown = page.locator("#motion #carry").evaluate("canvas => canvas.toDataURL()")
    page.wait_for_function(
        """before => document.querySelector("#motion .html-container > div").shadowRoot
          .querySelector("#carry").toDataURL() !== before""",
        arg=shown,
    )
    visitor.shoot("playing")
    page.locator('#motion [data-do="play"]').click()
    page.locator("#motion #carry").wait_for(state="hidden")

    with page.expect_download() as download:
        page.locator('#motion [data-save="gif"]').click()
    assert download.value.suggested_filename == "person-1-motion.gif"
    with Image.open(io.BytesIO(download.value.path().read_bytes())) as gif:
        assert len(list(ImageSequence.Iterator(gif))) == 10 and gif.size == (427, 640)
    visitor.wait_for()
    if name == "desktop":
        with page.expect_download() as download:
            page.locator('#motion [data-save="mp4"]').click()
        assert download.value.suggested_filename == "person-1-motion.mp4"
        plays = page.evaluate(
            """async bytes => {
              const video = document.createElement("video");
              video.src = URL.createObjectURL(new Blob([new Uint8Array(bytes)], { type: "video/mp4" }));
              await new Promise((done) => (video.onloadeddata = video.onerror = done));
              return video.videoWidth;
            }""",
            list(download.value.path().read_bytes()),
        )
        assert plays == 426  # a codec takes even sides only


@pytest.mark.parametrize(("name", "size"), [("desktop", DESKTOP), ("phone", PHONE)])
def test_each_key_has_its_time_and_the_motion_is_eased(visit, name, size):
    visitor = visit(f"motion-times-{name}", **size)
    page = visitor.page
    open_example(visitor, 0)
    keys = page.locator("#motion #keys li")
    for count, preset in enumerate((0, 4), 1):
        page.get_by_role("tab", name="Pose").click()
        visitor.after(lambda number=preset: page.locator("#pose [data-preset]").nth(number).click())
        page.get_by_role("tab", name="Motion").click()
        page.locator('#motion [data-do="add"]').click()
        keys.nth(count - 1).wait_for()
    page.locator("#motion #seconds").fill("0.3")
    page.locator("#motion #loop").uncheck()
    time = page.get_by_role("combobox", name="Time from key pose 1 to the next")
    expect(page.get_by_role("combobox", name="Time from key pose 2 to the next")).to_be_disabled()  # nothing follows
    time.select_option("2")
    page.locator("#motion #easing").select_option("gentle")
    visitor.wait_for()
    visitor.shoot("times")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["viewport"]["width"]
    with page.expect_download() as download:
        page.locator('#motion [data-save="gif"]').click()
    with Image.open(io.BytesIO(download.value.path().read_bytes())) as gif:
        assert len(list(ImageSequence.Iterator(gif))) == 8  # twice 0.3 seconds of 12 pictures, and the last one
    visitor.wait_for()
    page.locator('#bar [data-do="undo"]').click()
    page.wait_for_function(
        """() => document.querySelector("#motion .html-container > div").shadowRoot
          .querySelector("#easing").value === "even" """
    )
    expect(time).to_have_value("2")
    # The time goes along with its key.
    page.locator('#motion [data-right="0"]').click()
    page.wait_for_function(
        """() => document.querySelector("#motion .html-container > div").shadowRoot
          .querySelector("[data-time='1']").value === "2" """
    )


def test_a_clip_of_poses_becomes_key_poses(visit, tmp_path):
    visitor = visit("motion-clip", **DESKTOP)
    page = visitor.page
    open_example(visitor, 0)
    lowered = TRUTH.copy()
    lowered[4, :2] += (0, 150)
    pictures = [FILES["comfyui as shares"](pose)[0] for pose in (TRUTH, lowered, TRUTH)]
    (tmp_path / "clip.json").write_text(json.dumps(pictures))
    page.get_by_role("tab", name="Motion").click()
    page.locator("#motion #file").set_input_files(tmp_path / "clip.json")
    page.locator("#motion #keys li").nth(2).wait_for()
    expect(page.locator("#motion #keys li")).to_have_count(3)
    expect(page.locator("#motion #seconds")).to_have_value("0.5")
    expect(page.locator("#motion #loop")).not_to_be_checked()
    visitor.shoot("clip")


def test_a_video_becomes_key_poses(visit, tmp_path):
    visitor = visit("motion-video", **DESKTOP)
    page = visitor.page
    open_example(visitor, 0)
    places = [(20 + 12 * k, 20, 150 + 12 * k, 310) for k in range(4)]
    (tmp_path / "walk.mp4").write_bytes(encode_mp4([draw_person(240, 330, box).photo for box in places], 4))
    page.get_by_role("tab", name="Motion").click()
    page.locator("#motion #file").set_input_files(tmp_path / "walk.mp4")
    page.locator("#motion #keys li").nth(6).wait_for()
    page.locator("#motion #progress").wait_for(state="hidden")
    assert page.locator("#motion #keys li").count() in (7, 8)
    expect(page.locator("#motion #loop")).not_to_be_checked()
    (tmp_path / "none.mp4").write_bytes(b"no video")
    page.locator("#motion #file").set_input_files(tmp_path / "none.mp4")
    page.get_by_text("can't be read as a video").first.wait_for()
    assert page.locator("#motion #keys li").count() in (7, 8)
    visitor.shoot("video")
