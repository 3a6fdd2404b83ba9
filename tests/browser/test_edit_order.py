"""A request that is overtaken on its way to the server is still carried out in its turn."""

import json
import zipfile

from PIL import Image
from test_desktop import DESKTOP, open_example


def test_undo_that_overtakes_an_edit_undoes_that_edit(visit):
    visitor = visit("order", **DESKTOP)
    page = visitor.page
    open_example(visitor, 0)
    page.get_by_role("tab", name="Motion").click()
    keys = page.locator("#motion #keys li")
    for count in range(3):
        page.locator('#motion [data-do="add"]').click()
        keys.nth(count).wait_for()
    visitor.wait_for()
    held = []
    page.route("**/queue/join*", lambda route: route.continue_() if held else held.append(route))
    page.locator("#motion [data-remove]").nth(1).click()
    keys.nth(2).wait_for(state="detached")
    with page.expect_response("**/queue/join*"):
        page.locator('#bar [data-do="undo"]').click()
    held[0].continue_()
    keys.nth(2).wait_for()
    visitor.wait_for()
    page.locator('#bar [data-do="redo"]').click()
    keys.nth(2).wait_for(state="detached")


def test_a_save_that_overtakes_an_edit_holds_that_edit_and_both_are_finished(visit):
    visitor = visit("order-save", **DESKTOP)
    page = visitor.page
    open_example(visitor, 0)
    page.mouse.click(*visitor.joint("left_wrist"))
    page.locator("#pose #stage").focus()
    held = []
    page.route("**/queue/join*", lambda route: route.continue_() if held else held.append(route))
    before = visitor.page.evaluate("window.piseStudio.seq")
    with page.expect_download() as download:
        page.keyboard.press("Shift+ArrowRight")
        with page.expect_response("**/queue/join*"):
            page.keyboard.press("Control+s")  # sends the nudge, which is held, and the save
        held[0].continue_()
    with zipfile.ZipFile(download.value.path()) as saved:
        assert json.loads(saved.read("document.json"))["position"] == 1
    page.wait_for_function(
        """before => {
          const shown = document.querySelector("#result .html-container > div").shadowRoot.querySelector("#after");
          return shown.dataset.live === "false" && Number(shown.dataset.seq) > before;
        }""",
        arg=before,
    )
    visitor.wait_for()
    page.locator("#download button:not([disabled]), #download:not([disabled])").first.wait_for()


def test_an_edit_whose_predecessor_was_refused_is_made(visit, tmp_path):
    """Without a person in the photo edits are refused; those that are made once there is one are not."""
    wall = tmp_path / "wall.png"
    Image.new("RGB", (320, 400), (190, 195, 200)).save(wall)
    visitor = visit("order-refused", **DESKTOP)
    page = visitor.page
    page.wait_for_selector("#drop")
    page.locator("#drop input[type=file]").set_input_files(wall)
    visitor.wait_for("error")
    page.get_by_role("tab", name="Motion").click()
    page.locator("#motion #loop").uncheck()
    page.wait_for_function("""() => document.querySelector("#bar .html-container > div").shadowRoot
      .querySelector("#status").textContent.includes("place the skeleton under Pose")""")
    page.get_by_role("tab", name="Pose").click()
    page.locator('#pose [data-do="use"]').click()
    page.locator('#pose [data-do="anyway"]').click()  # a wall is nobody
    page.locator("#pose #placing").wait_for(state="hidden")
    visitor.after(lambda: page.locator("#pose [data-preset]").nth(3).click())
