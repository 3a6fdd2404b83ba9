"""No serious violation of accessibility rules, as far as axe-core can tell: light, dark, large, small, every mode."""

import pytest
from conftest import ROOT
from playwright.sync_api import expect
from test_desktop import DESKTOP, borrow_example, open_example
from test_phone import PHONE

_RUN = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
  return found.violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((n) => n.target.flat().join(" ")).join(" | ")}`);
}"""


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core's script, which ``npm ci`` has installed."""
    script = ROOT / "node_modules" / "axe-core" / "axe.min.js"
    assert script.exists(), "axe-core is not installed; run the tests by make test, or npm ci before them"
    return script.read_text("utf-8")


@pytest.mark.parametrize(("scheme", "size"), [("light", DESKTOP), ("dark", DESKTOP), ("light", PHONE), ("dark", PHONE)])
def test_no_serious_violation(visit, axe, scheme, size):
    visitor = visit(f"accessibility-{scheme}-{size['viewport']['width']}", color_scheme=scheme, **size)
    page = visitor.page
    page.locator("#welcome #examples img").last.wait_for()
    page.add_script_tag(content=axe)
    found = {"welcome": page.evaluate(_RUN)}
    open_example(visitor, 2)
    page.locator("#result #frame").wait_for(state="visible")
    found["pose"] = page.evaluate(_RUN)
    visitor.shoot("pose")
    swap = "([frame, line]) => { [frame.hidden, line.hidden] = [line.hidden, frame.hidden]; }"
    parts = [page.locator(f"#result {part}").element_handle() for part in ("#frame", "#empty")]
    page.evaluate(swap, parts)  # as before the first picture has come
    found["no picture yet"] = page.evaluate(_RUN)
    page.evaluate(swap, parts)
    page.locator('#pose [data-do="correct"]').click()
    found["correcting"] = page.evaluate(_RUN)
    page.locator('#pose [data-do="cancel"]').click()
    page.get_by_role("tab", name="Regions").click()
    found["regions"] = page.evaluate(_RUN)
    page.get_by_role("tab", name="Textures").click()
    visitor.after(lambda: borrow_example(visitor, 0).locator('[data-reference="r1"]').click())
    found["textures"] = page.evaluate(_RUN)
    visitor.shoot("textures")
    page.get_by_role("tab", name="Motion").click()
    page.locator('#motion [data-do="add"]').click()
    page.locator("#motion #keys li").first.wait_for()
    found["motion"] = page.evaluate(_RUN)
    assert {mode: violations for mode, violations in found.items() if violations} == {}


def test_every_group_of_choices_is_named_by_what_stands_above_it(visit):
    page = visit("accessibility-groups", **DESKTOP).page
    page.locator("#settings button").first.click()
    for part, name in {
        "detector": "Joints: the skeleton that you drag",
        "parser": "Regions: hair, face, clothes, skin",
        "background": "Background: the photo behind a moved person",
    }.items():
        group = page.get_by_role("group", name=name, exact=True)
        group.wait_for()
        expect(group).to_have_attribute("id", part)
