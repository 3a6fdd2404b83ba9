"""How quickly the picture follows a drag in the browser.

Starts the studio with the weights that ship, opens a photo in Chromium, drags a wrist in circles, and measures how
often the carried parts and the generator's pictures were shown, and when the exact picture came after the release.
"""

import shutil
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

from benchmarks.server import served

_COUNT = """() => {
  const page = window.piseStudio;
  const count = (window.counted = { carried: [], generated: 0, arrived: 0, waiting: 0, drawing: 0 });
  page.addEventListener("carry", () => count.carried.push(performance.now()));
  page.addEventListener("picture", ({ detail }) => (count.generated += detail.live ? 1 : 0));
  page.addEventListener("freshened", () => (count.generated += 1));
  page.addEventListener("answer", ({ detail }) => {
    count.arrived += 1;
    count.waiting = Math.max(count.waiting, page.seq - detail.seq);
  });
  const { draw } = page.carrier;
  page.carrier.draw = (canvas) => {
    const start = performance.now();
    draw(canvas);
    canvas.getContext("2d").getImageData(0, 0, 1, 1); // until the drawing is done
    count.drawing += performance.now() - start;
  };
}"""

#: Moves come as quickly as the screen is drawn; sent from outside they would be what is measured.
_CIRCLE = """async ([x, y, duration]) => {
  const stage = document.querySelector("#pose .html-container > div").shadowRoot.querySelector("#stage");
  const start = performance.now();
  let passed = 0;
  let frames = 0;
  while (passed < duration) {
    await new Promise(requestAnimationFrame);
    frames += 1;
    passed = performance.now() - start;
    const [clientX, clientY] = [x + 50 * Math.cos(passed / 1000), y + 50 * Math.sin(passed / 1000)];
    stage.dispatchEvent(new PointerEvent("pointermove", { pointerId: 1, clientX, clientY, bubbles: true }));
  }
  return { ...window.counted, passed, frames };
}"""


def measure(root: Path, settings: dict) -> dict[str, dict]:
    """Pictures a second while a wrist is dragged, and the wall time from the release to the exact picture."""
    with served(root) as server, sync_playwright() as playwright:
        found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(server.address)
        page.locator("#drop input[type=file]").set_input_files(settings["photo"])
        page.wait_for_function("() => window.piseStudio?.carrier?.newest > 0", timeout=120_000)
        page.wait_for_timeout(1500)
        figures = _dragged(page, settings["seconds"])
        browser.close()
    return figures


def _dragged(page: Page, seconds: float) -> dict[str, dict]:
    box = page.locator('#pose circle[data-joint="right_wrist"]').bounding_box()
    assert box is not None
    x, y = box["x"] + 5, box["y"] + 5
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 20, y - 20)
    page.wait_for_timeout(1000)
    page.evaluate(_COUNT)
    count = page.evaluate(_CIRCLE, [x - 60, y - 100, 1000 * seconds])
    passed = count["passed"] / 1000
    last = page.evaluate("() => window.piseStudio.seq")
    page.wait_for_function("last => window.piseStudio.shown >= last", arg=last)
    settled = time.monotonic()
    page.mouse.up()
    page.wait_for_function("last => window.piseStudio.exact.seq > last", arg=last)  # shown may be a later preview
    gaps = np.diff(count["carried"])
    return {
        "drag: the screen": {"rate": count["frames"] / passed},
        "drag: carried parts": {"rate": len(count["carried"]) / passed},
        "drag: 95 of 100 gaps between them are shorter than": {"wall": float(np.percentile(gaps, 95)) / 1000},
        "drag: carrying them once": {"wall": count["drawing"] / 1000 / max(1, len(count["carried"]))},
        "drag: the generator's pictures": {"rate": count["arrived"] / passed},
        "drag: of them shown": {"rate": count["generated"] / passed},
        "drag: exact picture after the release": {"wall": time.monotonic() - settled},
    }
