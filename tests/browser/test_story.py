"""The work is a document: it survives a reload, and is saved, opened and downloaded as it was."""

import io

import pytest
from PIL import Image
from playwright.sync_api import expect
from pointing import centre
from test_desktop import DESKTOP, borrow_example, open_example
from test_phone import PHONE


def paint_a_stroke(visitor):
    page = visitor.page
    page.get_by_role("tab", name="Regions").click()
    page.locator('#regions [data-region="5"]').click()
    stage = page.locator("#regions #stage")
    stage.scroll_into_view_if_needed()
    x, y = centre(stage)
    page.mouse.move(x - 10, y)
    page.mouse.down()
    page.mouse.move(x - 40, y + 30, steps=6)
    page.mouse.up()


def drag_the_wrist(visitor):
    mouse = visitor.page.mouse
    x, y = visitor.joint("left_wrist")
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + 20, y - 70, steps=5)
    visitor.after(mouse.up)


def test_a_duplicated_tab_is_another_document(visit):
    visitor = visit("duplicated", **DESKTOP)
    open_example(visitor, 0)
    visitor.after(lambda: visitor.page.locator("#pose [data-preset]").nth(2).click())
    twin = visitor.context.new_page()
    twin.goto(visitor.page.url)
    twin.wait_for_function("() => sessionStorage.getItem('pise-session')")
    name = visitor.page.evaluate("() => sessionStorage.getItem('pise-session')")
    twin.evaluate("name => sessionStorage.setItem('pise-session', name)", name)
    twin.reload()
    twin.wait_for_function("name => sessionStorage.getItem('pise-session') !== name", arg=name)
    expect(twin.locator("#welcome")).to_be_visible()
    # The first tab is reloaded as ever.
    visitor.reload()
    visitor.page.locator("#pose #stage").wait_for(state="visible")
    visitor.wait_for()
    assert visitor.page.evaluate("() => sessionStorage.getItem('pise-session')") == name


def wrist(visitor):
    visitor.page.get_by_role("tab", name="Pose").click()
    return [
        float(visitor.page.locator('#pose circle[data-joint="left_wrist"]').get_attribute(c) or 0) for c in ("cx", "cy")
    ]


def downloaded(page):
    with page.expect_download() as download:
        page.locator("#download").click()
    with Image.open(io.BytesIO(download.value.path().read_bytes())) as image:
        return image.convert("RGB").tobytes()


@pytest.mark.parametrize(("name", "size"), [("desktop", DESKTOP), ("phone", PHONE)])
def test_a_whole_story(visit, tmp_path, name, size):
    visitor = visit(f"document-{name}", **size)
    page = visitor.page
    open_example(visitor, 5)
    page.get_by_role("button", name="Close the first steps").click()
    drag_the_wrist(visitor)
    visitor.after(lambda: paint_a_stroke(visitor))
    page.get_by_role("tab", name="Textures").click()
    row = borrow_example(visitor, 3)
    visitor.after(lambda: row.locator('[data-reference="r1"]').click())
    visitor.after(lambda: row.locator(".mixes input").fill("40"))
    for _ in range(3):
        visitor.after(lambda: page.locator('#bar [data-do="undo"]').click())
    visitor.after(lambda: page.locator('#bar [data-do="redo"]').click())
    visitor.after(lambda: page.locator('#bar [data-do="redo"]').click())
    raised, painted, picture = wrist(visitor), visitor.map(), downloaded(page)

    with page.expect_download() as download:
        page.keyboard.press("Control+s")
    assert download.value.suggested_filename == "person-6.pise"
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    visitor.wait_for()

    visitor.reload()
    page.locator("#pose #stage").wait_for(state="visible")
    visitor.wait_for_map(painted)
    visitor.wait_for()
    assert wrist(visitor) == pytest.approx(raised, abs=1) and downloaded(page) == picture
    page.get_by_role("tab", name="Textures").click()
    expect(row.locator(".mixes input")).to_have_value("100")

    # Another tab is another document, until the file is opened there.
    other = visit(f"document-{name}-opened", **size)
    other.page.locator("#drop input[type=file]").set_input_files(path)
    other.page.locator("#pose #stage").wait_for(state="visible")
    other.wait_for_map(painted)
    other.wait_for()
    assert downloaded(other.page) == picture
    visitor.shoot("reloaded")
    other.shoot("opened")
    other.after(lambda: other.page.locator('#bar [data-do="redo"]').click())
    other.page.get_by_role("tab", name="Textures").click()
    expect(other.page.locator('#textures [data-region="upper_clothes"] .mixes input')).to_have_value("40")

    path.write_bytes(path.read_bytes()[:5000])
    other.page.locator("#open").locator("xpath=..").locator("input[type=file]").set_input_files(path)
    assert "damaged" in other.wait_for("error")
    assert downloaded(other.page) != picture  # the document stays open as it was, with the step redone
