"""Several photos of garments at once: each is marked in its turn, and one that is not wanted is forgotten."""

import cv2
import numpy as np
from playwright.sync_api import expect
from test_desktop import DESKTOP, open_example

from pise_core.images import write_image


def test_garments_are_marked_one_after_the_other(visit, tmp_path):
    paths = []
    for name, colour in (("green", (40, 130, 80)), ("blue", (40, 60, 160)), ("red", (170, 50, 50))):
        photo = np.full((240, 200, 3), (225, 222, 215), np.uint8)
        cv2.rectangle(photo, (50, 40), (150, 200), colour, -1)
        paths.append(tmp_path / f"{name}.png")
        write_image(paths[-1], photo)
    visitor = visit("garment-queue", **DESKTOP)
    page = visitor.page
    open_example(visitor, 5)
    page.get_by_role("tab", name="Textures").click()
    page.locator("#add-reference").locator("xpath=..").locator("input[type=file]").set_input_files(paths)
    picture = page.locator("#textures #garment-picture")
    picture.wait_for(state="visible")
    assert "Then 2 more" in visitor.wait_for("hint")
    seen = [picture.get_attribute("src")]
    for choice in ("cancel", "use"):
        page.locator(f'#textures [data-garment="{choice}"]').click()
        page.wait_for_function(
            """seen => {
              const root = document.querySelector("#textures .html-container > div").shadowRoot;
              const shown = root.querySelector("#garment-picture").getAttribute("src");
              return !root.querySelector("#garment").hidden && !seen.includes(shown);
            }""",
            arg=seen,
        )
        seen.append(picture.get_attribute("src"))
    page.locator('#textures [data-garment="use"]').click()
    page.locator("#textures #garment").wait_for(state="hidden")
    visitor.wait_for()
    expect(page.locator("#textures #references li span")).to_have_text(["blue", "red"], use_inner_text=True)
