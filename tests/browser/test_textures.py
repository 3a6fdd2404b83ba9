"""A garment that nobody wears, the steps of a mix, and a look that is saved and used again."""

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect
from pointing import bounds, drag
from test_desktop import DESKTOP, open_example
from test_phone import PHONE

from pise_core.images import write_image


@pytest.fixture
def laid_out(tmp_path):
    """A photo of a green shirt on a light ground."""
    photo = np.full((260, 200, 3), (225, 222, 215), np.uint8)
    shirt = [(60, 60), (100, 50), (140, 60), (190, 130), (160, 150), (145, 110), (145, 220), (55, 220), (55, 110),
             (40, 150), (10, 130)]  # fmt: skip
    cv2.fillPoly(photo, [np.array(shirt)], (40, 130, 80))
    write_image(tmp_path / "shirt.png", photo)
    return tmp_path / "shirt.png"


@pytest.mark.parametrize(("name", "size"), [("desktop", DESKTOP), ("phone", PHONE)])
def test_a_garment_is_marked_mixed_and_saved(visit, tmp_path, laid_out, name, size):
    visitor = visit(f"textures-{name}", **size)
    page = visitor.page
    open_example(visitor, 5)
    page.get_by_role("tab", name="Textures").click()
    upload = page.locator("#add-reference").locator("xpath=..").locator("input[type=file]")
    upload.set_input_files(laid_out)
    frame = page.locator("#textures #garment-frame")
    frame.wait_for(state="visible")
    visitor.wait_for("hint")
    marked = page.locator("#textures #garment-box")
    x, y, width, height = bounds(frame)
    assert 0.3 < bounds(marked)[3] / height < 0.9  # the shirt was found already

    # The user knows better, and draws the box again.
    drag(page, (x + 2, y + 0.15 * height), (x + width - 2, y + 0.9 * height))
    assert bounds(marked)[2] > 0.95 * width
    visitor.shoot("garment")
    page.locator('#textures [data-garment="use"]').click()
    row = page.locator('#textures [data-region="upper_clothes"]')
    row.locator('[data-reference="r1"]').wait_for()
    visitor.wait_for()
    expect(frame).to_be_hidden()
    expect(page.locator('#textures [data-region="hair"] [data-reference="r1"]')).to_be_disabled()

    whole = visitor.after(lambda: row.locator('[data-reference="r1"]').click())
    row.locator("[data-strip]").click()
    steps = row.locator("[data-step]")
    steps.nth(4).wait_for()
    visitor.wait_for()
    assert [step.get_attribute("aria-pressed") for step in steps.all()] == ["false"] * 4 + ["true"]
    assert visitor.after(lambda: steps.nth(2).click()) != whole
    expect(row.locator(".mixes input")).to_have_value("50")
    visitor.shoot("steps")

    with page.expect_download() as download:
        row.locator("[data-look]").click()
    assert download.value.suggested_filename == "person-6-upper_clothes.pise"
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    visitor.wait_for()
    upload.set_input_files(path)
    row.locator('[data-reference="r2"]').wait_for()
    visitor.wait_for()


def test_a_row_of_keys_on_a_slider_is_one_step(visit):
    visitor = visit("textures-keys", **DESKTOP)
    page = visitor.page
    open_example(visitor, 5)
    page.get_by_role("tab", name="Textures").click()
    page.locator("#textures [data-example]").first.click()
    row = page.locator('#textures [data-region="upper_clothes"]')
    row.locator('[data-reference="r1"]').wait_for()
    visitor.wait_for()
    visitor.after(lambda: row.locator('[data-reference="r1"]').click())
    slider = row.locator(".mixes input")
    slider.focus()

    def press():
        for _ in range(4):
            page.keyboard.press("ArrowLeft")

    visitor.after(press)
    expect(slider).to_have_value("96")
    page.locator('#bar [data-do="undo"]').click()
    page.wait_for_function("""() => document.querySelector("#textures .html-container > div").shadowRoot
      .querySelector("[data-mix]").value === "100" """)
