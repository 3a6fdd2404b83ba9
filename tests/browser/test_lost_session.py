"""A page whose session is gone: left alone for too long, crowded out, or the server was restarted."""

from gradio_client import Client
from test_desktop import DESKTOP, open_example


def test_a_page_whose_session_is_gone_says_so_and_goes_on_with_a_photo_opened_again(visit, studio_address, drawn_photo):
    visitor = visit("lost", **DESKTOP)
    page = visitor.page
    open_example(visitor, 0)
    visitor.after(lambda: page.locator("#pose [data-preset]").nth(1).click())
    lost = page.evaluate("sessionStorage.getItem('pise-session')")
    Client(studio_address, verbose=False).predict(lost, api_name="/close")

    page.locator("#pose [data-preset]").nth(3).click()
    page.wait_for_function("before => sessionStorage.getItem('pise-session') !== before", arg=lost)
    assert visitor.wait_for("error") == "What was open here has expired; open the photo again"

    upload = page.locator("#open").locator("xpath=..").locator("input[type=file]")
    upload.set_input_files(drawn_photo)
    page.wait_for_function("() => window.piseStudio.pose?.()?.[0]?.[0] < 220")
    visitor.wait_for()
    # Edits and previews go to the new session.
    with page.expect_response("**/component_server/") as preview:
        visitor.after(lambda: page.locator("#pose [data-preset]").nth(3).click())
    assert preview.value.json()["ok"]
    page.locator('#bar [data-do="undo"]').click()
    visitor.wait_for()
    # The pictures of the lost session are gone, and the page may have asked for one of them.
    visitor.problems[:] = [problem for problem in visitor.problems if "404 (Not Found)" not in problem]
