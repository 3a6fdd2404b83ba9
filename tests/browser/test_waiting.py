"""Long work of which the tests decide how long it takes: who waits for it is told, and whoever has enough stops it."""

import threading

import pytest
from playwright.sync_api import expect
from test_desktop import DESKTOP, borrow_example, open_example
from test_phone import PHONE
from test_placing import wait_for_text

from app.layout import build
from app.view.studio import Studio
from tests.conftest import served


class Paused(Studio):
    """A studio whose strips and motions stand still before each further picture as long as ``going`` is not set."""

    going = threading.Event()

    def _paused(self, updates):
        for update in updates:
            yield update
            self.going.wait(30)

    def strip(self, session, value):
        yield from self._paused(super().strip(session, value))

    def save_motion(self, session, value):
        yield from self._paused(super().save_motion(session, value))


@pytest.fixture(scope="module")
def studio_address(editor):
    """Address of a server whose long work can be held up."""
    studio = Paused(lambda: editor)
    studio.line.room = 1  # however many cores there are
    with served(build(studio)) as address:
        yield address


@pytest.fixture(autouse=True)
def going():
    """Set as long as the work is not to be held up."""
    Paused.going.set()
    yield Paused.going
    Paused.going.set()


def begin_a_strip(visitor, going):
    """Open an example, borrow from another one, and ask for the steps between; its row."""
    open_example(visitor, 1)
    visitor.page.get_by_role("tab", name="Textures").click()
    row = borrow_example(visitor, 0)
    visitor.after(lambda: row.locator('[data-reference="r1"]').click())
    going.clear()
    row.locator("[data-strip]").click()
    return row


def test_who_waits_for_others_is_told_how_many(visit, going):
    first, second = visit("first-in-line", **DESKTOP), visit("second-in-line", **DESKTOP)
    row = begin_a_strip(first, going)
    first.page.locator("#bar #stop").wait_for(state="visible")
    second.page.locator("#welcome #examples button").first.click()
    wait_for_text(second.page, "1 other request comes first")
    second.shoot("waits")
    going.set()
    row.locator("[data-step]").nth(4).wait_for()
    second.page.locator("#pose #stage").wait_for(state="visible")
    assert first.wait_for() and second.wait_for()


@pytest.mark.parametrize(("name", "size"), [("desktop", DESKTOP), ("phone", PHONE)])
def test_steps_are_stopped(visit, going, name, size):
    visitor = visit(f"stop-{name}", **size)
    row = begin_a_strip(visitor, going)
    stop = visitor.page.locator("#bar #stop")
    stop.wait_for(state="visible")
    visitor.shoot("running")
    with visitor.page.expect_response("**/queue/join*"):
        stop.click()
    going.set()
    visitor.wait_for()
    expect(visitor.page.locator("#bar #status")).to_have_text("Stopped.", use_inner_text=True)
    expect(stop).to_be_hidden()
    expect(row.locator("[data-step]")).to_have_count(0)
    row.locator("[data-strip]").click()  # once more, to the end
    row.locator("[data-step]").nth(4).wait_for()


def test_whoever_has_waited_long_enough_stops(visit, going):
    first, second = visit("stop-first", **DESKTOP), visit("stop-second", **DESKTOP)
    begin_a_strip(first, going)
    first.page.locator("#bar #stop").wait_for(state="visible")
    second.page.locator("#welcome #examples button").first.click()
    second.page.locator("#bar #stop").click()
    assert second.wait_for() == "Stopped."
    expect(second.page.locator("#pose #stage")).to_be_hidden()


def test_a_motion_is_stopped(visit, going):
    visitor = visit("stop-motion", **DESKTOP)
    page = visitor.page
    open_example(visitor, 0)
    visitor.after(lambda: page.locator("#pose [data-preset]").nth(4).click())
    page.get_by_role("tab", name="Motion").click()
    keys = page.locator("#motion #keys li")
    for count in range(2):
        page.locator('#motion [data-do="add"]').click()
        keys.nth(count).wait_for()
    visitor.wait_for()
    going.clear()
    page.locator('#motion [data-save="gif"]').click()
    stop = page.locator('#motion [data-do="stop"]')
    stop.wait_for(state="visible")
    with page.expect_response("**/queue/join*"):
        stop.click()
    going.set()
    stop.wait_for(state="hidden")
    wait_for_text(page, "Stopped")
    expect(page.locator('#motion [data-save="gif"]')).to_be_visible()
    expect(page.locator("#motion #progress")).to_be_hidden()
