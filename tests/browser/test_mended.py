"""What was once broken on the page, at four sizes."""

import pytest
from playwright.sync_api import expect
from sizes import LAPTOP, SIZES
from test_desktop import borrow_example, open_example
from test_phone import PHONE

MODES = ("Pose", "Regions", "Textures", "Motion")

#: What can be pressed in the parts on show, and is covered, cut off or beyond the page's edge; each is scrolled to.
_HIDDEN = """() => {
  const found = [];
  const deepest = (x, y) => {
    let hit = document.elementFromPoint(x, y);
    while (hit?.shadowRoot) {
      const inside = hit.shadowRoot.elementFromPoint(x, y);
      if (!inside || inside === hit) break;
      hit = inside;
    }
    return hit;
  };
  const look = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.shadowRoot) look(element.shadowRoot);
      if (!element.matches("button, select, input:not([type=file]):not(#slide)")) continue;
      if (element.closest("footer, #settings") || element.ariaHidden === "true") continue;
      if (!element.checkVisibility({ visibilityProperty: true }) || !element.getBoundingClientRect().width) continue;
      element.scrollIntoView({ block: "center", inline: "center" });
      const { left, right, top, bottom } = element.getBoundingClientRect();
      const hit = deepest((left + right) / 2, (top + bottom) / 2);
      const label = element.closest("label");
      const name = element.getAttribute("aria-label") || element.title || element.innerText || element.id;
      if (left < -0.5 || right > innerWidth + 0.5) found.push(`${name} is cut off`);
      else if (hit?.closest(".further")) continue; // it goes when the row's scrolling is told of
      else if (!hit || !(element.contains(hit) || label?.contains(hit))) found.push(`${name} is covered`);
    }
  };
  look(document);
  scrollTo(0, 0);
  return found;
}"""

#: The height in pixels of the person's picture that is in sight.
_IN_SIGHT = """() => {
  let most = 0;
  for (const [part, stage] of [["pose", "#stage"], ["regions", "#stage"], ["motion", "#stage"], ["result", "#stage"]]) {
    const root = document.querySelector(`#${part} .html-container > div`).shadowRoot;
    const { top, bottom, width } = root.querySelector(stage).getBoundingClientRect();
    const bar = innerWidth > 760 ? innerHeight : document.querySelector("#bar").getBoundingClientRect().top;
    if (width) most = Math.max(most, Math.min(bottom, bar) - Math.max(top, 0));
  }
  return most;
}"""


def show(page, mode):
    """Open a mode, as the visitor of that size does."""
    page.get_by_role("tab", name=mode).click()


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_covered_and_the_picture_stays_in_sight(visit, size):
    visitor = visit(f"mended-{size['viewport']['width']}", **size)
    page = visitor.page
    open_example(visitor, 0)
    visitor.after(lambda: page.locator("#pose [data-preset]").nth(3).click())
    found = {}
    for mode in MODES:
        show(page, mode)
        if mode == "Textures":
            borrow_example(visitor, 3)
        found[mode] = page.evaluate(_HIDDEN)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["viewport"]["width"]
        for place in ("0", "150", "300", "document.documentElement.scrollHeight"):
            page.evaluate(f"scrollTo(0, {place})")
            assert page.evaluate(_IN_SIGHT) > 180, (mode, place)
        page.evaluate("scrollTo(0, 0)")
        visitor.shoot(mode.lower())
    assert {mode: hidden for mode, hidden in found.items() if hidden} == {}


def test_eight_lenders_reach_every_region_and_the_canvas_is_as_large_as_the_result(visit):
    visitor = visit("mended-lenders", **LAPTOP)
    page = visitor.page
    open_example(visitor, 0)
    for mode in ("Pose", "Regions", "Motion"):
        show(page, mode)
        canvas = page.locator(f"#{mode.lower()} #stage").bounding_box()
        result = page.locator("#result #stage").bounding_box()
        assert canvas and result and canvas["height"] >= result["height"] and canvas["width"] >= result["width"], mode
    show(page, "Textures")
    for number in range(8):
        page.locator("#textures #examples button").nth(number).click()
        page.locator(f'#textures [data-region="hair"] [data-reference="r{number + 1}"]').wait_for()
        visitor.wait_for()
    assert page.evaluate(_HIDDEN) == []
    row = page.locator('#textures [data-region="leg"]')
    visitor.after(lambda: row.locator('[data-reference="r2"]').click())
    visitor.shoot("eight")


@pytest.mark.parametrize("size", SIZES)
def test_a_reloaded_page_goes_on_where_it_was(visit, size):
    visitor = visit(f"mended-reload-{size['viewport']['width']}", **size)
    page = visitor.page
    visitor.context.add_init_script("""
      const look = () => {
        const welcome = document.querySelector("#welcome");
        if (welcome?.checkVisibility() && welcome.getBoundingClientRect().height) globalThis.sawStart = true;
        requestAnimationFrame(look);
      };
      document.addEventListener("DOMContentLoaded", look);
    """)
    open_example(visitor, 1)

    def wrist():  # from the neck, in lengths of the trunk: the page may be scrolled, and a note takes of the canvas
        circles = page.locator("#pose circle[data-joint]")
        circles.first.wait_for()
        at = circles.evaluate_all("""(all) => Object.fromEntries(all.map((circle) => {
          const box = circle.getBoundingClientRect();
          return [circle.dataset.joint, box.y + box.height / 2];
        }))""")  # all at once: the note may come and go between two questions
        neck, wrist, hip = at["neck"], at["left_wrist"], at["left_hip"]
        return (wrist - neck) / (hip - neck)

    hanging = wrist()
    visitor.after(lambda: page.locator("#pose [data-preset]").nth(3).click())
    # Redo right after undo, before the server has answered either.
    raised = wrist()
    assert raised < hanging - 0.1

    def back_and_forth():
        page.keyboard.press("Control+z")
        page.keyboard.press("Control+y")

    visitor.after(back_and_forth)
    page.wait_for_function("window.piseStudio.history.undo && !window.piseStudio.history.redo")
    assert wrist() == pytest.approx(raised, abs=0.03)
    # Closing would lose work, until it is saved.
    asks = """() => {
      const leaving = new Event("beforeunload", { cancelable: true });
      window.piseStudio.unsaved.leave(leaving);  // the page's own listener: Gradio's would end its connection
      return leaving.defaultPrevented;
    }"""
    assert page.evaluate(asks)
    with page.expect_download():
        page.locator('#bar [data-do="save"]').click()
    visitor.wait_for()
    assert not page.evaluate(asks)
    show(page, "Regions")
    visitor.reload()
    page.locator("#regions #stage").wait_for(state="visible")
    visitor.wait_for()
    assert not page.evaluate("globalThis.sawStart")
    expect(page.get_by_role("tab", name="Regions")).to_have_attribute("aria-selected", "true")
    show(page, "Pose")
    assert wrist() == pytest.approx(raised, abs=0.03)


def test_a_real_close_with_unsaved_work_asks_first(visit):
    visitor = visit("mended-close", **LAPTOP)
    page = visitor.page
    open_example(visitor, 1)
    visitor.after(lambda: page.locator("#pose [data-preset]").nth(3).click())
    with page.expect_event("dialog") as asked:
        page.close(run_before_unload=True)
    assert asked.value.type == "beforeunload"
    asked.value.dismiss()
    expect(page.locator("#pose #stage")).to_be_visible()  # it has stayed


@pytest.mark.parametrize("size", SIZES)
def test_a_motion_is_stopped_from_everywhere(visit, size):
    visitor = visit(f"mended-stop-{size['viewport']['width']}", **size)
    page = visitor.page
    open_example(visitor, 1)
    for number, preset in enumerate((2, 3)):  # many pictures, no two alike: it is not done before it is stopped
        visitor.after(lambda place=preset: page.locator("#pose [data-preset]").nth(place).click())
        show(page, "Motion")
        page.locator('#motion [data-do="add"]').click()
        page.locator("#motion #keys li").nth(number).wait_for()
        show(page, "Pose")
    show(page, "Motion")
    page.locator("#motion #seconds").fill("3")
    page.locator("#motion #size").select_option("large")
    visitor.wait_for()
    page.locator('#motion [data-save="gif"]').click()
    page.locator("#motion #progress").wait_for(state="visible")
    for mode in ("Pose", "Regions", "Textures"):
        show(page, mode)
        page.locator("#bar #stop").wait_for()
    page.locator("#bar #stop").click()
    page.locator("#bar #status", has_text="Nothing was saved").wait_for()
    page.locator("#bar #stop").wait_for(state="hidden")
    assert page.locator("#motion #progress").get_attribute("hidden") is not None


@pytest.mark.parametrize("size", [SIZES[0], SIZES[3]])
def test_a_reference_is_declared_a_garment_and_a_person_again(visit, size):
    visitor = visit(f"mended-declare-{size['viewport']['width']}", **size)
    page = visitor.page
    open_example(visitor, 0)
    show(page, "Textures")
    borrow_example(visitor, 3)
    tiles = page.locator("#textures #references li")
    page.locator('#textures [data-redeclare="r1"]').click()
    page.locator("#textures #garment").wait_for(state="visible")
    ratio = page.locator("#textures #garment-picture").evaluate(
        "async picture => { await picture.decode(); return picture.naturalWidth / picture.naturalHeight; }"
    )
    frame = page.locator("#textures #garment-frame").bounding_box()
    assert frame and frame["width"] / frame["height"] == pytest.approx(ratio, rel=0.02)  # seen whole
    visitor.shoot("garment")
    page.locator('#textures [data-garment="use"]').click()
    page.locator('#textures #references [data-garment="true"]').wait_for()
    visitor.wait_for()
    expect(tiles).to_have_count(1)
    page.locator("#textures [data-redeclare]").click()
    page.locator('#textures #references [data-garment="false"]').wait_for()
    expect(tiles).to_have_count(1)
    visitor.wait_for()
    # A photo that waits as a garment's may show a person, too.
    page.locator("#textures [data-redeclare]").click()
    page.locator("#textures #garment").wait_for(state="visible")
    page.locator('#textures [data-garment="worn"]').click()
    page.locator('#textures #references [data-garment="false"]').wait_for()
    expect(tiles).to_have_count(1)
    expect(page.locator("#textures #garment")).to_be_hidden()
    visitor.shoot("declared")


def test_the_result_stays_above_the_textures_on_a_phone(visit):
    visitor = visit("mended-phone", **PHONE)
    page = visitor.page
    open_example(visitor, 0)
    show(page, "Textures")
    row = borrow_example(visitor, 3)
    row.scroll_into_view_if_needed()
    visitor.after(lambda: row.locator('[data-reference="r1"]').tap())
    place = page.locator("#result #after").bounding_box()
    assert place and place["y"] >= -1 and place["height"] > 180
    visitor.shoot("borrowed")
