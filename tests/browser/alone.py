"""A part of the page by itself, as Gradio mounts it, with no server behind it."""

import json
from typing import Any

from playwright.sync_api import Browser, Page, Route

from app.components import TABLES
from tests.conftest import ROOT

#: Where the page's modules lie for a page without a server.
HOST = "http://part.test"
_KINDS = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}
_MOUNT = """async ([module, props]) => {
  const element = document.body.appendChild(document.createElement("div"));
  element.id = "part";
  const [asked, told, watched] = [[], [], {}];
  const server = { render_live: (request) => (asked.push(request), Promise.resolve({ ok: false })) };
  const watch = (name, callback) => (watched[name] = callback);
  (await import(module)).mount({
    element, props, server, watch,
    trigger: (event) => told.push({ event, value: structuredClone(props.value) }),
  });
  window.part = { element, props, asked, told, watched };
}"""


def open_page(browser: Browser) -> Page:
    """An empty page that may import the modules below ``app/web`` from :data:`HOST`."""
    page = browser.new_page()
    page.set_default_timeout(20_000)

    def serve(route: Route) -> None:
        path = route.request.url.removeprefix(f"{HOST}/")
        if not path:
            route.fulfill(body="<!doctype html><body></body>", content_type="text/html")
            return
        file = ROOT / "app" / "web" / path
        route.fulfill(body=file.read_text("utf-8"), content_type=_KINDS[file.suffix])

    page.route(f"{HOST}/**", serve)
    page.goto(f"{HOST}/")
    page.evaluate(f"globalThis.piseTables = {json.dumps(TABLES)}")
    return page


def mount(page: Page, module: str, **props: Any) -> None:
    """Let a module fill a part. ``window.part`` then has its element, properties, what it asked for and told."""
    page.evaluate(_MOUNT, [f"{HOST}/{module}", props])


class Alone:
    """A part on an empty page.

    Args:
        module: the part's, below ``app/web``.
        props: its properties, by name; all that it has.
    """

    def __init__(self, browser: Browser, module: str, **props: Any) -> None:
        self.page = open_page(browser)
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        mount(self.page, module, **props)

    def tell(self, **news: Any) -> None:
        """New values of properties, one after the other."""
        for name, value in news.items():
            self.page.evaluate("([name, value]) => { part.props[name] = value; part.watched[name](); }", [name, value])

    def asked(self) -> list[dict[str, Any]]:
        """The previews that were asked for."""
        return self.page.evaluate("part.asked")

    def close(self) -> None:
        """Nothing may have gone wrong."""
        self.page.close()
        assert not self.errors
