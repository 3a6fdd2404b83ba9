"""The painter's tools beyond the brush: lasso, replace, wheel, hidden colours; and paint that goes along."""

import pytest
from playwright.sync_api import expect
from pointing import centre
from test_desktop import DESKTOP, open_example
from test_phone import PHONE


@pytest.mark.parametrize(("name", "size"), [("desktop", DESKTOP), ("phone", PHONE)])
def test_lasso_replace_hide_and_paint_that_follows_the_pose(visit, name, size):
    visitor = visit(f"regions-{name}", **size)
    page = visitor.page
    open_example(visitor, 0)
    page.get_by_role("tab", name="Regions").click()
    stage = page.locator("#regions #stage")
    detected = visitor.map()

    def at(dx, dy):
        stage.scroll_into_view_if_needed()
        x, y = centre(stage)
        return x + dx, y + dy

    # Corners by clicks, closed by a click on the first one.
    page.locator('#regions [data-tool="lasso"]').click()
    page.locator('#regions [data-region="4"]').click()
    for corner in ((-30, 0), (30, 0), (40, 60), (-40, 60)):
        page.mouse.click(*at(*corner))
    visitor.shoot("lasso")
    assert visitor.map() == detected
    visitor.after(lambda: page.mouse.click(*at(-30, 0)))
    drawn = visitor.map()
    assert drawn != detected

    # Nobody is undressed: the stroke is refused, and what was painted before it is back.
    page.locator('#regions [data-tool="replace"]').click()
    page.locator('#regions [data-region="7"]').click()
    page.mouse.click(*at(0, 30))
    assert "arms, neck and lower legs" in visitor.wait_for("error")
    visitor.wait_for_map(drawn)

    # All of it becomes another region again; every region's colour can be switched off.
    page.locator('#regions [data-region="5"]').click()
    visitor.after(lambda: page.mouse.click(*at(0, 30)))
    replaced = visitor.map()
    assert replaced not in (drawn, detected)
    page.locator('#regions [data-eye="5"]').click()
    assert visitor.map() != replaced
    page.locator('#regions [data-eye="5"]').click()
    assert visitor.map() == replaced
    brush = page.locator("#regions #size")
    before = int(brush.input_value())
    page.mouse.move(*at(0, 0))
    page.keyboard.down("Shift")
    page.mouse.wheel(0, -240)
    page.keyboard.up("Shift")
    page.evaluate("() => new Promise(requestAnimationFrame)")
    assert int(brush.input_value()) > before
    visitor.shoot("replaced")

    # A preset moves the arms; the paint on the body goes along, and the user is told.
    page.get_by_role("tab", name="Pose").click()
    visitor.after(lambda: page.locator("#pose [data-preset]").nth(4).click())
    assert "went along" in visitor.wait_for()


def test_paint_is_taken_away_and_a_region_is_picked_from_the_map(visit):
    visitor = visit("regions-restore", **DESKTOP)
    page = visitor.page
    open_example(visitor, 0)
    page.get_by_role("tab", name="Regions").click()
    detected = visitor.map()
    x, y = centre(page.locator("#regions #stage"))

    def stroke():
        page.mouse.move(x - 20, y)
        page.mouse.down()
        page.mouse.move(x + 20, y + 30, steps=5)
        page.mouse.up()

    page.locator('#regions [data-region="5"]').click()
    visitor.after(stroke)
    painted = visitor.map()
    assert painted != detected

    # The region under the pointer is taken up, and nothing is painted.
    page.locator('#regions [data-region="1"]').click()
    newest = page.evaluate("window.piseStudio.edit")
    page.keyboard.down("Alt")
    page.mouse.click(x + 20, y + 30)
    page.keyboard.up("Alt")
    expect(page.locator('#regions [data-region="5"]')).to_have_attribute("aria-pressed", "true")
    assert visitor.map() == painted and page.evaluate("window.piseStudio.edit") == newest

    page.locator("#regions #size").fill("60")
    page.locator('#regions [data-tool="restore"]').click()
    visitor.after(stroke)
    assert visitor.map() == detected
    visitor.after(lambda: page.locator('#bar [data-do="undo"]').click())
    visitor.wait_for_map(painted)
