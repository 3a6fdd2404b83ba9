"""A menu of weights where the server was started with several; the document goes on with those that are chosen."""

import pytest
from test_desktop import DESKTOP, open_example

from app.layout import build
from app.view.studio import Studio
from pise_core import PISE, Editor, PISEConfig
from tests.conftest import served


@pytest.fixture(scope="module")
def studio_address(editor):
    """Address of a server with other weights besides, which nobody has trained."""
    other = Editor(PISE(PISEConfig(width=4, colour_path=True, detail_path=True)), editor.analyzer)
    with served(build(Studio(lambda: editor, {"Other": lambda: other}))) as address:
        yield address


def test_the_document_goes_on_with_other_weights(visit):
    visitor = visit("weights", **DESKTOP)
    page = visitor.page
    menu = page.locator("#bar #weights select")
    menu.wait_for(state="visible")
    assert menu.locator("option").all_inner_texts() == ["Default", "Other"]
    open_example(visitor, 5)
    shipped = visitor.after(lambda: page.locator("#pose [data-preset]").nth(4).click())
    pixels = """async url => {
      const image = Object.assign(new Image(), { src: url });
      await image.decode();
      const canvas = Object.assign(document.createElement("canvas"), { width: 60, height: 90 });
      canvas.getContext("2d").drawImage(image, 0, 0, 60, 90);
      return canvas.toDataURL();
    }"""
    before = page.evaluate(pixels, shipped)
    other = visitor.after(lambda: menu.select_option("Other"))
    assert page.evaluate(pixels, other) != before
    visitor.shoot("other")
    again = visitor.after(lambda: menu.select_option("Default"))
    assert page.evaluate(pixels, again) == before and menu.input_value() == "Default"
    assert page.locator('#bar [data-do="undo"]').is_enabled()
