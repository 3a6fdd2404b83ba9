"""Where things are on the page, and drags between such places."""

from playwright.sync_api import Locator, Page


def bounds(locator: Locator) -> tuple[float, float, float, float]:
    """x, y, width and height of something on the page, once the page is laid out.

    A canvas takes its new size in the frame after it got more or less room; before that, what lies on it would be
    measured where nobody ever sees it.
    """
    locator.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    box = locator.bounding_box()
    assert box is not None
    return box["x"], box["y"], box["width"], box["height"]


def centre(locator: Locator) -> tuple[float, float]:
    """The middle of something on the page."""
    x, y, width, height = bounds(locator)
    return x + width / 2, y + height / 2


def drag(page: Page, start: tuple[float, float], *to: tuple[float, float]) -> None:
    """Press at a place, move through the others, and let go at the last."""
    page.mouse.move(*start)
    page.mouse.down()
    for point in to:
        page.mouse.move(*point, steps=3)
    page.mouse.up()
