"""What is held is painted over the photo under Regions, and then goes with a hand as chosen under Pose."""

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect
from pointing import drag
from test_page_held import BAG, bag_in
from test_page_retouch import SIZES, stroke

from pise_core.document import Document
from pise_core.skeleton import JOINT
from tests.conftest import draw_person


@pytest.fixture(scope="module")
def unseen_bag(editor, tmp_path_factory):
    """A document of a person with a bag below the right hand that nobody has found, and where it is (x, y, w, h)."""
    drawn = draw_person(440, 660)
    x, y = np.rint(drawn.pose[JOINT["right_wrist"], :2]).astype(int)
    photo = cv2.rectangle(drawn.photo.copy(), (x - 40, y + 22), (x + 20, y + 92), BAG, -1)
    person = editor.set_person(photo, pose=drawn.pose, parsing=drawn.parsing)
    path = tmp_path_factory.mktemp("bag") / "bag.pise"
    Document.of(person, "bag").save(path)
    return str(path), (int(x) - 40, int(y) + 22, 60, 70)


_EMPTY = """() => {
  const canvas = document.querySelector("#regions .html-container > div").shadowRoot.querySelector("#things");
  return !canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean);
}"""


def _marked(page) -> float:
    """The share of the photo that is marked as held on the page."""
    return page.locator("#regions #things").evaluate(
        """(canvas) => {
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          let count = 0;
          for (let i = 3; i < data.length; i += 4) count += data[i] > 0;
          return count / (canvas.width * canvas.height);
        }"""
    )


def _open(visitor, tab: str) -> None:
    visitor.page.get_by_role("tab", name=tab).click()
    visitor.page.evaluate("scrollTo(0, 0)")


@pytest.mark.parametrize(("name", "size"), SIZES)
def test_a_bag_that_was_not_found_is_painted_and_goes_with_the_hand(visit, unseen_bag, name, size):
    path, (x, y, w, h) = unseen_bag
    visitor = visit(f"held-painting-{name}", **size)
    page = visitor.page
    visitor.after(lambda: page.locator("#drop input[type=file]").set_input_files(path))
    before = bag_in(page.locator("#pose #backdrop"))
    expect(page.get_by_role("combobox", name="Held thing")).to_be_hidden()

    _open(visitor, "Regions")
    page.get_by_role("button", name="Held thing", exact=True).click()
    page.evaluate("scrollTo(0, 0)")
    expect(page.locator("#regions #things")).to_be_visible()
    expect(page.locator("#regions #map")).to_be_hidden()
    page.locator("#regions #size").fill("30")
    lines = [(row, column) for row in range(6, h, 8) for column in ((4, w - 4) if row % 16 == 6 else (w - 4, 4))]
    over_it = [(x + column, y + row) for row, column in lines]
    visitor.after(lambda: stroke(visitor, *over_it))
    visitor.shoot("painted")
    assert "right hand" in page.locator("#bar #status").inner_text()
    painted = _marked(page)
    assert painted > before["share"]

    _open(visitor, "Pose")
    expect(page.get_by_role("combobox", name="Held thing")).to_have_value("right_hand")
    wrist, elbow = visitor.joint("right_wrist"), visitor.joint("right_elbow")
    target = (elbow[0] - 0.5 * (wrist[1] - elbow[1]), elbow[1] + 0.8 * (wrist[1] - elbow[1]))
    visitor.after(lambda: drag(page, wrist, target))
    visitor.shoot("moved")
    moved = bag_in(page.locator("#pose #backdrop"))
    assert moved["share"] == pytest.approx(before["share"], rel=0.25) and moved["left"] < before["left"] - 0.02

    # Over the photo as it was opened, whatever the pose is now, it is erased again.
    _open(visitor, "Regions")
    page.get_by_role("button", name="Erase held things").click()
    page.evaluate("scrollTo(0, 0)")
    page.locator("#regions #size").fill("60")
    visitor.after(lambda: stroke(visitor, *over_it))
    visitor.shoot("erased")
    page.wait_for_function(_EMPTY)
    visitor.after(lambda: page.locator('#bar [data-do="undo"]').click())
    page.wait_for_function(f"() => !({_EMPTY})()")
    assert _marked(page) == pytest.approx(painted, rel=0.01)
    page.locator('#regions [data-region="5"]').click()
    expect(page.locator("#regions #map")).to_be_visible()
    expect(page.locator("#regions #things")).to_be_hidden()
    _open(visitor, "Pose")
    expect(page.get_by_role("combobox", name="Held thing")).to_have_value("right_hand")
