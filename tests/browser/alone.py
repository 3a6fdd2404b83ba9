"""A part of the page by itself, as Gradio mounts it, with no server behind it."""

from typing import Any

from playwright.sync_api import Browser, Page

from app.components import _SCRIPTS

_MOUNT = """([script, props]) => {
  const element = document.body.appendChild(document.createElement("div"));
  element.id = "part";
  const [asked, watched] = [[], {}];
  const server = { render_live: (request) => (asked.push(request), Promise.resolve({ ok: false })) };
  const watch = (name, callback) => (watched[name] = callback);
  const part = new Function("element", "trigger", "props", "server", "upload", "watch", script);
  part(element, () => {}, props, server, null, watch);
  window.part = { props, asked, watched };
}"""


class Alone:
    """A part on an empty page.

    Args:
        part: its name in :mod:`app.components`.
        props: its properties, by name; all that it has.
    """

    def __init__(self, browser: Browser, part: str, **props: Any) -> None:
        self.page: Page = browser.new_page()
        self.page.set_default_timeout(20_000)
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.evaluate(_MOUNT, [_SCRIPTS[part], props])

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
