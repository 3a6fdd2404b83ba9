"""The same essentials on a phone, with fingers."""

import io

import pytest
from PIL import Image
from pointing import centre
from test_desktop import borrow_example, open_example, size_shown

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}


#: What a finger may miss, and the tools that don't say what they are for: on the whole page, shadow roots included.
_TOO_SMALL_OR_BARE = """() => {
  const found = [];
  const look = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.shadowRoot) look(element.shadowRoot);
      if (!element.matches("button, select, a, input:not([type=file])") || element.closest("footer")) continue;
      const target = (element.matches("[type=radio], [type=checkbox]") && element.closest("label")) || element;
      const { width, height } = target.getBoundingClientRect();
      if (!element.checkVisibility() || !width) continue;
      const name = `${element.getAttribute("aria-label") ?? element.title} ${element.innerText ?? ""}`.trim();
      if (width < 43.5 || height < 43.5) found.push(`${name}: ${Math.round(width)} x ${Math.round(height)}`);
      const bare = element.matches(".toolbar .tool, .bar .tool, .row-tools .tool") && !element.innerText.trim();
      if (bare) found.push(`${name}: bare`);
    }
  };
  look(document);
  return found;
}"""


class Fingers:
    """Touches that stay on the screen, which playwright's own tap does not offer."""

    def __init__(self, visitor):
        self.devtools = visitor.context.new_cdp_session(visitor.page)

    def put(self, *points):
        self._send("touchStart", points)

    def move(self, *points):
        self._send("touchMove", points)

    def lift(self):
        self._send("touchEnd", ())

    def _send(self, kind, points):
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        self.devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})


def test_drag_paint_borrow_download_by_touch(visit):
    visitor = visit("phone", **PHONE)
    page, fingers = visitor.page, Fingers(visitor)
    field = page.locator('#drop [data-testid="upload-text"]')
    said = field.evaluate("field => [getComputedStyle(field).fontSize, getComputedStyle(field, '::after').content]")
    assert said == ["0px", '"Tap to choose a photo or a .pise document"']  # the words of Gradio's field are not seen
    visitor.shoot("0-welcome")
    open_example(visitor, 1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    visitor.shoot("1-opened")

    x, y = visitor.joint("right_wrist")
    fingers.put((x, y))
    for step in range(1, 400):
        fingers.move((x - min(step, 25), y - min(2 * step, 60)))
        page.wait_for_timeout(100)
        if step > 30 and visitor.live_pictures():
            break
    assert visitor.live_pictures()
    visitor.shoot("2-dragging")
    visitor.after(fingers.lift)
    assert visitor.joint("right_wrist")[1] < y - 20

    # Two fingers zoom and move no joint.
    before = visitor.joint("neck"), visitor.joint("left_ankle")
    fingers.put((180, 400), (220, 400))
    for step in range(1, 8):
        fingers.move((180 - 8 * step, 400), (220 + 8 * step, 400))
    fingers.lift()
    after = visitor.joint("neck"), visitor.joint("left_ankle")
    assert after[1][1] - after[0][1] > 1.5 * (before[1][1] - before[0][1])
    visitor.shoot("3-zoomed")
    page.locator('#pose [data-do="fit"]').tap()

    page.get_by_role("tab", name="Regions").tap()
    cx, cy = centre(page.locator("#regions #stage"))
    page.locator('#regions [data-region="4"]').tap()
    page.evaluate("scrollTo(0, 0)")
    detected = visitor.map()

    def stroke():
        fingers.put((cx, cy))
        for step in range(1, 10):
            fingers.move((cx - 4 * step, cy + 5 * step))
        fingers.lift()

    visitor.after(stroke)
    assert visitor.map() != detected
    visitor.shoot("4-painted")
    visitor.after(lambda: page.locator('#bar [data-do="undo"]').tap())
    visitor.wait_for_map(detected)

    page.get_by_role("tab", name="Textures").tap()
    row = borrow_example(visitor, 3)
    visitor.after(lambda: row.locator('[data-reference="r1"]').tap())
    visitor.after(lambda: row.locator(".mixes input").fill("40"))
    visitor.shoot("5-mixed")

    width, height = size_shown(visitor)
    page.locator("#result").scroll_into_view_if_needed()
    visitor.shoot("6-result")
    with page.expect_download() as download:
        page.locator("#download").tap()
    with Image.open(io.BytesIO(download.value.path().read_bytes())) as image:
        assert image.size == (int(width), int(height))


def test_fingers_find_every_tool_and_know_what_it_is_for(visit):
    visitor = visit("phone-targets", **PHONE)
    page = visitor.page
    page.locator("#welcome #examples img").last.wait_for()
    found = {"welcome": page.evaluate(_TOO_SMALL_OR_BARE)}
    open_example(visitor, 0)
    page.locator('#pose [data-do="keep"]').tap()
    page.locator('#pose [data-kept="0"]').wait_for()
    for mode in ("Pose", "Regions", "Textures", "Motion"):
        page.get_by_role("tab", name=mode).tap()
        if mode == "Textures":
            visitor.after(lambda: borrow_example(visitor, 3).locator('[data-reference="r1"]').tap())
        if mode == "Motion":
            page.locator('#motion [data-do="add"]').tap()
            page.locator("#motion #keys li").first.wait_for()
        found[mode] = page.evaluate(_TOO_SMALL_OR_BARE)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        visitor.shoot(f"targets-{mode.lower()}")
    assert {mode: targets for mode, targets in found.items() if targets} == {}


#: Joints on the stage that a finger can't reach, because something else lies over them.
_COVERED = """() => {
  const root = document.querySelector("#pose .html-container > div").shadowRoot;
  const stage = root.querySelector("#stage").getBoundingClientRect();
  const covered = ({ left, top, width, height }) => {
    const [x, y] = [left + width / 2, top + height / 2];
    return y > stage.top && y < stage.bottom && root.elementFromPoint(x, y).closest("button") !== null;
  };
  const joints = [...root.querySelectorAll("circle[data-joint]")];
  return joints.filter((joint) => covered(joint.getBoundingClientRect())).map((joint) => joint.dataset.joint);
}"""


def test_no_button_lies_over_a_raised_arm(visit):
    visitor = visit("phone-raised", **PHONE)
    open_example(visitor, 0)
    visitor.after(lambda: visitor.page.locator("#pose [data-preset]", has_text="Arms up").tap())
    visitor.page.evaluate("scrollTo(0, 0)")
    assert visitor.page.evaluate(_COVERED) == []


#: By how many pixels the bar at the bottom lies over the last thing of the page, at the page's end.
_HIDDEN = """() => {
  scrollTo(0, document.documentElement.scrollHeight);
  const [last, bar] = ["#settings", "#bar"].map((part) => document.querySelector(part).getBoundingClientRect());
  return Math.max(0, last.bottom - bar.top);
}"""


@pytest.mark.parametrize("locale", ["en-GB", "de-DE"])
def test_the_bar_at_the_bottom_hides_nothing_at_the_end_of_the_page(visit, locale):
    visitor = visit(f"phone-end-{locale}", locale=locale, **PHONE)
    page = visitor.page
    page.locator("#welcome #examples img").last.wait_for()
    assert page.evaluate(_HIDDEN) == 0
    open_example(visitor, 0)
    assert page.evaluate(_HIDDEN) == 0
    page.locator("#settings button").first.tap()
    page.locator("#background label").last.wait_for(state="visible")
    assert page.evaluate(_HIDDEN) == 0
    visitor.shoot("open")


#: What has the focus, if the bar at the bottom lies over a part of it; null once the page is through.
_COVERED_FOCUS = """() => {
  let element = document.activeElement;
  if (element === document.body) return null;
  while (element.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  for (let part = element; part; part = part.parentElement ?? part.getRootNode().host)
    if (part.matches("#bar, #download")) return "";
  const bar = document.querySelector("#bar").getBoundingClientRect();
  const { top, bottom } = element.getBoundingClientRect();
  const hidden = bottom > bar.top + 1 || top < 0;
  return hidden ? `${element.id || element.getAttribute("aria-label") || element.innerText}: ${top} to ${bottom}` : "";
}"""


def test_what_has_the_focus_is_seen_above_the_bar(visit):
    visitor = visit("phone-focus", **PHONE)
    page, covered, many = visitor.page, [], 0
    open_example(visitor, 0)
    page.locator("#settings button").first.tap()
    page.locator("#background label").last.wait_for(state="visible")
    page.evaluate("scrollTo(0, 0)")
    page.mouse.click(4, 4)
    for many in range(150):
        page.keyboard.press("Tab")
        found = page.evaluate(_COVERED_FOCUS)
        if found is None and many:
            break
        if found:
            covered.append(found)
    assert 30 < many < 149 and covered == []
