"""The whole path on a desktop: photo, drag, paint, fill, undo, borrow, mix, download."""

import io

import pytest
from PIL import Image
from playwright.sync_api import expect
from pointing import centre

DESKTOP = {"viewport": {"width": 1440, "height": 900}}


def open_example(visitor, number):
    """Choose a bundled example person."""
    page = visitor.page
    page.locator("#welcome #examples button").nth(number).click()
    page.locator("#pose #stage").wait_for(state="visible")
    visitor.wait_for()


def borrow_example(visitor, number):
    """Take a bundled example as a reference, and return the row of the upper clothes."""
    row = visitor.page.locator('#textures [data-region="upper_clothes"]')
    visitor.page.locator("#textures #examples button").nth(number).click()
    row.locator('[data-reference="r1"]').wait_for()
    visitor.wait_for()
    return row


def size_shown(visitor):
    return visitor.page.locator("#download").inner_text().split("·")[1].strip().split(" × ")


def test_from_photo_to_download(visit, drawn_reference):
    visitor = visit("desktop", **DESKTOP)
    page = visitor.page
    page.wait_for_selector("#drop")
    page.locator("#welcome #examples img").last.wait_for()
    visitor.shoot("0-welcome")
    open_example(visitor, 0)
    visitor.shoot("1-opened")
    original = visitor.picture()

    # Drag: a new picture arrives while the button is down.
    x, y = visitor.joint("right_wrist")
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 400):
        page.mouse.move(x - min(step, 60), y - min(2 * step, 120))
        page.wait_for_timeout(100)
        if step > 60 and visitor.live_pictures():
            break
    first = visitor.live_pictures()
    assert first and visitor.picture().startswith("data:image/jpeg")
    visitor.shoot("2-dragging")
    posed = visitor.after(page.mouse.up)
    assert posed != original and not posed.startswith("data:")
    moved = visitor.joint("right_wrist")
    assert abs(moved[0] - x) > 10
    visitor.shoot("3-posed")

    # Paint a stroke, fill an area.
    page.get_by_role("tab", name="Regions").click()
    cx, cy = centre(page.locator("#regions #stage"))
    detected = visitor.map()
    page.keyboard.press("5")

    def stroke():
        page.mouse.move(cx - 10, cy)
        page.mouse.down()
        page.mouse.move(cx - 60, cy + 40, steps=8)
        page.mouse.up()

    visitor.after(stroke)
    stroked = visitor.map()
    assert stroked != detected
    visitor.shoot("4-painted")
    page.keyboard.press("g")
    page.keyboard.press("4")
    visitor.after(lambda: page.mouse.click(cx - 60, cy + 40))
    filled = visitor.map()
    assert filled not in (detected, stroked)
    visitor.shoot("5-filled")

    # Undo twice by key, redo by button.
    visitor.after(lambda: page.keyboard.press("Control+z"))
    visitor.wait_for_map(stroked)
    visitor.after(lambda: page.keyboard.press("Control+z"))
    visitor.wait_for_map(detected)
    visitor.after(lambda: page.locator('#bar [data-do="redo"]').click())
    visitor.wait_for_map(stroked)
    visitor.after(lambda: page.keyboard.press("Control+Shift+Z"))
    visitor.wait_for_map(filled)

    # Borrow a garment and mix it.
    page.get_by_role("tab", name="Textures").click()
    row = borrow_example(visitor, 3)
    borrowed = visitor.after(lambda: row.locator('[data-reference="r1"]').click())
    slider = row.locator(".mixes input")
    expect(slider).to_have_value("100")

    def half_way():
        slider.focus()
        page.keyboard.press("Home")
        for _ in range(50):
            page.keyboard.press("ArrowRight")

    assert visitor.after(half_way) != borrowed
    expect(slider).to_have_value("50")
    visitor.shoot("6-mixed")

    # A reference from a file comes next to it.
    page.locator("#add-reference").locator("xpath=..").locator("input[type=file]").set_input_files(drawn_reference)
    row.locator('[data-reference="r2"]').wait_for()
    visitor.wait_for()

    # Compare, then download at the photo's own size, without metadata.
    page.locator("#result #slide").fill("50")
    expect(page.locator("#result #tag-before")).to_be_visible()
    visitor.shoot("7-compare")
    width, height = size_shown(visitor)
    with page.expect_download() as download:
        page.locator("#download").click()
    with Image.open(io.BytesIO(download.value.path().read_bytes())) as image:
        assert image.format == "PNG" and image.size == (int(width), int(height))
        assert set(image.info) <= {"XML:com.adobe.xmp", "xmp"}


def test_undo_from_the_first_edit_gives_the_photo_back(visit, drawn_photo, person):
    visitor = visit("desktop-undo", **DESKTOP)
    page = visitor.page
    page.wait_for_selector("#drop")
    page.locator("#drop input[type=file]").set_input_files(drawn_photo)
    page.locator("#pose #stage").wait_for(state="visible")
    visitor.wait_for()
    x, y = visitor.joint("left_wrist")
    visitor.after(lambda: page.locator("#pose [data-preset]").nth(3).click())
    raised = visitor.joint("left_wrist")
    assert raised[1] < y - 40
    visitor.shoot("preset")
    visitor.after(lambda: page.locator('#bar [data-do="undo"]').click())
    assert visitor.joint("left_wrist") == pytest.approx((x, y), abs=1)
    with page.expect_download() as download:
        page.locator("#download").click()
    with Image.open(download.value.path()) as image:
        assert (person.photo == image).all()


def test_hidden_joints_come_back_and_keys_nudge(visit):
    visitor = visit("desktop-joints", **DESKTOP)
    page = visitor.page
    open_example(visitor, 3)
    wrist = page.locator('#pose circle[data-joint="left_wrist"]')
    visitor.after(lambda: page.mouse.click(*visitor.joint("left_wrist"), button="right"))
    assert "off" in (wrist.get_attribute("class") or "")
    visitor.after(lambda: page.locator('#pose [data-do="toggle"]').click())
    assert "off" not in (wrist.get_attribute("class") or "")
    x, _ = visitor.joint("left_wrist")

    def nudge():
        page.locator("#pose #stage").focus()
        for _ in range(4):
            page.keyboard.press("Shift+ArrowRight")

    visitor.after(nudge)
    assert visitor.joint("left_wrist")[0] > x + 8


def test_starting_over_gives_the_photo_back_and_can_be_undone(visit):
    visitor = visit("desktop-over", **DESKTOP)
    page = visitor.page
    open_example(visitor, 0)
    found = visitor.joint("left_wrist")
    for preset in (3, 4):
        visitor.after(lambda number=preset: page.locator("#pose [data-preset]").nth(number).click())
    edited = visitor.joint("left_wrist")
    visitor.after(lambda: page.locator('#bar [data-do="start_over"]').click())
    assert visitor.joint("left_wrist") == pytest.approx(found, abs=1) and found != pytest.approx(edited, abs=20)
    assert "the photo as it was" in visitor.wait_for()
    visitor.after(lambda: page.locator('#bar [data-do="undo"]').click())
    assert visitor.joint("left_wrist") == pytest.approx(edited, abs=1)


def test_nobody_found_lets_the_user_place_a_skeleton(visit, tmp_path):
    path = tmp_path / "wall.png"
    Image.new("RGB", (320, 400), (190, 195, 200)).save(path)
    visitor = visit("desktop-nobody", **DESKTOP)
    page = visitor.page
    page.wait_for_selector("#drop")
    page.locator("#drop input[type=file]").set_input_files(path)
    assert "skeleton" in visitor.wait_for("error")
    page.locator("#pose #placing").wait_for(state="visible")
    x, y = visitor.joint("neck")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y + 10, steps=4)
    page.mouse.up()
    assert visitor.joint("right_ankle")[0] > x - 10  # the whole figure came along
    visitor.shoot("placing")
    page.locator('#pose [data-do="use"]').click()
    page.locator("#pose #anyway").wait_for(state="visible")
    assert "no person" in visitor.wait_for("error")
    visitor.shoot("doubted")
    assert visitor.joint("neck") == pytest.approx((x + 30, y + 10), abs=3)  # as it was placed
    page.locator('#pose [data-do="anyway"]').click()
    page.locator("#pose #placing").wait_for(state="hidden")
    assert "Regions" in visitor.wait_for("error")


def test_a_file_that_is_no_photo_is_refused_in_plain_words(visit, tmp_path):
    path = tmp_path / "broken.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"nothing")
    visitor = visit("desktop-broken", **DESKTOP)
    visitor.page.wait_for_selector("#drop")
    visitor.page.locator("#drop input[type=file]").set_input_files(path)
    assert "broken.png" in visitor.wait_for("error")
