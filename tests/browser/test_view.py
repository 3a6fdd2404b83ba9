"""Zoom and pan: a new photo is seen whole, and a pinch takes back what its first finger began."""

from playwright.sync_api import expect
from pointing import bounds, centre
from test_carry import HeldBack
from test_desktop import DESKTOP, open_example
from test_phone import PHONE, Fingers


def shown(visitor):
    """The picture on show, whether it is a live one, and whether parts are carried over it."""
    return visitor.page.evaluate("""() => {
      const root = document.querySelector("#result .html-container > div").shadowRoot;
      const { src, dataset } = root.querySelector("#after");
      return [src, dataset.live === "true", !root.querySelector("#carry").hidden];
    }""")


def middle(page, part):
    return centre(page.locator(f"{part} #stage"))


def test_another_photo_is_seen_whole_where_the_one_before_was_zoomed(visit):
    visitor = visit("view-fit", **DESKTOP)
    page = visitor.page
    open_example(visitor, 0)

    def whole():
        _, top, _, room = bounds(page.locator("#regions #stage"))
        _, y, _, height = bounds(page.locator("#regions #world"))
        return height <= room and y >= top

    page.get_by_role("tab", name="Regions").click()
    assert whole()
    for _ in range(3):
        page.locator('#regions [data-do="in"]').click()
    assert not whole()
    page.get_by_role("tab", name="Pose").click()
    page.locator("#show-examples").click()
    open_example(visitor, 1)
    page.wait_for_function("() => window.piseStudio.document > 1")
    page.get_by_role("tab", name="Regions").click()
    page.evaluate("() => new Promise(requestAnimationFrame)")
    assert whole()


def test_a_pinch_takes_back_what_its_first_finger_began(visit):
    visitor = visit("view-pinch", **PHONE)
    page, fingers = visitor.page, Fingers(visitor)
    open_example(visitor, 1)
    page.get_by_role("button", name="Close the first steps").click()
    page.wait_for_function("window.piseStudio.carrier.newest > 0")
    previews = HeldBack(page)
    exact = shown(visitor)
    assert exact[1:] == [False, False]

    def begin_and_pinch(x, y):
        fingers.put((x, y))
        fingers.move((x + 10, y - 30))
        previews.one()
        page.wait_for_function("() => window.piseStudio.shown > 0 && window.piseStudio.picture.startsWith('data:')")
        assert shown(visitor) != exact
        fingers.move((x + 15, y - 40))  # asks for another preview, which comes too late
        fingers.put((x + 15, y - 40), (x + 60, y))
        fingers.move((x + 5, y - 50), (x + 70, y + 10))
        fingers.lift()
        assert shown(visitor) == exact
        with page.expect_response("**/component_server**"):
            previews.one()
        page.evaluate("() => new Promise((done) => setTimeout(done))")
        assert shown(visitor) == exact

    begin_and_pinch(*visitor.joint("right_wrist"))
    page.locator('#pose [data-do="fit"]').tap()
    page.get_by_role("tab", name="Regions").tap()
    page.locator('#regions [data-region="4"]').tap()
    page.evaluate("scrollTo(0, 0)")
    detected = visitor.map()
    begin_and_pinch(*middle(page, "#regions"))
    assert visitor.map() == detected
    previews.no_more()
    expect(page.locator('#bar [data-do="undo"]')).to_be_disabled()


def test_the_picture_under_the_skeleton_fades_on_a_phone_too(visit):
    visitor = visit("view-fades", **PHONE)
    page = visitor.page
    open_example(visitor, 0)
    slider = page.locator("#pose #dim")
    x, y, width, height = bounds(slider)
    page.touchscreen.tap(x + 0.4 * width, y + height / 2)
    assert 0.3 < float(page.locator("#pose #backdrop").evaluate("image => getComputedStyle(image).opacity")) < 0.5
