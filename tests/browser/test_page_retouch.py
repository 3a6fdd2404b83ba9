"""Regions beyond painting: places are healed or removed, maps come from files, and colours say where a piece ends."""

import io
import json

import numpy as np
import pytest
from PIL import Image
from pointing import bounds, drag
from test_desktop import DESKTOP
from test_phone import PHONE, Fingers

from pise_core.document import Document
from pise_core.images import encode_parsing
from pise_core.regions import REGION
from pise_core.skeleton import JOINT
from tests.conftest import draw_person

SIZES = [pytest.param("desktop", DESKTOP, id="desktop"), pytest.param("phone", PHONE, id="phone")]


@pytest.fixture(scope="module")
def spotted(editor, tmp_path_factory):
    """A document of a drawn person with a green spot on the wall, where that is, and the person."""
    drawn = draw_person(440, 660)
    photo, spot = drawn.photo.copy(), (60, 330)
    ys, xs = np.mgrid[:660, :440]
    place = (xs - spot[0]) ** 2 + (ys - spot[1]) ** 2 < 20**2
    assert not drawn.parsing[place].any()
    photo[place] = 20, 230, 40
    person = editor.set_person(photo, pose=drawn.pose, parsing=drawn.parsing)
    path = tmp_path_factory.mktemp("spotted") / "spotted.pise"
    Document.of(person, "spotted").save(path)
    return str(path), spot, drawn


def open_regions(visit, name, size, file):
    visitor = visit(name, **size)
    visitor.after(lambda: visitor.page.locator("#drop input[type=file]").set_input_files(file))
    visitor.page.get_by_role("tab", name="Regions").click()
    visitor.page.evaluate("scrollTo(0, 0)")
    return visitor


def on_page(visitor, point):
    """Where a point of the photo, (440, 660) pixels, is on the page."""
    x, y, width, height = bounds(visitor.page.locator("#regions #backdrop"))
    return x + point[0] / 440 * width, y + point[1] / 660 * height


def stroke(visitor, *points):
    """By the mouse, or by a finger where there is one."""
    places = [on_page(visitor, point) for point in points]
    if visitor.page.evaluate("navigator.maxTouchPoints") == 0:
        drag(visitor.page, *places)
        return
    fingers = Fingers(visitor)
    fingers.put(places[0])
    for place in places:
        fingers.move(place)
    fingers.lift()


def greens(visitor):
    """How many pixels of the picture on show are green."""
    return visitor.page.locator("#regions #backdrop").evaluate(
        """async (image) => {
          await image.decode();
          const [width, height] = [image.naturalWidth, image.naturalHeight];
          const context = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
          context.drawImage(image, 0, 0);
          const { data } = context.getImageData(0, 0, width, height);
          let count = 0;
          for (let i = 0; i < data.length; i += 4)
            count += data[i + 1] > data[i] + 60 && data[i + 1] > data[i + 2] + 60;
          return count;
        }"""
    )


def marked(visitor):
    """Whether a mark is still drawn over the picture."""
    return visitor.page.locator("#regions #marks").evaluate(
        """canvas => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean)"""
    )


def tool(visitor, name):
    visitor.page.locator(f'#regions [data-tool="{name}"]').click()
    visitor.page.evaluate("scrollTo(0, 0)")


@pytest.mark.parametrize(("name", "size"), SIZES)
def test_a_spot_is_healed_and_comes_back_by_undo(visit, spotted, name, size):
    file, (x, y), _ = spotted
    visitor = open_regions(visit, f"heal-{name}", size, file)
    page = visitor.page
    assert greens(visitor) > 500
    map_before = visitor.map()
    tool(visitor, "heal")
    page.locator("#regions #size").fill("60")
    visitor.after(lambda: stroke(visitor, (x - 12, y - 10), (x + 12, y + 10), (x - 12, y + 12), (x + 14, y - 8)))
    visitor.shoot("healed")
    assert greens(visitor) == 0 and not marked(visitor) and visitor.map() == map_before
    assert page.locator("#result #history [aria-current]").inner_text().split() == ["1", "Retouch"]
    visitor.after(lambda: page.locator('#bar [data-do="undo"]').click())
    assert greens(visitor) > 500


@pytest.mark.parametrize(("name", "size"), SIZES)
def test_a_hand_is_removed_and_the_map_follows(visit, spotted, name, size):
    file, _, drawn = spotted
    visitor = open_regions(visit, f"remove-{name}", size, file)
    x, y = drawn.pose[JOINT["right_wrist"], :2].tolist()
    detected = visitor.map()
    tool(visitor, "remove")
    visitor.page.locator("#regions #size").fill("40")
    visitor.after(lambda: stroke(visitor, (x, y - 4), (x, y + 12)))
    visitor.shoot("removed")
    visitor.page.wait_for_function(
        """before => document.querySelector("#regions .html-container > div").shadowRoot
          .querySelector("#map").toDataURL() !== before""",
        arg=detected,
    )
    visitor.after(lambda: visitor.page.locator('#bar [data-do="undo"]').click())
    visitor.wait_for_map(detected)


@pytest.mark.parametrize(("name", "size"), SIZES)
def test_a_map_comes_from_a_file_and_one_that_does_not_fit_is_told(visit, spotted, name, size):
    file, _, drawn = spotted
    visitor = open_regions(visit, f"map-{name}", size, file)
    page = visitor.page
    detected = visitor.map()

    def choose(data, table):
        button = page.locator('#regions [data-do="file"]')
        button.click()
        page.locator("#regions #table").select_option(table)
        if table == "atr":
            visitor.shoot("choosing")
        with page.expect_file_chooser() as chooser:
            page.locator("#regions #map-file .primary").click()
        chooser.value.set_files({"name": "my map.png", "mimeType": "image/png", "buffer": data})

    dressed = drawn.parsing.copy()
    dressed[dressed == REGION["pants"]] = REGION["dress"]
    buffer = io.BytesIO()
    Image.fromarray(np.array([0, 2, 11, 4, 7, 6, 14, 12], np.uint8)[dressed]).save(buffer, "PNG")
    visitor.after(lambda: choose(buffer.getvalue(), "atr"))
    visitor.shoot("loaded")
    loaded = visitor.map()
    assert loaded != detected
    assert page.locator("#result #history [aria-current]").inner_text().split() == ["1", "Regions"]
    choose(encode_parsing(dressed[:300]), "regions")
    said = visitor.wait_for("error")
    assert said == "My map.png is 440x300, the photo 440x660: they must be of the same size, or shape"
    assert visitor.map() == loaded


@pytest.mark.parametrize(("name", "size"), SIZES)
def test_the_wand_and_the_brush_stop_where_the_colour_ends(visit, spotted, name, size):
    file, (x, y), _ = spotted
    visitor = open_regions(visit, f"wand-{name}", size, file)
    page = visitor.page

    def painted():
        """How many pixels of the map are of the pants' colour, and how many of these about the spot."""
        return json.loads(
            page.locator("#regions #map").evaluate(
                """(canvas, [x, y]) => {
                  const { data, width } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
                  let [all, there] = [0, 0];
                  for (let i = 0; i < data.length; i += 4) {
                    if (data[i] !== 44 || data[i + 1] !== 160 || data[i + 2] !== 110) continue;
                    all++;
                    there += Math.hypot((i / 4) % width - x, Math.floor(i / 4 / width) - y) < 22;
                  }
                  return JSON.stringify([all, there]);
                }""",
                [x, y],
            )
        )

    before = painted()
    page.locator('#regions [data-region="5"]').click()
    tool(visitor, "wand")
    page.wait_for_timeout(300)  # the picture's colours are looked at once
    visitor.after(lambda: page.mouse.click(*on_page(visitor, (x, y))))
    all_of_it, there = painted()
    visitor.shoot("wand")
    assert 1000 < there < 1500 and all_of_it - before[0] == there - before[1]
    visitor.after(lambda: page.locator('#bar [data-do="undo"]').click())
    page.evaluate("scrollTo(0, 0)")

    # A brush far wider than the spot paints the spot alone.
    page.locator('#regions [data-do="snap"]').click()
    page.locator("#regions #size").fill("110")
    page.evaluate("scrollTo(0, 0)")
    visitor.after(lambda: stroke(visitor, (x - 6, y), (x + 6, y)))
    all_of_it, there = painted()
    visitor.shoot("edges")
    assert 1000 < there < 1500 and all_of_it - before[0] == there - before[1]
