"""All places are taken: the page says so, waits by itself, and opens what was chosen once there is a place."""

from typing import Any

from conftest import Visitor
from playwright.sync_api import expect
from test_desktop import DESKTOP

from reliability import studio


def test_a_page_at_the_door_goes_on_by_itself(chromium, weights):
    screen: dict[str, Any] = DESKTOP
    server = studio.Studio("--places", "1", "--weights", str(weights))
    try:
        first = studio.Visitor(server.address, 1)
        first.open()
        visitor = Visitor(chromium, server.address, "door", False, **screen)
        page = visitor.page
        page.locator("#welcome #examples button").nth(0).click()
        page.locator("#bar #status", has_text="This page goes on by itself").wait_for()
        expect(page.locator("#bar #status")).to_have_attribute("data-kind", "busy")
        expect(page.locator("#bar #stop")).to_be_visible()
        visitor.shoot("waits")
        first.leave()
        page.locator("#pose #stage").wait_for(state="visible")
        visitor.wait_for()
        assert visitor.problems == []
        visitor.context.close()
    finally:
        server.clean()
