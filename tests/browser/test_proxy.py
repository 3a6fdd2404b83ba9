"""Two servers behind a real nginx, at a path of its own, with the configuration that docs/deploy.md offers."""

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from conftest import ROOT, Visitor
from test_desktop import DESKTOP, open_example

from app.guard import Rules, networks
from app.layout import build
from app.state.visitors import Signer
from app.view.studio import Studio
from tests.conftest import served

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def behind_nginx(editor, tmp_path_factory):
    """The proxy's address with the path, and the pages of both servers."""
    folder = tmp_path_factory.mktemp("nginx")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_ROOT_PATH", "/studio")
        patch.setenv("GRADIO_TEMP_DIR", str(folder / "files"))
        pages = [build(Studio(lambda: editor)) for _ in range(2)]
        rules = Rules(Signer("one key for both"), networks("127.0.0.1"), ("127.0.0.1",))
        with served(pages[0], rules=rules) as first, served(pages[1], rules=rules) as second:
            port = free_port()
            text = (ROOT / "docs" / "nginx.conf").read_text("utf-8")
            for old, new in (
                ("studio-1:7860", first.removeprefix("http://")),
                ("studio-2:7860", second.removeprefix("http://")),
                ("listen 8080;", f"listen 127.0.0.1:{port};"),
                ("/tmp/nginx.pid", str(folder / "pid")),
                ("access_log off;", f"access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;"),
            ):  # fmt: skip
                assert old in text
                text = text.replace(old, new)
            (folder / "nginx.conf").write_text(text)
            assert NGINX
            command = [
                NGINX,
                "-p",
                str(folder),
                "-c",
                str(folder / "nginx.conf"),
                "-g",
                "daemon off; error_log stderr;",
            ]
            process = subprocess.Popen(command)
            address = f"http://127.0.0.1:{port}/studio/"
            try:
                for _ in range(100):
                    try:
                        urllib.request.urlopen(f"{address}healthz", timeout=5).close()
                        break
                    except (urllib.error.URLError, OSError):
                        assert process.poll() is None
                        time.sleep(0.1)
                yield address, pages
            finally:
                process.terminate()
                process.wait(10)


def test_the_page_works_below_a_path_and_each_visitor_stays_with_one_server(chromium, behind_nginx):
    address, pages = behind_nginx
    visitors = [Visitor(chromium, address, f"proxy-{number}", asks=False, **DESKTOP) for number in range(5)]
    for visitor in visitors[:2]:
        open_example(visitor, 0)
        visitor.after(lambda page=visitor.page: page.locator("#pose [data-preset]").nth(1).click())
        assert visitor.page.evaluate("""() => document.querySelector("#result .html-container > div").shadowRoot
            .querySelector("#after").naturalWidth""") > 0  # fmt: skip
        assert "/studio/gradio_api/file=" in visitor.picture()
        with visitor.page.expect_download() as download:
            visitor.page.locator("#download").click()
        assert download.value.suggested_filename.endswith("-edited.png")
    assert sum(len(page.sessions.places) for page in pages) == 2
    # Of five visitors hardly all come to the same server; whoever does, with all that belongs to the page.
    assert sum(len(page.sessions) for page in pages) == 5
    for visitor in visitors:
        visitor.context.close()
        assert visitor.problems == []


def test_an_address_is_the_one_that_nginx_saw(behind_nginx):
    address, _ = behind_nginx
    request = urllib.request.Request(f"{address}config", headers={"X-Forwarded-Host": "evil.example"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert f'"root":"{address.rstrip("/")}"' in answer.read().decode().replace(" ", "")
    assert os.environ.get("GRADIO_ROOT_PATH") == "/studio"
