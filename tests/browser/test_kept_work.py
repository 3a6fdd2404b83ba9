"""Work outlives the server: kept in the browser, if its visitor agrees, and brought back with one click."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from conftest import ROOT, Visitor
from playwright.sync_api import expect
from test_desktop import DESKTOP, open_example
from test_phone import PHONE

#: Works that are kept. A database is opened only if it is there: asking for one would make an empty one.
_KEPT = """async () => {
  if (!(await indexedDB.databases()).some(({ name }) => name === "pise-studio")) return [];
  const db = await new Promise((resolve) => {
    const opening = indexedDB.open("pise-studio");
    opening.onsuccess = () => resolve(opening.result);
  });
  const all = db.transaction("work").objectStore("work").getAll();
  await new Promise((resolve) => (all.onsuccess = resolve));
  db.close();
  return all.result.map(({ name, base, edits, saved }) => ({ name, size: base.size, edits: edits.length, saved }));
}"""


class Process:
    """``python app.py`` at one address, which can be killed and started again."""

    def __init__(self, weights, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.command = [sys.executable, "app.py", "--host", "127.0.0.1", "--port", str(self.port)]
        self.command += ["--weights", str(weights)]
        self.environment = os.environ | {"GRADIO_TEMP_DIR": str(folder)}
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            self.command, cwd=ROOT, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for _ in range(600):
            assert self.process.poll() is None
            try:
                urllib.request.urlopen(f"{self.address}/healthz", timeout=5).close()
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        pytest.fail("the studio did not answer")

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        self.process.wait(10)


@pytest.fixture
def process(weights, tmp_path):
    """A server of this test's own."""
    made = Process(weights, tmp_path / "files")
    yield made
    if made.process.poll() is None:
        made.kill()


def note(page):
    return page.locator("#keeping .note")


@pytest.mark.parametrize(("name", "screen"), (("desktop", DESKTOP), ("phone", PHONE)))
def test_after_a_server_was_killed_one_click_brings_the_work_back(chromium, process, name, screen):
    visitor = Visitor(chromium, process.address, f"kept-{name}", asks=True, **screen)
    page = visitor.page
    open_example(visitor, 0)
    expect(note(page)).to_be_hidden()  # nothing would be lost yet
    visitor.after(lambda: page.locator("#pose [data-preset]").nth(1).click())
    note(page).wait_for(state="visible")
    visitor.shoot("1-asked")
    assert page.evaluate(_KEPT) == []
    page.locator("#keeping #yes").click()
    page.wait_for_function("() => window.piseStudio.keptAt")
    before = page.evaluate("window.piseStudio.keptAt")
    visitor.after(lambda: page.locator("#pose [data-preset]").nth(3).click())
    page.wait_for_function("before => window.piseStudio.keptAt > before", arg=before)
    (kept,) = page.evaluate(_KEPT)
    assert kept["size"] > 10_000 > kept["edits"] > 100
    pose = page.evaluate("window.piseStudio.pose()")

    process.kill()
    page.wait_for_function("""() => document.querySelector("#bar .html-container > div").shadowRoot
        .querySelector("#status").textContent.includes("does not answer")""", timeout=10_000)  # fmt: skip
    visitor.shoot("2-killed")
    process.start()
    note(page).get_by_text("is kept in this browser").wait_for(timeout=60_000)
    visitor.shoot("3-offered")
    assert not page.evaluate("window.piseStudio.document")
    page.locator("#keeping #yes").click()
    page.wait_for_function("() => window.piseStudio.document")
    visitor.wait_for()
    visitor.shoot("4-back")
    again = page.evaluate("window.piseStudio.pose()")
    assert all(a is None or abs(a[0] - b[0]) + abs(a[1] - b[1]) < 0.01 for a, b in zip(pose, again, strict=True))
    for _ in range(2):  # the history came along
        visitor.after(lambda: page.locator('#bar [data-do="undo"]').click())
    expect(page.locator('#bar [data-do="undo"]')).to_be_disabled()

    page.evaluate("window.piseStudio.dispatchEvent(new CustomEvent('keeping'))")
    visitor.shoot("5-forget")
    page.locator("#keeping #no").click()
    page.wait_for_function(f"async () => !(await ({_KEPT})()).length")
    visitor.context.close()


def test_who_is_told_that_nothing_is_kept_loses_nothing_and_what_is_a_day_old_is_deleted(chromium, process):
    visitor = Visitor(chromium, process.address, "old", asks=True, **DESKTOP)
    page = visitor.page
    open_example(visitor, 0)
    visitor.after(lambda: page.locator("#pose [data-preset]").nth(1).click())
    # A database of which nothing can be expected.
    page.evaluate("""() => new Promise((resolve) => {
      indexedDB.deleteDatabase("pise-studio").onsuccess = () => {
        const opening = indexedDB.open("pise-studio");
        opening.onsuccess = () => (opening.result.close(), resolve());
      };
    })""")
    page.locator("#keeping #yes").click()
    note(page).get_by_text("is not kept in this browser").wait_for()
    visitor.shoot("not-kept")
    page.locator("#keeping #no").click()
    page.evaluate("new Promise((resolve) => (indexedDB.deleteDatabase('pise-studio').onsuccess = resolve))")
    visitor.after(lambda: page.locator("#pose [data-preset]").nth(2).click())
    page.wait_for_function("() => window.piseStudio.keptAt")
    page.evaluate("""() => new Promise((resolve) => {
      const opening = indexedDB.open("pise-studio");
      opening.onsuccess = () => {
        const store = opening.result.transaction("work", "readwrite").objectStore("work");
        store.getAll().onsuccess = ({ target }) => {
          for (const work of target.result) store.put({ ...work, saved: Date.now() - 25 * 3600 * 1000 });
          opening.result.close();
          resolve();
        };
      };
    })""")
    page.evaluate("sessionStorage.clear()")
    page.goto(process.address)
    page.wait_for_function(f"async () => !(await ({_KEPT})()).length")
    expect(note(page)).to_be_hidden()
    visitor.context.close()
