"""Several joints at once, and poses as files."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect
from pointing import centre, drag
from test_desktop import DESKTOP, open_example
from test_phone import PHONE

from tests.pose_files_of_others import FILES, TRUTH

_PEOPLE = Path(__file__).resolve().parents[2] / "app" / "examples" / "people"
_TALL = """([least, most]) => {
  const { clientHeight } = document.querySelector("#pose .html-container > div").shadowRoot.querySelector("#stage");
  return clientHeight >= least && clientHeight <= most;
}"""


@pytest.mark.parametrize(("name", "size"), [("desktop", DESKTOP), ("phone", PHONE)])
def test_several_joints_are_moved_scaled_turned_and_mirrored(visit, tmp_path, name, size):
    visitor = visit(f"pose-{name}", **size)
    page = visitor.page
    open_example(visitor, 0)
    page.get_by_role("button", name="Close the first steps").click()
    page.locator('#pose [data-do="all"]').click()
    expect(page.locator("#pose #joint")).to_have_value("several")

    def height():
        return visitor.joint("right_ankle")[1] - visitor.joint("neck")[1]

    # Scale by a corner, turn by the handle.
    before = height()
    corner = centre(page.locator("#pose #selection rect.handle").nth(0))
    middle = visitor.joint("right_hip")
    halfway = (corner[0] + middle[0]) / 2, (corner[1] + middle[1]) / 2
    visitor.after(lambda: drag(page, corner, halfway))
    assert 0.4 * before < height() < 0.75 * before
    upright = visitor.joint("neck")[0] - visitor.joint("right_ankle")[0]
    knob = centre(page.locator("#pose #selection circle.handle"))
    visitor.after(lambda: drag(page, knob, (knob[0] + 60, knob[1] + 10)))
    assert visitor.joint("neck")[0] - visitor.joint("right_ankle")[0] > upright + 20
    visitor.shoot("turned")
    for _ in range(2):
        visitor.after(lambda: page.locator('#bar [data-do="undo"]').click())
    assert height() == pytest.approx(before, abs=1)

    # A box around one arm, then the arm alone is moved by keys; the head is not.
    page.locator("#pose #stage").focus()
    page.keyboard.press("Escape")
    page.locator('#pose [data-do="marquee"]').click()
    (x0, y0), (x1, y1) = visitor.joint("left_elbow"), visitor.joint("left_wrist")
    rim = 0.4 * (y1 - y0)  # in reach of no other joint, at any size
    drag(page, (max(x0, x1) + rim, y0 - rim), (min(x0, x1) - rim, y1 + rim))
    expect(page.locator("#pose #joint option:checked")).to_have_text("2 joints", use_inner_text=True)
    nose = visitor.joint("nose")

    def nudge():
        page.locator("#pose #stage").focus()
        for _ in range(3):
            page.keyboard.press("Shift+ArrowRight")

    visitor.after(nudge)
    assert visitor.joint("left_wrist")[0] > x1 + 20 and visitor.joint("nose") == pytest.approx(nose, abs=1)
    page.keyboard.press("Escape")

    # The pose as a file, out and in again after it was mirrored.
    with page.expect_download() as download:
        page.locator('#pose [data-do="save"]').click()
    path = tmp_path / "pose.json"
    download.value.save_as(path)
    flat = json.loads(path.read_text())["people"][0]["pose_keypoints_2d"]
    assert len(flat) == 54

    def wrist(side):  # from the neck: the page may be scrolled
        (x, y), (nx, ny) = visitor.joint(f"{side}_wrist"), visitor.joint("neck")
        return x - nx, y - ny

    before = wrist("left")
    visitor.after(lambda: page.locator('#pose [data-do="mirror"]').click())
    assert wrist("right") == pytest.approx((-before[0], before[1]), abs=1)
    visitor.after(lambda: page.locator("#pose #file").set_input_files(path))
    assert wrist("left") == pytest.approx(before, abs=1)
    visitor.shoot("loaded")


def test_pose_files_of_other_programs_are_loaded(visit, tmp_path):
    visitor = visit("pose-files", **DESKTOP)
    page = visitor.page
    open_example(visitor, 0)
    files = {"body25.json": "openpose body_25", "frames.json": "comfyui as shares", "coco.json": "coco annotations"}
    wrists = []
    for file, name in files.items():
        # As Windows' shell writes it.
        (tmp_path / file).write_text(json.dumps(FILES[name](TRUTH)), encoding="utf-16")
        visitor.after(lambda file=file: page.locator("#pose #file").set_input_files(tmp_path / file))
        (x, y), (nx, ny) = visitor.joint("right_wrist"), visitor.joint("neck")
        wrists.append((x - nx, y - ny))
        assert y < visitor.joint("right_elbow")[1] < visitor.joint("right_hip")[1]
        visitor.after(lambda: page.locator('#bar [data-do="undo"]').click())
    assert np.ptp(wrists, axis=0).max() < 3
    (tmp_path / "animals.json").write_text(json.dumps({"people": [], "animals": [[1, 2, 3]]}))
    page.locator("#pose #file").set_input_files(tmp_path / "animals.json")
    page.get_by_text("shows nobody").first.wait_for()


def test_of_several_people_in_a_pose_file_one_is_chosen(visit, tmp_path):
    visitor = visit("pose-of-several", **DESKTOP)
    page = visitor.page
    open_example(visitor, 0)
    lowered = TRUTH * (0.5, 0.5, 1)
    lowered[4, :2] = lowered[2, :2] + (-10, 120)
    people = [FILES["openpose coco"](pose)["people"][0] for pose in (lowered, TRUTH)]
    text = json.dumps({"people": people, "canvas_width": 528, "canvas_height": 768})
    (tmp_path / "two.json").write_text(text)
    visitor.after(lambda: page.locator("#pose #file").set_input_files(tmp_path / "two.json"))
    assert visitor.joint("right_wrist")[1] < visitor.joint("right_elbow")[1]
    others = page.locator("#pose [data-other]")
    assert [others.nth(n).get_attribute("aria-pressed") for n in (0, 1)] == ["false", "true"]
    visitor.shoot("two")
    visitor.after(lambda: others.nth(0).click())
    assert visitor.joint("right_wrist")[1] > visitor.joint("right_elbow")[1]
    assert [others.nth(n).get_attribute("aria-pressed") for n in (0, 1)] == ["true", "false"]
    visitor.after(lambda: page.locator("#pose [data-preset]").nth(0).click())
    others.first.wait_for(state="detached")


def test_a_pose_is_kept_in_the_browser_and_fits_somebody_else(visit):
    visitor = visit("pose-kept", **DESKTOP)
    page = visitor.page
    open_example(visitor, 0)
    visitor.after(lambda: page.locator("#pose [data-preset]").nth(3).click())

    def raised():
        return visitor.joint("left_wrist")[1] < visitor.joint("nose")[1]

    assert raised()
    page.locator('#pose [data-do="keep"]').click()
    page.locator('#pose [data-kept="0"]').wait_for()
    visitor.shoot("kept")
    visitor.reload()
    page.locator("#pose #stage").wait_for(state="visible")
    visitor.wait_for()
    page.locator("#show-examples").click()
    open_example(visitor, 1)
    page.wait_for_function("() => window.piseStudio.document > 1")
    assert not raised()
    visitor.after(lambda: page.locator('#pose [data-kept="0"]').click())
    assert raised()
    # It gets a name, another one its place, and both go.
    page.locator('#pose [data-do="keep"]').click()
    page.get_by_role("button", name="Rename, move or forget Mine 1").click()
    page.locator("#pose #pose-name").fill("Mine 2")
    expect(page.locator("#pose #pose-name:invalid")).to_have_count(1)  # the other one has that name
    page.locator("#pose #pose-name").fill("Hands <up>")
    page.locator("#pose #pose-name").press("Enter")
    names = page.locator("#pose [data-kept] span")
    page.get_by_role("button", name="Rename, move or forget Hands <up>").click()
    page.locator('#pose [data-move="1"]').click()
    expect(names).to_have_text(["Mine 2", "Hands <up>"], use_inner_text=True)
    visitor.shoot("named")
    page.locator("#pose [data-forget-named]").click()
    expect(names).to_have_text(["Mine 2"], use_inner_text=True)
    page.get_by_role("button", name="Rename, move or forget Mine 2").click()
    page.locator("#pose [data-forget-named]").click()
    expect(page.locator("#pose [data-kept]")).to_have_count(0)


def test_left_and_right_are_swapped_and_swapped_back(visit):
    visitor = visit("pose-swap", **DESKTOP)
    page = visitor.page
    open_example(visitor, 0)
    left, right = visitor.joint("left_wrist"), visitor.joint("right_wrist")
    visitor.after(lambda: page.locator('#pose [data-do="swap"]').click())
    assert visitor.joint("left_wrist") == pytest.approx(right, abs=1)
    assert visitor.joint("right_wrist") == pytest.approx(left, abs=1)
    page.locator("#pose #stage").focus()
    visitor.after(lambda: page.keyboard.press("x"))
    assert visitor.joint("left_wrist") == pytest.approx(left, abs=1)


def test_bones_keep_their_lengths_unless_they_are_free(visit):
    visitor = visit("pose-bones", **DESKTOP)
    page = visitor.page
    open_example(visitor, 0)
    (ex, ey), (wx, wy) = visitor.joint("left_elbow"), visitor.joint("left_wrist")
    length = math.dist((ex, ey), (wx, wy))

    def pull_the_wrist():
        drag(page, visitor.joint("left_wrist"), (wx + 60, wy + 20))

    def forearm():
        return math.dist(visitor.joint("left_elbow"), visitor.joint("left_wrist"))

    visitor.after(pull_the_wrist)
    assert forearm() == pytest.approx(length, abs=2)
    assert visitor.joint("left_elbow") != pytest.approx((ex, ey), abs=3)
    visitor.after(lambda: page.locator('#bar [data-do="undo"]').click())

    def free():
        assert visitor.joint("left_elbow") == pytest.approx((ex, ey), abs=1)
        assert visitor.joint("left_wrist") == pytest.approx((wx + 60, wy + 20), abs=2)

    page.keyboard.down("Alt")
    visitor.after(pull_the_wrist)
    page.keyboard.up("Alt")
    free()
    visitor.after(lambda: page.locator('#bar [data-do="undo"]').click())
    page.locator('#pose [data-do="bones"]').click()
    visitor.after(pull_the_wrist)
    free()
    page.locator("#pose #stage").focus()
    page.keyboard.press("b")
    expect(page.locator('#pose [data-do="bones"]')).to_have_attribute("aria-pressed", "true")


def test_the_pose_of_somebody_in_another_photo_is_taken(visit):
    visitor, other = visit("pose-borrowed", **DESKTOP), visit("pose-lender", **DESKTOP)
    bones = [("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle")]
    limbs = [(f"{side}_{a}", f"{side}_{b}") for side in ("left", "right") for a, b in bones]

    def directions(visitor):
        ends = [(visitor.joint(a), visitor.joint(b)) for a, b in limbs]
        return [math.degrees(math.atan2(b[1] - a[1], b[0] - a[0])) for a, b in ends]

    open_example(visitor, 0)
    open_example(other, 4)  # with bent arms, in a step
    theirs = directions(other)
    assert max(abs(a - b) for a, b in zip(directions(visitor), theirs, strict=True)) > 30
    chooser = visitor.page.locator("#pose-photo").locator("xpath=..").locator("input[type=file]").first
    visitor.after(lambda: chooser.set_input_files(_PEOPLE / "person-5.png"))
    assert directions(visitor) == pytest.approx(theirs, abs=3)
    visitor.shoot("taken")


def test_full_screen_gives_the_canvas_more_room(visit):
    visitor = visit("pose-full", **DESKTOP)
    page = visitor.page
    open_example(visitor, 0)

    before = page.locator("#pose #stage").evaluate("stage => stage.clientHeight")
    page.locator('#pose [data-do="full"]').click()
    page.wait_for_function("() => document.fullscreenElement")
    page.wait_for_function(_TALL, arg=[before + 40, 9999])
    visitor.shoot("full")
    page.locator('#pose [data-do="full"]').click()
    page.wait_for_function("() => !document.fullscreenElement")
    page.wait_for_function(_TALL, arg=[before - 2, before + 2])


def _hidden_presets(page):
    """Names of the presets that can't be seen wholly."""
    return page.locator("#pose [data-preset]").evaluate_all("""presets => presets.filter((preset) => {
      const [inner, outer] = [preset.getBoundingClientRect(), preset.parentElement.getBoundingClientRect()];
      return inner.left < outer.left - 1 || inner.right > outer.right + 1;
    }).map((preset) => preset.title)""")


@pytest.mark.parametrize("width", [1280, 1440])
def test_all_presets_are_in_sight_on_a_desktop(visit, width):
    visitor = visit(f"shelf-{width}", viewport={"width": width, "height": 800})
    page = visitor.page
    open_example(visitor, 0)
    assert _hidden_presets(page) == [] and page.locator("#pose [data-preset]").count() >= 9
    assert [arrow.is_visible() for arrow in page.locator("#pose .further").all()] == [False, False]
    visitor.shoot("all")


def test_the_shelf_shows_where_it_goes_on(visit):
    visitor = visit("shelf-phone", **PHONE)
    page = visitor.page
    open_example(visitor, 0)
    later, earlier = page.locator('#pose [data-further="1"]'), page.locator('#pose [data-further="-1"]')
    assert _hidden_presets(page)
    expect(later).to_be_visible()
    expect(earlier).to_be_hidden()
    for _ in range(6):
        if later.is_hidden():
            break
        later.tap()
        page.wait_for_timeout(700)
    expect(later).to_be_hidden()
    expect(earlier).to_be_visible()
    last = page.locator("#pose [data-preset]").last.get_attribute("title")
    assert last not in _hidden_presets(page)
    visitor.shoot("end")
