"""Several people in a photo, and a photo that is looked at again."""

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect
from pointing import centre
from test_desktop import DESKTOP, open_example

from pise_core.images import read_image, write_image

_PEOPLE = Path(__file__).resolve().parents[2] / "app" / "examples" / "people"


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A photo of two people side by side."""
    path = tmp_path_factory.mktemp("pair") / "pair.png"
    write_image(path, np.concatenate([read_image(_PEOPLE / f"person-{number}.png") for number in (3, 6)], axis=1))
    return path


def opened(visitor, pair):
    """The page with the photo of both."""
    visitor.page.wait_for_selector("#drop")
    visitor.page.locator("#drop input[type=file]").set_input_files(pair)
    visitor.page.locator("#pose #stage").wait_for(state="visible")
    return visitor.page


def newer(page, number):
    """Wait until another document than that one is on the page."""
    page.wait_for_function("number => window.piseStudio.document > number", arg=number)


def test_another_person_of_the_photo_is_chosen(visit, pair):
    visitor = visit("people", **DESKTOP)
    page = opened(visitor, pair)
    assert "2 people found" in visitor.wait_for()
    chosen = page.locator("#pose [data-person][aria-pressed=true]")
    assert page.locator("#pose [data-person]").count() == page.locator("#pose #boxes rect").count() == 2
    expect(chosen).to_have_text("Person 1", use_inner_text=True)
    middle, _ = centre(page.locator("#pose #world"))
    first = visitor.joint("neck")[0]
    number = page.evaluate("window.piseStudio.document")
    page.locator('#pose [data-person="1"]').click()
    newer(page, number)
    visitor.wait_for()
    expect(chosen).to_have_text("Person 2", use_inner_text=True)
    assert (visitor.joint("neck")[0] > middle) != (first > middle)
    visitor.shoot("second")


def test_everybody_keeps_their_edits_and_one_picture_shows_all(visit, pair):
    visitor = visit("people-edits", **DESKTOP)
    page = opened(visitor, pair)
    visitor.wait_for()
    visitor.after(lambda: page.locator("#pose [data-preset]").nth(3).click())
    wrist = visitor.joint("left_wrist")
    first = visitor.bytes_of(visitor.picture())
    number = page.evaluate("window.piseStudio.document")
    visitor.after(lambda: page.locator('#pose [data-person="1"]').click())
    newer(page, number)
    assert visitor.bytes_of(visitor.picture()) == first  # the picture of before is still there
    visitor.after(lambda: page.locator("#pose [data-preset]").nth(3).click())
    both = visitor.bytes_of(visitor.picture())
    assert both != first
    visitor.shoot("both")
    number = page.evaluate("window.piseStudio.document")
    visitor.after(lambda: page.locator('#pose [data-person="0"]').click())
    newer(page, number)
    assert visitor.joint("left_wrist") == pytest.approx(wrist, abs=1)
    assert visitor.bytes_of(visitor.picture()) == both
    visitor.after(lambda: page.locator('#bar [data-do="undo"]').click())
    alone = visitor.bytes_of(visitor.picture())
    assert alone not in (first, both)


def test_a_photo_is_looked_at_again_and_undo_brings_the_edits_back(visit):
    visitor = visit("again", **DESKTOP)
    page = visitor.page
    open_example(visitor, 0)
    found = visitor.joint("left_wrist")
    visitor.after(lambda: page.locator("#pose [data-preset]").nth(3).click())
    edited = visitor.joint("left_wrist")
    number = page.evaluate("window.piseStudio.document")
    page.locator("#settings button").first.click()
    page.locator("#again").click()
    newer(page, number)
    assert "Undo brings back" in visitor.wait_for()
    page.evaluate("scrollTo(0, 0)")
    assert visitor.joint("left_wrist") == pytest.approx(found, abs=1) and found != pytest.approx(edited, abs=20)
    visitor.after(lambda: page.locator('#bar [data-do="undo"]').click())
    assert visitor.joint("left_wrist") == pytest.approx(edited, abs=1)
