"""The menu of backgrounds: what each costs, a hub that is away, and a document that goes on with another one."""

import pytest
from playwright.sync_api import expect
from test_desktop import DESKTOP, open_example

from app.layout import build
from app.state.detectors import LAMA
from app.state.fetched import Fetched
from app.view.studio import Studio
from pise_core.detection.lama import LamaInpainter
from pise_core.errors import HubUnreachable
from tests.conftest import served
from tests.test_lama import write_graph


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """What the hub's file is fetched by: nothing at first, then a small graph."""
    file = write_graph(tmp_path_factory.mktemp("hub") / "small.onnx")
    answers = iter([False, True])

    def make(told):
        if not next(answers):
            raise HubUnreachable("the network is gone")
        inpainter = LamaInpainter(file)
        inpainter.load(told)
        return inpainter

    return Fetched(make)


@pytest.fixture(scope="module")
def studio_address(editor, hub):
    """Address of a server with that hub."""
    studio = Studio(lambda: editor)
    studio.detectors._hub[LAMA] = hub
    with served(build(studio)) as address:
        yield address


def test_a_document_goes_on_with_another_background_once_it_is_there(visit):
    visitor = visit("background", **DESKTOP)
    page = visitor.page
    open_example(visitor, 0)
    visitor.after(lambda: page.locator("#pose [data-preset]").nth(3).click())
    page.locator("#settings button").first.click()
    choices = page.locator("#background label")
    expect(choices).to_have_text(["Built-in", "LaMa (downloads 208 MB from the hub; Apache-2.0 licence)"])
    built_in, lama = (choices.nth(n).locator("input") for n in (0, 1))
    expect(built_in).to_be_checked()
    choices.nth(1).click()
    assert "The background is as before." in visitor.wait_for("error")
    expect(built_in).to_be_checked()
    expect(lama).not_to_be_checked()
    visitor.shoot("as-before")
    visitor.after(lambda: choices.nth(1).click())
    expect(lama).to_be_checked()
    expect(page.locator('#bar [data-do="undo"]')).to_be_enabled()
    visitor.shoot("other")
    visitor.reload()
    visitor.wait_for()
    page.locator("#settings button").first.click()
    expect(lama).to_be_checked()
