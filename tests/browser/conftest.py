"""The real server with the shipped weights, and a real Chromium on it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from pointing import centre

from pise_core.images import write_image
from tests.conftest import chromium_path

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = ROOT / "test-artifacts"
_SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
)
_GIVEN_UP = ("AbortError: signal is aborted without reason", "Unexpected error Connection errored out")


@pytest.fixture(scope="session")
def studio_address(weights, tmp_path_factory):
    """Address of ``python app.py`` with the weights under test."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("server") / "log.txt"
    environment = os.environ | {"GRADIO_TEMP_DIR": str(log.parent / "files")}
    command = [sys.executable, "app.py", "--host", "127.0.0.1", "--port", str(port), "--weights", str(weights)]
    with log.open("w") as output:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            if server.poll() is not None:
                pytest.fail(f"the studio did not start:\n{log.read_text()}")
            try:
                urllib.request.urlopen(address, timeout=5).close()
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.5)
        else:
            pytest.fail(f"the studio did not answer:\n{log.read_text()}")
        yield address
    finally:
        server.terminate()
        server.wait(20)
        ARTIFACTS.mkdir(exist_ok=True)
        shutil.copy(log, ARTIFACTS / f"server-{os.environ.get('PYTEST_XDIST_WORKER', 'one')}.log")
    assert "Traceback" not in log.read_text()


@pytest.fixture(scope="session")
def chromium():
    """A headless Chromium: the system's, or playwright's own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=list(_SWITCHES))
        yield browser
        browser.close()


class Visitor:
    """A page on the studio that collects what must not happen: script errors and requests to other hosts."""

    def __init__(self, browser: Browser, address: str, name: str, asks: bool = False, **settings):
        self.name = name
        self.context = browser.new_context(accept_downloads=True, **settings)
        if not asks:  # whether work is to be kept in the browser
            self.context.add_init_script("sessionStorage.setItem('pise-keep', 'no')")
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        self.problems: list[str] = []
        self._leaving = False
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", lambda message: self._console(message.type, message.text))
        self.page.on("request", lambda request: self._request(request.url, address))
        self.page.goto(address)
        self._mounted()

    def _mounted(self) -> None:
        """The page's modules come after Gradio's; only then does the page listen."""
        self.page.wait_for_function("window.piseStudio?.uploads")

    def _console(self, kind: str, text: str) -> None:
        if kind == "error" and not (self._leaving and text.startswith(_GIVEN_UP)):
            self.problems.append(text)

    def reload(self) -> None:
        """Reload the page. Answers that are still on their way are given up, and Gradio's client says so."""
        self._leaving = True
        self.page.reload()
        self._mounted()
        self._leaving = False

    def _request(self, url: str, address: str) -> None:
        if not url.startswith((address, "data:", "blob:")):
            self.problems.append(f"request to {url}")

    def shoot(self, step: str) -> None:
        """Keep a screenshot."""
        ARTIFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTIFACTS / f"{self.name}-{step}.png")

    def wait_for(self, kind: str = "ok") -> str:
        """Wait until the status line is of that kind; its text."""
        line = self.page.locator(f'#bar #status[data-kind="{kind}"]')
        line.wait_for(state="visible")
        return line.inner_text()

    def after(self, action) -> str:
        """Do something that renders, and wait until the exact picture is there; its address."""
        before = self.page.evaluate("window.piseStudio.seq")
        action()
        self.page.wait_for_function(
            """before => {
              const part = document.querySelector("#result .html-container > div");
              const shown = part?.shadowRoot?.querySelector("#after");
              return shown?.dataset.live === "false" && Number(shown.dataset.seq) > before;
            }""",
            arg=before,
        )
        self.wait_for()
        return self.picture()

    def picture(self) -> str:
        """Address of the picture on show."""
        return self.page.locator("#result #after").get_attribute("src") or ""

    def bytes_of(self, address: str) -> bytes:
        """A picture's file: a canvas that it is drawn smaller on need not be the same each time."""
        answer = self.context.request.get(urljoin(self.page.url, address))
        assert answer.ok
        return answer.body()

    def map(self) -> str:
        """The painted map as it is drawn."""
        return self.page.locator("#regions #map").evaluate("canvas => canvas.toDataURL()")

    def wait_for_map(self, expected: str) -> None:
        """Wait until the painted map is drawn as it was at another time."""
        self.page.wait_for_function(
            """expected => document.querySelector("#regions .html-container > div")?.shadowRoot
              ?.querySelector("#map")?.toDataURL() === expected""",
            arg=expected,
        )

    def joint(self, name: str) -> tuple[float, float]:
        """Where a joint is on the page."""
        return centre(self.page.locator(f'#pose circle[data-joint="{name}"]'))

    def live_pictures(self) -> int:
        """Order number of the newest picture if it is a live one, else 0."""
        shown = self.page.locator("#result #after")
        return int(shown.get_attribute("data-seq") or 0) if shown.get_attribute("data-live") == "true" else 0


@pytest.fixture
def visit(chromium, studio_address):
    """``visit(name, **settings)``: a new page; at the end of the test nothing may have gone wrong on it."""
    visitors: list[Visitor] = []

    def open_page(name: str, **settings) -> Visitor:
        visitors.append(Visitor(chromium, studio_address, name, **settings))
        return visitors[-1]

    yield open_page
    for visitor in visitors:
        visitor.context.close()
    assert [problem for visitor in visitors for problem in visitor.problems] == []


@pytest.fixture(scope="session")
def drawn_photo(person, tmp_path_factory):
    """A file with the drawn person."""
    path = tmp_path_factory.mktemp("drawn") / "drawn.png"
    write_image(path, person.photo)
    return path


@pytest.fixture(scope="session")
def drawn_reference(other_person, tmp_path_factory):
    """A file with the other drawn person."""
    path = tmp_path_factory.mktemp("drawn") / "reference.png"
    write_image(path, other_person.photo)
    return path
