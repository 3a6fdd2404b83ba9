"""Another colour for a garment, chosen on the page."""

import pytest
from playwright.sync_api import expect
from test_desktop import DESKTOP, open_example
from test_phone import PHONE

#: Give an input a value as a user does: news while it is chosen, and a change once it is.
_CHOOSE = """(input, [value, kinds]) => {
  input.value = value;
  for (const kind of kinds) input.dispatchEvent(new Event(kind, { bubbles: true, composed: true }));
}"""


@pytest.mark.parametrize(("name", "size"), [("desktop", DESKTOP), ("phone", PHONE)])
def test_a_garment_gets_another_colour_and_its_own_again(visit, name, size):
    visitor = visit(f"recolour-{name}", **size)
    page = visitor.page
    open_example(visitor, 0)
    original = visitor.picture()
    page.get_by_role("tab", name="Textures").click()
    row = page.locator('#textures [data-region="upper_clothes"]')
    expect(page.locator('#textures [data-region="face"] [data-recolour]')).to_have_count(0)
    panel = row.locator(".recolour")
    expect(panel).to_be_hidden()
    row.locator("[data-recolour]").click()
    panel.wait_for(state="visible")

    colour = row.locator("[data-recolour-colour]")
    colour.evaluate(_CHOOSE, ["#c02040", ["input"]])
    page.wait_for_function(
        """() => document.querySelector("#result .html-container > div").shadowRoot
          .querySelector("#after").dataset.live === "true" """
    )
    red = visitor.after(lambda: colour.evaluate(_CHOOSE, ["#c02040", ["change"]]))
    assert red != original
    visitor.shoot("red")
    lighter = visitor.after(
        lambda: row.locator('[data-recolour-value="lightness"]').evaluate(_CHOOSE, ["0.4", ["input", "change"]])
    )
    assert lighter != red
    visitor.after(lambda: page.locator('#bar [data-do="undo"]').click())
    expect(row.locator('[data-recolour-value="lightness"]')).to_have_value("0")
    expect(colour).to_have_value("#c02040")
    visitor.after(lambda: row.locator("[data-recolour-reset]").click())
    expect(row.locator("[data-recolour-reset]")).to_be_disabled()
    visitor.shoot("own")
