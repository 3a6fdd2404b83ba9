"""The three steps that a newcomer is shown: ticked off as they are done, and gone for good afterwards."""

from playwright.sync_api import expect
from pointing import centre
from test_desktop import DESKTOP, open_example


def _state(page):
    return page.locator("#first-steps li").evaluate_all("items => items.map(item => item.dataset.done === 'true')")


def test_steps_are_ticked_off_and_do_not_come_back(visit):
    visitor = visit("first-steps", **DESKTOP)
    page = visitor.page
    expect(page.locator("#first-steps nav")).to_be_hidden()  # nothing to do before there is a photo
    open_example(visitor, 0)
    assert _state(page) == [False, False, False]
    assert page.locator("#first-steps [aria-current=step]").inner_text().split("\n")[-1] == "Drag a joint"
    visitor.shoot("1-new")
    visitor.after(lambda: page.locator("#pose [data-preset]").nth(2).click())
    assert _state(page) == [True, False, False]
    visitor.reload()
    page.wait_for_function("window.piseStudio?.carrier?.newest > 0")
    visitor.wait_for()
    assert _state(page) == [True, False, False]

    page.locator("#first-steps li[data-step=change] button").click()
    expect(page.locator("#tab-regions")).to_have_attribute("aria-selected", "true")
    page.locator('#regions [data-region="4"]').click()
    x, y = centre(page.locator("#regions #stage"))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 20, y + 30, steps=4)
    visitor.after(page.mouse.up)
    assert _state(page) == [True, True, False]
    visitor.shoot("2-painted")

    with page.expect_download():
        page.locator("#download").click()
    assert _state(page) == [True, True, True]
    page.get_by_role("tab", name="Pose").click()
    page.locator("#first-steps nav").wait_for(state="detached")
    visitor.reload()
    page.wait_for_function("window.piseStudio?.carrier?.newest > 0")
    visitor.wait_for()
    expect(page.locator("#first-steps nav")).to_have_count(0)


def test_steps_can_be_closed(visit):
    visitor = visit("first-steps-closed", **DESKTOP)
    page = visitor.page
    open_example(visitor, 0)
    visitor.after(lambda: page.locator("#pose [data-preset]").nth(2).click())
    page.get_by_role("button", name="Close the first steps").click()
    expect(page.locator("#first-steps nav")).to_have_count(0)
    visitor.reload()
    page.wait_for_function("window.piseStudio?.carrier?.newest > 0")
    visitor.wait_for()
    expect(page.locator("#first-steps nav")).to_have_count(0)
