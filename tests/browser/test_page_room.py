"""An arm that leaves the picture: the page says so and makes room at one click, which undo takes back."""

import pytest
from playwright.sync_api import expect
from pointing import drag
from test_desktop import DESKTOP
from test_phone import PHONE

from pise_core.document import Document
from tests.conftest import draw_person


@pytest.fixture(scope="module")
def filling(editor, tmp_path_factory):
    """A document of a person who fills the photo."""
    drawn = draw_person(360, 520, (80, 24, 280, 504))
    path = tmp_path_factory.mktemp("filling") / "filling.pise"
    Document.of(editor.set_person(drawn.photo, pose=drawn.pose, parsing=drawn.parsing), "filling").save(path)
    return str(path)


def size_of(page) -> list[int]:
    """Of the photo on the canvas."""
    return page.locator("#pose #world").evaluate("node => [parseInt(node.style.width), parseInt(node.style.height)]")


@pytest.mark.parametrize(("name", "size"), [("desktop", DESKTOP), ("phone", PHONE)])
def test_room_is_made_where_an_arm_leaves_the_picture(visit, filling, name, size):
    visitor = visit(f"room-{name}", **size)
    page = visitor.page
    visitor.after(lambda: page.locator("#drop input[type=file]").set_input_files(filling))
    offer = page.get_by_role("button", name="Make room")
    expect(offer).to_be_hidden()
    assert size_of(page) == [360, 520]
    edge = size["viewport"]["width"] - 3
    for joint in ("left_elbow", "left_wrist"):  # straight out at the side
        start, level = visitor.joint(joint), visitor.joint("left_shoulder")[1]
        visitor.after(lambda start=start, level=level: drag(page, start, (edge, level)))
    offer.wait_for()
    assert "beyond the photo" in visitor.wait_for()
    visitor.shoot("beyond")
    visitor.after(offer.click)
    width, height = size_of(page)
    assert 360 < width <= 540
    assert height == 520
    expect(offer).to_be_hidden()
    assert "There is room now" in visitor.wait_for()
    visitor.shoot("grown")
    first = page.locator("#result #history li").first
    expect(first).to_have_text("Edited photo", use_inner_text=True)
    assert page.locator("#download").inner_text().endswith(f"{width} × {height}")
    visitor.after(lambda: page.keyboard.press("Control+z"))
    page.wait_for_function("w => document.querySelector('#download').innerText.includes(w)", arg="360 × 520")
    expect(first).to_have_text("Photo", use_inner_text=True)
    offer.wait_for()
    visitor.after(lambda: page.keyboard.press("Control+y"))
    page.wait_for_function("w => document.querySelector('#download').innerText.includes(w)", arg=f"{width} × 520")
