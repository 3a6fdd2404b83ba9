"""What people expect of an editor, at four sizes: files of every kind, a history, comparing, many photos, shortcuts."""

import io
import zipfile

import pytest
from PIL import Image
from playwright.sync_api import expect
from sizes import SIZES
from test_desktop import borrow_example, open_example
from test_phone import PHONE

from pise_core.images import write_image
from tests.conftest import draw_person

#: A device that shares: what was shared is kept for the test.
_SHARES = """
  navigator.canShare = () => true;
  navigator.share = async ({ files }) => { globalThis.shared = [files[0].type, files[0].size]; };
"""
_WORLDS = """() => {
  const root = document.querySelector("#result .html-container > div").shadowRoot;
  return [root.querySelector("#world").style.transform, root.querySelector("#world-before").style.transform];
}"""


def saved_as(page, name, **fields):
    """The file that Save as makes."""
    page.locator('#result [data-take="formats"]').click()
    page.locator("#result #format").select_option(name)
    for field, value in fields.items():
        control = page.locator(f"#result #{field}")
        control.check() if value is True else control.fill(value)
    with page.expect_download() as download:
        page.locator("#result #take").click()
    return download.value.path().read_bytes()


@pytest.mark.parametrize("size", SIZES)
def test_pictures_go_out_in_every_way(visit, size):
    visitor = visit(f"comfort-out-{size['viewport']['width']}", **size)
    page = visitor.page
    visitor.context.add_init_script(_SHARES)
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visitor.reload()
    open_example(visitor, 0)
    visitor.after(lambda: page.locator("#pose [data-preset]").nth(3).click())
    small, large = (saved_as(page, "jpg", quality=quality) for quality in ("20", "95"))
    assert len(small) < len(large)
    with Image.open(io.BytesIO(small)) as picture:
        full = picture.size
        assert picture.format == "JPEG"
    with Image.open(io.BytesIO(saved_as(page, "png", cut=True))) as picture:
        assert (picture.format, picture.mode, picture.size) == ("PNG", "RGBA", full)
        assert picture.getchannel("A").getpixel((2, 2)) == 0
    with Image.open(io.BytesIO(saved_as(page, "webp", lossless=True))) as picture:
        assert (picture.format, picture.size) == ("WEBP", full)
    assert zipfile.is_zipfile(io.BytesIO(saved_as(page, "ora")))
    page.locator('#result [data-take="copy"]').click()
    page.locator("#bar #status", has_text="Copied at full size").wait_for()
    copied = page.evaluate("""async () => {
      const [item] = await navigator.clipboard.read();
      const picture = await createImageBitmap(await item.getType("image/png"));
      return [picture.width, picture.height];
    }""")
    assert tuple(copied) == full
    page.locator('#result [data-take="share"]').click()
    page.wait_for_function("globalThis.shared")
    assert page.evaluate("globalThis.shared[0]") == "image/jpeg"


@pytest.mark.parametrize("size", SIZES)
def test_history_is_walked_and_before_and_after_are_zoomed_together(visit, size):
    visitor = visit(f"comfort-history-{size['viewport']['width']}", **size)
    page = visitor.page
    open_example(visitor, 0)

    def wrist():  # from the neck: the page may be scrolled
        return visitor.joint("left_wrist")[1] - visitor.joint("neck")[1]

    hanging = wrist()
    visitor.after(lambda: page.locator("#pose [data-preset]").nth(3).click())
    page.get_by_role("tab", name="Regions").click()
    visitor.after(lambda: page.locator('#regions [data-cut="short_sleeves"]').click())
    steps = page.locator("#result #history button")
    assert [text.split()[-1] for text in steps.all_inner_texts()] == ["Photo", "Pose", "Regions"]
    visitor.shoot("history")
    visitor.after(lambda: steps.nth(0).click())
    expect(steps.nth(0)).to_have_attribute("aria-current", "step")
    expect(steps.nth(2)).to_have_attribute("data-undone", "true")
    page.get_by_role("tab", name="Pose").click()
    assert wrist() == pytest.approx(hanging, abs=2)
    visitor.after(lambda: steps.nth(2).click())
    page.locator('#result [data-compare="beside"]').click()
    page.locator('#result [data-do="in"]').click()
    after, before = page.evaluate(_WORLDS)
    assert after == before and "scale" in after
    expect(page.locator("#result #tag-before")).to_be_visible()
    expect(page.locator("#result #divider")).to_be_hidden()
    visitor.shoot("beside")
    page.locator('#result [data-do="fit"]').click()
    page.locator('#result [data-compare="slide"]').click()
    expect(page.locator("#result #divider")).to_be_visible()


@pytest.mark.parametrize("size", SIZES)
def test_many_photos_are_edited_alike_and_a_bad_one_is_named(visit, size, tmp_path):
    paths = []
    for name, shirt in (("red", (190, 60, 50)), ("blue", (60, 90, 170))):
        paths.append(tmp_path / f"{name}.png")
        write_image(paths[-1], draw_person(shirt=shirt).photo)
    paths.insert(1, tmp_path / "broken.png")
    paths[1].write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    visitor = visit(f"comfort-many-{size['viewport']['width']}", **size)
    page = visitor.page
    open_example(visitor, 0)
    visitor.after(lambda: page.locator("#pose [data-preset]").nth(3).click())
    with page.expect_file_chooser() as chooser:
        page.locator('#result [data-take="many"]').click()
    chooser.value.set_files(paths)
    page.locator("#batch #take").wait_for()
    rows = page.locator("#batch #rows li")
    assert [row.get_attribute("data-status") for row in rows.all()] == ["edited", "failed", "edited"]
    assert (
        "broken.png" in rows.nth(1).inner_text() and "2 edited, 1 failed" in page.locator("#batch #title").inner_text()
    )
    visitor.shoot("many")
    with page.expect_download() as download:
        page.locator("#batch #take").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert sorted(archive.namelist()) == ["blue.jpg", "contact-sheet.jpg", "red.jpg", "report.csv"]
    page.locator("#batch #close").click()
    expect(page.locator("#batch section")).to_be_hidden()


@pytest.mark.parametrize("size", SIZES)
def test_a_sheet_tells_the_keys_and_the_colours_stay_chosen(visit, size):
    visitor = visit(f"comfort-sheet-{size['viewport']['width']}", **size)
    page = visitor.page
    page.locator("#welcome #examples img").last.wait_for()
    sheet = page.locator("#sheet dialog")
    # The sheet and the keys are mounted after the examples are shown, by modules of their own.
    page.locator('#sheet [data-theme="dark"][aria-pressed]').wait_for(state="attached")
    page.wait_for_function("Boolean(window.piseStudio?.keys)")
    page.keyboard.press("?")
    expect(sheet).to_be_visible()
    assert "Undo" in sheet.inner_text()
    width = page.locator("#sheet dialog").evaluate("sheet => sheet.getBoundingClientRect().right")
    assert width <= size["viewport"]["width"]
    page.locator('#sheet [data-theme="dark"]').click()
    visitor.shoot("sheet")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    visitor.reload()
    page.locator("body.dark").wait_for(state="attached")
    page.locator('#sheet [data-theme="dark"][aria-pressed]').wait_for(state="attached")
    page.locator("#bar #help").click()
    page.locator('#sheet [data-theme="light"]').click()
    expect(page.locator("body.dark")).to_have_count(0)
    page.locator("#sheet #close").click()


def test_lenders_are_mixed_without_a_modifier_key(visit):
    visitor = visit("comfort-mix", **PHONE)
    page = visitor.page
    open_example(visitor, 0)
    page.get_by_role("tab", name="Textures").tap()
    row = borrow_example(visitor, 3)
    page.locator("#textures #examples button").nth(5).tap()
    row.locator('[data-reference="r2"]').wait_for()
    visitor.wait_for()
    page.locator("#textures #mixing").tap()
    for reference in ("r1", "r2"):
        visitor.after(lambda key=reference: row.locator(f'[data-reference="{key}"]').tap())
    expect(row.locator(".mixes input")).to_have_count(2)
    page.locator("#textures #mixing").tap()
    visitor.after(lambda: row.locator('[data-reference="r2"]').tap())
    expect(row.locator(".mixes input")).to_have_count(1)
