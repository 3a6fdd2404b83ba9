"""What is held is told on the page, and goes with a hand or stays as is chosen there."""

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect
from pointing import bounds, drag
from test_desktop import DESKTOP
from test_phone import PHONE

from pise_core.document import Document
from pise_core.skeleton import JOINT
from tests.conftest import draw_person

BAG = (250, 210, 20)


@pytest.fixture(scope="module")
def document_with_bag(editor, tmp_path_factory):
    """A document of a person with a bag below the right hand."""
    drawn = draw_person(440, 660)
    x, y = np.rint(drawn.pose[JOINT["right_wrist"], :2]).astype(int)
    held = np.zeros(drawn.parsing.shape, np.uint8)
    cv2.rectangle(held, (x - 40, y + 22), (x + 20, y + 92), 1, -1)
    photo = np.where(held[..., None] > 0, np.array(BAG, np.uint8), drawn.photo)
    person = editor.set_person(photo, pose=drawn.pose, parsing=drawn.parsing, held=held)
    path = tmp_path_factory.mktemp("bag") / "bag.pise"
    Document.of(person, "bag").save(path)
    return str(path)


def bag_in(canvas_or_image) -> dict[str, float]:
    """How much of a picture on the page is the yellow of the bag, and how far left that begins, in shares."""
    return canvas_or_image.evaluate(
        """async (node) => {
          if (node.decode) await node.decode();
          const [w, h] = [node.naturalWidth || node.width, node.naturalHeight || node.height];
          const canvas = Object.assign(document.createElement("canvas"), { width: w, height: h });
          const context = canvas.getContext("2d");
          context.drawImage(node, 0, 0);
          const { data } = context.getImageData(0, 0, w, h);
          let [count, left] = [0, w];
          for (let i = 0; i < data.length; i += 4)
            if (data[i] > 200 && data[i + 1] > 160 && data[i + 2] < 90) {
              count++;
              left = Math.min(left, (i / 4) % w);
            }
          return { share: count / (w * h), left: left / w };
        }"""
    )


@pytest.mark.parametrize(("name", "size"), [("desktop", DESKTOP), ("phone", PHONE)])
def test_a_bag_goes_with_the_hand_or_stays_as_chosen(visit, document_with_bag, name, size):
    visitor = visit(f"held-{name}", **size)
    page = visitor.page
    visitor.after(lambda: page.locator("#drop input[type=file]").set_input_files(document_with_bag))
    choice = page.get_by_role("combobox", name="Held thing")
    expect(choice).to_have_value("right_hand")
    # The choice and "Correct the joints" are in one row: on a phone it lies over the picture.
    rows = {round(bounds(page.locator(at))[1]) for at in ("#pose #held label", '#pose [data-do="correct"]')}
    assert len(rows) == 1
    before = bag_in(page.locator("#pose #backdrop"))
    assert before["share"] > 0.01

    # While the arm is dragged the bag goes along at once, and in the exact picture, too.
    wrist, elbow = visitor.joint("right_wrist"), visitor.joint("right_elbow")
    target = (elbow[0] - 0.5 * (wrist[1] - elbow[1]), elbow[1] + 0.8 * (wrist[1] - elbow[1]))
    visitor.after(lambda: drag(page, wrist, target))
    moved = bag_in(page.locator("#pose #backdrop"))
    assert moved["share"] == pytest.approx(before["share"], rel=0.2) and moved["left"] < before["left"] - 0.02

    choice.focus()
    expect(page.locator("#pose #holds rect").first).to_be_visible()
    visitor.after(lambda: choice.select_option("stays"))
    visitor.shoot("stays")
    staying = bag_in(page.locator("#pose #backdrop"))
    assert staying["left"] == pytest.approx(before["left"], abs=0.01)
    visitor.after(lambda: page.locator('#bar [data-do="undo"]').click())
    expect(choice).to_have_value("right_hand")
    assert bag_in(page.locator("#pose #backdrop"))["left"] == pytest.approx(moved["left"], abs=0.01)
