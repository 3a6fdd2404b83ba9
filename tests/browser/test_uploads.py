"""Files that are dropped or chosen: the wrong ones are refused in the status line, and cost nothing."""

import base64

import pytest
from PIL import Image
from playwright.sync_api import expect
from test_desktop import DESKTOP, open_example

from app.components import PHOTOS
from pise_core.document.file_format import MAX_DOCUMENT_BYTES

_REFUSED = "notes.txt is not a JPEG, PNG or WebP picture or .pise document"


@pytest.fixture
def notes(tmp_path):
    """A file that is no photo."""
    path = tmp_path / "notes.txt"
    path.write_text("Thursday: fitting at ten.")
    return path


@pytest.fixture
def film(tmp_path):
    """A file that is larger than what the server takes."""
    path = tmp_path / "film.pise"
    with path.open("wb") as file:
        file.truncate(MAX_DOCUMENT_BYTES + 1)
    return path


def let_fall(page, target, data):
    """Let a file fall on a part of the page."""
    for event in ("dragenter", "dragover", "drop"):
        page.locator(target).dispatch_event(event, {"dataTransfer": data, "bubbles": True, "cancelable": True})


def drop(page, target, path):
    """Let the file of that path fall on a part of the page."""
    data = page.evaluate_handle(
        """([name, data]) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name));
          return transfer;
        }""",
        [path.name, base64.b64encode(path.read_bytes()).decode()],
    )
    let_fall(page, target, data)


def field_of(page, button):
    return page.locator(f"input[type=file]:has(+ {button})")


def test_a_wrong_file_is_refused_in_the_status_line_and_nothing_is_lost(visit, notes, drawn_photo):
    visitor = visit("uploads-wrong", **DESKTOP)
    page = visitor.page
    page.wait_for_selector("#drop")
    drop(page, "#drop button", notes)
    assert visitor.wait_for("error") == _REFUSED
    expect(page.locator(".toast-body")).to_have_count(0)
    visitor.shoot("dropped")

    open_example(visitor, 0)
    edited = visitor.after(lambda: page.locator("#pose [data-preset]").nth(3).click())
    number, raised = page.evaluate("window.piseStudio.document"), visitor.joint("left_wrist")
    field_of(page, "#open").set_input_files(notes)
    assert visitor.wait_for("error") == _REFUSED
    # The picture is rendered again after whatever was tried, and says nothing: the message stays.
    page.wait_for_function("edited => window.piseStudio.picture !== edited", arg=edited)
    page.locator("#download:not([disabled])").wait_for()
    assert visitor.wait_for("error") == _REFUSED
    field_of(page, "#pose-photo").set_input_files(notes)
    page.locator("#bar #status", has_text="is not a JPEG, PNG or WebP picture").filter(has_not_text=".pise").wait_for()
    page.get_by_role("tab", name="Textures").click()
    # Of several files the others are taken.
    field_of(page, "#add-reference").set_input_files([notes, drawn_photo])
    page.locator('#textures [data-region="upper_clothes"] [data-reference="r1"]').wait_for()
    assert visitor.wait_for("error") == f"{_REFUSED}."
    expect(page.locator(".toast-body")).to_have_count(0)
    assert page.evaluate("window.piseStudio.document") == number
    expect(page.locator('#bar [data-do="undo"]')).to_be_enabled()
    page.get_by_role("tab", name="Pose").click()
    assert visitor.joint("left_wrist") == pytest.approx(raised, abs=1)


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(visit, film):
    visitor = visit("uploads-large", **DESKTOP)
    page = visitor.page
    sent = []
    page.on("request", lambda request: sent.append(request.url) if "/upload" in request.url else None)
    page.wait_for_selector("#drop")
    refusal = "film.pise is larger than 200 MB; choose a smaller file. Nothing was sent."
    page.locator("#drop input[type=file]").set_input_files(film)
    assert visitor.wait_for("error") == refusal
    page.evaluate("window.piseStudio.dispatchEvent(new CustomEvent('status', { detail: { kind: 'hint', text: '' } }))")
    field = page.evaluate_handle("document.createElement('input')").as_element()
    field.evaluate("field => (field.type = 'file')")
    field.set_input_files(film)
    data = field.evaluate_handle(
        "field => { const all = new DataTransfer(); all.items.add(field.files[0]); return all; }"
    )
    let_fall(page, "#drop button", data)
    assert visitor.wait_for("error") == refusal
    expect(page.locator(".toast-body")).to_have_count(0)
    assert not sent


def test_the_dialogs_offer_what_can_be_opened(visit):
    visitor = visit("uploads-offered", **DESKTOP)
    page = visitor.page
    page.wait_for_selector("#drop")
    with page.expect_file_chooser() as dialog:
        page.locator("#drop button").click()
    assert dialog.value.element.get_attribute("accept") == ",".join([*PHOTOS, ".pise"])
    open_example(visitor, 0)
    with page.expect_file_chooser() as dialog:
        page.locator("#pose-photo").click()
    assert dialog.value.element.get_attribute("accept") == ",".join(PHOTOS)


def test_a_file_dropped_anywhere_is_opened_and_does_not_replace_the_page(visit, drawn_photo):
    visitor = visit("uploads-anywhere", **DESKTOP)
    page = visitor.page
    open_example(visitor, 0)
    visitor.after(lambda: page.locator("#pose [data-preset]").nth(3).click())
    page.get_by_role("tab", name="Textures").click()
    drop(page, "#textures", drawn_photo)  # there it is a reference
    page.locator('#textures [data-region="upper_clothes"] [data-reference="r1"]').wait_for()
    visitor.wait_for()
    page.get_by_role("tab", name="Pose").click()
    number = page.evaluate("window.piseStudio.document")
    drop(page, "#result", drawn_photo)
    page.wait_for_function("number => window.piseStudio.document > number", arg=number)
    assert "Undo brings back your work before this" in visitor.wait_for()
    with Image.open(drawn_photo) as photo:
        assert page.locator("#download").inner_text().endswith(f"{photo.width} × {photo.height}")
