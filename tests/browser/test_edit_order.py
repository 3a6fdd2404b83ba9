"""A request that is overtaken on its way to the server is still carried out in its turn."""

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
