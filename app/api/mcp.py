"""The same endpoints as tools of an MCP server, which is Gradio's; it is off unless asked for."""

import atexit
import importlib.util
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import gradio as gr

from app.state.uploads import SEND_IT
from pise_core.errors import InputError

#: Seconds after which nobody reads a file any more that an MCP client sent as text.
READ_BY_THEN = 60.0


def wanted_by_environment() -> bool:
    """Whether Gradio's own variable asks for it, as on a Space."""
    return os.environ.get("GRADIO_MCP_SERVER", "").lower() == "true"


def asks(request: gr.Request) -> bool:
    """Whether an MCP tool was called. All of them come through one connection of Gradio's to itself."""
    return request.headers.get("x-gradio-user") == "mcp"


class McpUploads:
    """Where Gradio writes down what MCP clients send as data addresses, before it uploads that to itself.

    By itself it would leave those copies there for ever.

    Raises:
        InputError: if the package that the MCP server needs is not installed.
    """

    def __init__(self) -> None:
        if importlib.util.find_spec("mcp") is None:
            raise InputError('the MCP server needs one more package: python -m pip install "gradio[mcp]==6.31.*"')
        import gradio.mcp

        _say_how_to_send(gradio.mcp.GradioMCPServer)
        self.folder = Path(tempfile.mkdtemp(prefix="pise-mcp-"))
        gradio.mcp.DEFAULT_TEMP_DIR = str(self.folder)
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        threading.Thread(target=self._sweep, daemon=True).start()

    def forget(self, age: float = READ_BY_THEN) -> None:
        """Remove what came more than ``age`` seconds ago."""
        latest = time.time() - age
        for path in self.folder.iterdir():
            if path.stat().st_mtime <= latest:
                shutil.rmtree(path, ignore_errors=True)

    def _sweep(self) -> None:
        while self.folder.is_dir():
            self.forget()
            time.sleep(READ_BY_THEN / 2)


def _say_how_to_send(server: Any) -> None:
    """Let a tool that is given no file say what every endpoint says. Gradio's own words ask for an address to fetch the
    file from, and from there nothing is fetched here."""
    to_files = server.convert_strings_to_filedata
    if getattr(to_files, "_says", None) is SEND_IT:
        return

    def converted(self: Any, value: Any, positions: Any) -> Any:
        try:
            return to_files(self, value, positions)
        except ValueError:  # no address, or data that is no Base64
            raise ValueError(SEND_IT) from None

    converted._says = SEND_IT  # type: ignore[attr-defined]
    server.convert_strings_to_filedata = converted
