"""Joints that the user places: on somebody who was not found, and where they were found wrong."""

import pytest
from PIL import Image
from playwright.sync_api import expect
from pointing import centre, drag
from test_desktop import DESKTOP, open_example
from test_phone import PHONE


def open_wall(visitor, tmp_path):
    """Open a photo without anybody."""
    path = tmp_path / "wall.png"
    Image.new("RGB", (320, 400), (190, 195, 200)).save(path)
    visitor.page.wait_for_selector("#drop")
    visitor.page.locator("#drop input[type=file]").set_input_files(path)
    assert "skeleton" in visitor.wait_for("error")
    visitor.page.locator("#pose #placing").wait_for(state="visible")


def wait_for_text(page, text):
    """Wait until the status line says so."""
    page.wait_for_function(
        """text => document.querySelector("#bar .html-container > div").shadowRoot
          .querySelector("#status").textContent.includes(text)""",
        arg=text,
    )


def scale(visitor):
    """Pixels of the screen per pixel of the photo: the canvas gives way to the banner."""
    return visitor.page.locator("#pose #world").evaluate(
        "world => world.getBoundingClientRect().width / world.offsetWidth"
    )


def of_the_neck(visitor, name):
    """Where a joint is, in pixels of the photo from the neck: the page may be scrolled."""
    (x, y), (nx, ny) = visitor.joint(name), visitor.joint("neck")
    return (x - nx) / scale(visitor), (y - ny) / scale(visitor)


@pytest.mark.parametrize(("name", "size"), [("desktop", DESKTOP), ("phone", PHONE)])
def test_joints_that_were_found_wrong_are_corrected(visit, name, size):
    visitor = visit(f"correct-{name}", **size)
    page = visitor.page
    open_example(visitor, 0)
    page.get_by_role("button", name="Close the first steps").click()
    visitor.shoot("opened")
    banner = page.locator("#pose #placing")
    found = of_the_neck(visitor, "left_wrist")
    visitor.after(lambda: page.locator("#pose [data-preset]").nth(3).click())
    edited = of_the_neck(visitor, "left_wrist")
    assert edited[1] < found[1] - 20

    # The joints are those that were found, over the photo, and each is moved alone.
    page.locator('#pose [data-do="correct"]').click()
    banner.wait_for(state="visible")
    assert of_the_neck(visitor, "left_wrist") == pytest.approx(found, abs=1)
    expect(page.locator('#pose [data-under="photo"]')).to_have_attribute("aria-pressed", "true")
    elbow = of_the_neck(visitor, "left_elbow")

    def move_the_wrist():
        x, y = visitor.joint("left_wrist")
        drag(page, (x, y), (x + 20 * scale(visitor), y - 30 * scale(visitor)))
        assert of_the_neck(visitor, "left_wrist") == pytest.approx((found[0] + 20, found[1] - 30), abs=3)

    move_the_wrist()
    assert of_the_neck(visitor, "left_elbow") == pytest.approx(elbow, abs=1)
    page.keyboard.press("Control+z")
    assert of_the_neck(visitor, "left_wrist") == pytest.approx(found, abs=1)
    move_the_wrist()
    visitor.shoot("correcting")

    # Another page load loses nothing of it; cancelled, the edited pose is there again.
    visitor.reload()
    banner.wait_for(state="visible")
    visitor.wait_for()
    assert of_the_neck(visitor, "left_wrist") == pytest.approx((found[0] + 20, found[1] - 30), abs=3)
    page.locator('#pose [data-do="cancel"]').click()
    expect(banner).to_be_hidden()
    assert of_the_neck(visitor, "left_wrist") == pytest.approx(edited, abs=1)

    # Used, they are the person's own; undo brings the edits before back.
    page.locator('#pose [data-do="correct"]').click()
    move_the_wrist()
    number = page.evaluate("window.piseStudio.document")
    page.locator('#pose [data-do="use"]').click()
    page.wait_for_function("number => window.piseStudio.document > number", arg=number)
    visitor.wait_for()
    expect(banner).to_be_hidden()
    own = of_the_neck(visitor, "left_wrist")
    assert own == pytest.approx((found[0] + 20, found[1] - 30), abs=3)
    visitor.after(lambda: page.locator("#pose [data-preset]").nth(0).click())
    visitor.after(lambda: page.locator('#pose [data-do="own"]').click())
    assert of_the_neck(visitor, "left_wrist") == pytest.approx(own, abs=1)
    for _ in range(2):
        visitor.after(lambda: page.locator('#bar [data-do="undo"]').click())
    visitor.after(lambda: page.locator('#bar [data-do="undo"]').click())
    assert of_the_neck(visitor, "left_wrist") == pytest.approx(edited, abs=1)


def test_a_skeleton_that_was_placed_is_there_after_another_page_load(visit, tmp_path):
    visitor = visit("placed-reload", **DESKTOP)
    page = visitor.page
    open_wall(visitor, tmp_path)
    x, y = visitor.joint("neck")
    drag(page, (x, y), (x + 40, y + 15))
    x, y = visitor.joint("left_wrist")
    drag(page, (x, y), (x + 30, y - 60))
    before = visitor.joint("neck"), visitor.joint("left_wrist")
    visitor.reload()
    page.locator("#pose #placing").wait_for(state="visible")
    for joint, place in zip(("neck", "left_wrist"), before, strict=True):
        assert visitor.joint(joint) == pytest.approx(place, abs=1)


def test_what_needs_a_person_says_how_to_get_one(visit, tmp_path):
    visitor = visit("nobody-yet", **DESKTOP)
    page = visitor.page
    open_wall(visitor, tmp_path)
    page.locator('#pose [data-do="keep"]').click()
    wait_for_text(page, "then press Use this pose")
    page.get_by_role("tab", name="Regions").click()
    page.mouse.click(*centre(page.locator("#regions #stage")))
    wait_for_text(page, "Nobody to paint on yet")
    page.get_by_role("tab", name="Motion").click()
    page.locator('#motion [data-do="add"]').click()
    wait_for_text(page, "Place the skeleton first")
    expect(page.locator("#motion #keys li")).to_have_count(0)
