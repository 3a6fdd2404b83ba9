"""How quickly the picture follows a drag in the browser: ``python -m benchmarks.drag [--seconds N] [--photo PHOTO]``.

Starts the studio with the weights that ship, opens a photo in Chromium, drags a wrist in circles, and prints how often
the carried parts and the generator's pictures were shown, how far the last request was behind, and whether the state at
rest is the last one. Needs what ``make test`` installs.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
_COUNT = """() => {
  const page = window.piseStudio;
  const count = (window.counted = { carried: 0, generated: 0, arrived: 0, waiting: 0, drawing: 0 });
  page.addEventListener("carry", () => (count.carried += 1));
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


def _serve(port: int) -> subprocess.Popen:
    command = [sys.executable, "app.py", "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    for _ in range(240):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=5).close()
            return server
        except OSError:
            time.sleep(0.5)
    raise SystemExit("error: the studio did not start")


def _measure(page: Page, seconds: float) -> None:
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
    each = count["drawing"] / max(1, count["carried"])
    print(f"screen:        {count['frames'] / passed:5.1f} pictures a second")
    print(f"carried parts: {count['carried'] / passed:5.1f} pictures a second, {each:.1f} ms each")
    arrived, shown = count["arrived"] / passed, count["generated"] / passed
    print(f"generator:     {arrived:5.1f} pictures a second, {shown:.1f} of them shown")
    print(f"states between the newest and an answer: at most {count['waiting']}")
    last = page.evaluate("() => window.piseStudio.seq")
    page.wait_for_function("last => window.piseStudio.shown >= last", arg=last)
    settled = time.monotonic()
    page.mouse.up()
    page.wait_for_function("last => window.piseStudio.exact.seq > last", arg=last)  # shown may be a later preview
    print(f"exact picture {1000 * (time.monotonic() - settled):.0f} ms after release")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how quickly the picture follows a drag.")
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--photo", type=Path, help="the photo to open (default: the first example)")
    options = parser.parse_args()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = _serve(port)
    try:
        with sync_playwright() as playwright:
            found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(f"http://127.0.0.1:{port}")
            if options.photo:
                page.locator("#drop input[type=file]").set_input_files(options.photo)
            else:
                page.locator("#welcome #examples button").first.click()
            page.wait_for_function("() => window.piseStudio?.carrier?.newest > 0", timeout=120_000)
            page.wait_for_timeout(1500)
            _measure(page, options.seconds)
            browser.close()
    finally:
        server.terminate()
        server.wait(20)


if __name__ == "__main__":
    main()
