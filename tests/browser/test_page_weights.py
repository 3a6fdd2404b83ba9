"""A menu of weights where the server was started with several; the document goes on with those that are chosen."""

import pytest
from playwright.sync_api import expect
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
    expect(menu.locator("option")).to_have_text(["Default", "Other"], use_inner_text=True)
    open_example(visitor, 5)
    shipped = visitor.after(lambda: page.locator("#pose [data-preset]").nth(4).click())
    before = visitor.bytes_of(shipped)
    other = visitor.after(lambda: menu.select_option("Other"))
    assert visitor.bytes_of(other) != before
    visitor.shoot("other")
    again = visitor.after(lambda: menu.select_option("Default"))
    assert visitor.bytes_of(again) == before
    expect(menu).to_have_value("Default")
    expect(page.locator('#bar [data-do="undo"]')).to_be_enabled()
