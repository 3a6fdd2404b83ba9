"""A garment worn, cut and all, on the page."""

import pytest
from playwright.sync_api import expect
from test_desktop import DESKTOP, open_example
from test_phone import PHONE


@pytest.mark.parametrize(("name", "size"), [("desktop", DESKTOP), ("phone", PHONE)])
def test_from_a_photo_to_a_worn_garment_in_four_clicks(visit, name, size):
    visitor = visit(f"wear-{name}", **size)
    page = visitor.page
    open_example(visitor, 0)  # the first click: a photo
    original = visitor.picture()
    page.get_by_role("tab", name="Textures").click()  # the second
    page.locator("#textures [data-example]").nth(3).click()  # the third one: who lends
    top = page.locator('#textures [data-region="upper_clothes"]')
    lender = top.locator('[data-reference="r1"]')
    lender.wait_for()
    visitor.wait_for()
    worn = visitor.after(lambda: top.locator('[data-way="wear"]').click())  # the fourth: it is on her
    assert worn != original
    texture = visitor.after(lambda: top.locator('[data-way="texture"]').click())
    assert texture not in (original, worn)
    assert visitor.after(lambda: top.locator('[data-way="wear"]').click()) != texture
    expect(top.locator('[data-way="wear"]')).to_have_attribute("aria-pressed", "true")
    expect(lender).to_have_attribute("aria-pressed", "true")
    expect(top.locator(".mixes input")).to_have_count(0)
    visitor.shoot("worn")
    page.locator("#textures [data-example]").nth(4).click()
    second = top.locator('[data-reference="r2"]')
    second.wait_for()
    visitor.wait_for()
    second.click(modifiers=["Shift"])  # what is worn does not mix, and is not given up in silence
    page.locator("#bar #status", has_text="don't mix").wait_for()
    expect(lender).to_have_attribute("aria-pressed", "true")
    expect(second).to_have_attribute("aria-pressed", "false")
    visitor.after(lambda: page.locator('#bar [data-do="undo"]').click())
    expect(top.locator('[data-way="texture"]')).to_have_attribute("aria-pressed", "true")
    visitor.after(lambda: top.locator('[data-reference=""]').click())
    expect(top.locator('[data-reference=""]')).to_have_attribute("aria-pressed", "true")
