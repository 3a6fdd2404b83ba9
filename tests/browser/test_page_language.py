"""The page in German: every word of it, on a large screen and on a phone, and back to English with nothing lost."""

import pytest
from playwright.sync_api import expect
from pointing import drag
from test_desktop import DESKTOP, open_example
from test_phone import PHONE

_WORDS = """async () => {
  const at = performance.getEntriesByType("resource").find(({ name }) => name.endsWith("/common/language.js")).name;
  return [...(await import(at)).missing];
}"""
_TEXTS = """() => {
  const found = [];
  const visit = (root) => {
    for (const node of root.querySelectorAll("*")) {
      if (node.shadowRoot) visit(node.shadowRoot);
      if (!node.closest("[translate=no], script, style"))
        for (const child of node.childNodes)
          if (child.nodeType === 3 && node.checkVisibility()) found.push(child.data.trim());
    }
  };
  visit(document);
  return found.filter((text) => /[A-Za-z]{2}/.test(text));
}"""


@pytest.mark.parametrize(("name", "size"), [("desktop", DESKTOP), ("phone", PHONE)])
def test_the_page_speaks_german_and_english_again(visit, drawn_reference, tmp_path, name, size):
    visitor = visit(f"german-{name}", locale="de-DE", **size)
    page = visitor.page
    page.get_by_role("heading", name="Mit dem Foto einer Person beginnen").wait_for()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    visitor.shoot("welcome")
    open_example(visitor, 1)
    wrist = visitor.joint("right_wrist")
    visitor.after(lambda: drag(page, wrist, (wrist[0] - 25, wrist[1] - 40)))
    assert visitor.wait_for().startswith("Fertig.")
    for tab in ("Bereiche", "Texturen", "Bewegung", "Pose"):
        page.get_by_role("tab", name=tab).click()
        if tab == "Bereiche":
            page.get_by_role("button", name="Karte laden").click()
        if tab == "Texturen":
            page.locator("#add-reference").locator("xpath=..").locator("input[type=file]").set_input_files(
                drawn_reference
            )
            page.locator("#textures #references li").wait_for()
            visitor.wait_for()
            page.locator("#textures [data-recolour]").first.click()
        if tab == "Bewegung":
            page.get_by_role("button", name="Pose dazu").click()
            page.locator("#motion .key").wait_for()
        visitor.shoot(tab)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{tab} is wider than the page"
    page.locator("#result [data-take=formats]").click()
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n and nothing more")
    page.locator("#open").locator("xpath=..").locator("input[type=file]").set_input_files(broken)
    assert "broken.png ist kein JPEG-, PNG- oder WebP-Bild" in visitor.wait_for("error")
    page.keyboard.press("?")
    page.get_by_role("heading", name="Tastenkürzel und Einstellungen").wait_for()
    visitor.shoot("sheet")
    missing = page.evaluate(_WORDS)
    assert not missing, " | ".join(missing)
    texts = page.evaluate(_TEXTS)
    assert "Rückgängig" in texts and not {"Undo", "Pose tools", "Regions", "Result"} & set(texts)

    # English again, without a reload, and nothing of the work is lost.
    steps = page.locator("#result #history li").count()
    page.get_by_role("button", name="English").click()
    page.get_by_role("heading", name="Shortcuts and settings").wait_for()
    page.keyboard.press("Escape")
    texts = page.evaluate(_TEXTS)
    assert "Undo" in texts and not [text for text in texts if any(letter in text for letter in "äöüßÄÖÜ„")]
    expect(page.locator("#result #history li")).to_have_count(steps)
    visitor.reload()  # and it stays so, whatever the browser asks for
    page.get_by_role("tab", name="Regions").wait_for()
    expect(page.locator("html")).to_have_attribute("lang", "en")


_CIRCLES = """steps => [...steps.querySelectorAll("i")].map((circle) => {
  const { left, right } = circle.getBoundingClientRect(), list = circle.closest("ol").getBoundingClientRect();
  return left >= list.left && right <= list.right;
})"""
_ROOM_OF_NAME = """chosen => {
  const pen = document.createElement("canvas").getContext("2d");
  const { font, paddingLeft, paddingRight } = getComputedStyle(chosen);
  pen.font = font;
  const widest = Math.max(...[...chosen.options].map(({ text }) => pen.measureText(text).width));
  return chosen.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight) - widest;
}"""


@pytest.mark.parametrize(("name", "size"), [("desktop", DESKTOP), ("phone", PHONE)])
def test_long_german_words_are_not_cut(visit, name, size):
    visitor = visit(f"long-{name}", locale="de-DE", **size)
    page = visitor.page
    open_example(visitor, 0)
    chooser = page.locator("#pose #joint")
    chooser.select_option(label="Rechtes Handgelenk")
    assert chooser.evaluate(_ROOM_OF_NAME) >= 0
    boxes = [page.locator(f"#pose {which}").bounding_box() for which in ("#joint", "[data-do=toggle]", "#dim")]
    for first, second in ((0, 1), (1, 2), (0, 2)):  # none lies over another
        a, b = boxes[first], boxes[second]
        apart = a["x"] + a["width"] <= b["x"] + 1 or b["x"] + b["width"] <= a["x"] + 1
        assert apart or a["y"] + a["height"] <= b["y"] + 1 or b["y"] + b["height"] <= a["y"] + 1
    visitor.shoot("joint")
    for done in ("", "pose", "pose change"):
        page.evaluate("done => localStorage.setItem('pise-first-steps', done)", done)
        visitor.reload()
        page.locator("#pose #stage").wait_for(state="visible")
        steps = page.locator("#first-steps .steps")
        steps.wait_for()
        assert steps.evaluate(_CIRCLES) == [True] * 3


def test_a_browser_of_another_language_gets_english(visit):
    page = visit("french", locale="fr-FR").page
    page.get_by_role("heading", name="Start with a photo of one person").wait_for()
    page.keyboard.press("?")
    page.get_by_role("button", name="Deutsch").click()
    page.get_by_role("heading", name="Tastenkürzel und Einstellungen").wait_for()
    page.get_by_role("button", name="Wie der Browser").click()
    page.get_by_role("heading", name="Shortcuts and settings").wait_for()


_OVERLAPPING = """list => {
  const boxes = [...list.querySelectorAll("button, input, select")].filter((one) => one.checkVisibility())
    .map((one) => [one.innerText || one.title, one.getBoundingClientRect()]);
  const over = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
  const pairs = boxes.flatMap((one, n) => boxes.slice(n + 1).map((two) => [one, two]));
  return pairs.filter(([one, two]) => over(one[1], two[1])).map(([[one], [two]]) => `${one}: ${two}`);
}"""


@pytest.mark.parametrize("locale", ["de-DE", "en-US"])
def test_what_can_be_touched_does_not_overlap_and_a_long_line_opens(visit, locale):
    visitor = visit(f"narrow-{locale}", locale=locale, **PHONE)
    page = visitor.page
    open_example(visitor, 1)
    page.locator("#tab-textures").click()
    rows = page.locator("#textures .rows")
    rows.wait_for()
    assert rows.evaluate(_OVERLAPPING) == []
    visitor.shoot("rows")
    line = page.locator("#bar #status")
    line.evaluate("line => { line.querySelector('span').textContent = 'as long as four lines are '.repeat(9); }")
    cut = "line => line.querySelector('span').scrollHeight > line.querySelector('span').clientHeight"
    assert line.evaluate(cut)
    line.tap()
    visitor.shoot("whole")
    assert not line.evaluate(cut)
    line.tap()
    assert line.evaluate(cut)
