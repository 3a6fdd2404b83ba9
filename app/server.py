"""The server of the page: it listens, answers, and stops cleanly."""

import errno
import logging
import os
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any, NoReturn

import gradio as gr
import uvicorn
from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.staticfiles import StaticFiles

from app.api.mcp import McpUploads
from app.components import WEB, WEB_ADDRESS
from app.guard import Guard, Rules
from app.layout import Page
from app.panels import CSS as PANELS_CSS
from app.theme import CSS, HEAD, theme
from app.upload_fields import take_uploads
from pise_core.document.file_format import MAX_DOCUMENT_BYTES
from pise_core.errors import InputError

#: Where no port is asked for: the first one tried, and how many.
FIRST_PORT, PORTS = 7860, 100
#: Seconds that requests may still take when the server is stopped, and until the process ends in any case.
FINISH, END = 1, 4


def application(page: Page, mcp_server: bool = False, rules: Rules | None = None) -> FastAPI:
    """The page as an ASGI application.

    Args:
        page: from :func:`app.layout.build`.
        mcp_server: whether the endpoints are tools of an MCP server as well, at ``/gradio_api/mcp/``.
        rules: of the operator.

    Raises:
        InputError: if the MCP server is wanted and its package is not installed.
    """
    if mcp_server:
        McpUploads()
    take_uploads()
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    # Gradio lets every page of the web in, with the visitor's cookies, unless the application around it has rules of
    # its own: nobody is let in.
    app.add_middleware(CORSMiddleware, allow_origins=[])
    app.add_middleware(Guard, rules=rules or Rules(), may_read=page.sessions.may_read)
    name = secrets.token_urlsafe(8)

    @app.get("/healthz")
    async def health() -> dict[str, Any]:
        """That the server answers, and which process it is: another one knows no session of an earlier one."""
        places = page.sessions.places
        return {"status": "ok", "server": name, "places": places.limit, "taken": len(places), "waiting": places.waiting}

    app.mount(WEB_ADDRESS, StaticFiles(directory=WEB))
    return gr.mount_gradio_app(
        app,
        page,
        path="/",
        root_path=os.environ.get("GRADIO_ROOT_PATH", ""),
        show_error=False,
        run_history=False,
        ssr_mode=False,
        enable_monitoring=False,
        max_file_size=MAX_DOCUMENT_BYTES,  # photos are held to their own limit when they are read
        mcp_server=mcp_server,
        theme=theme(),
        css=CSS + PANELS_CSS,
        head=HEAD,
        footer_links=["api"],
    )


class Server:
    """A server that answers from a thread of its own until it is closed.

    Args:
        app: what answers.
        host: the address to listen on; ``GRADIO_SERVER_NAME`` or 127.0.0.1 if None.
        port: ``GRADIO_SERVER_PORT``, or the first free one from 7860, if None.

    Attributes:
        address: of the page, as this machine knows it.

    Raises:
        InputError: if it can't listen there.
    """

    def __init__(self, app: FastAPI, host: str | None = None, port: int | None = None) -> None:
        host = listening_on(host)
        self._socket = _listen(host, port)
        name = f"[{host}]" if ":" in host else host
        self.address = f"http://{name}:{self._socket.getsockname()[1]}"
        logging.getLogger("uvicorn.error").disabled = False
        config = uvicorn.Config(
            app,
            log_config=None,
            log_level="warning",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=FINISH,
        )
        self._server = uvicorn.Server(config)
        # Not asked of the thread: in Python 3.11 a signal that interrupts its join makes it look ended.
        self._ended = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()
        while not self._server.started and not self._ended.is_set():
            time.sleep(0.01)

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._ended.set()

    def wait(self) -> None:
        """Wait until it ends."""
        while not self._ended.wait(1):
            pass

    def close(self) -> None:
        """Answer no more; requests that are being answered are given up soon."""
        logging.getLogger("uvicorn.error").disabled = True  # what is cut off now is no error
        self._server.should_exit = True
        if self._ended.wait(FINISH + 1.5):
            self._socket.close()


def listening_on(host: str | None) -> str:
    """The address to listen on: ``host``, ``GRADIO_SERVER_NAME`` or 127.0.0.1."""
    return (host or os.environ.get("GRADIO_SERVER_NAME") or "127.0.0.1").strip("[]")


def _listen(host: str, port: int | None) -> socket.socket:
    named = port if port is not None else os.environ.get("GRADIO_SERVER_PORT")
    try:
        ports = range(FIRST_PORT, FIRST_PORT + PORTS) if named is None else [int(named)]
        if not all(0 <= one < 65536 for one in ports):
            raise ValueError
    except ValueError:
        raise InputError(f"{named!r} is no port: a number from 0 to 65535") from None
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for one in ports:
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, one))
            listening.listen(2048)
            return listening
        except OSError as error:
            listening.close()
            if error.errno != errno.EADDRINUSE:
                raise InputError(f"can't listen on {host} port {one}: {error.strerror or error}") from None
    if named is None:
        raise InputError(f"no port from {ports[0]} to {ports[-1]} is free; choose one with --port")
    raise InputError(f"port {named} is in use already; choose another one with --port, or stop what uses it")


class Stopped(BaseException):
    """The process was asked to end."""


def stop_on_signals() -> None:
    """From now on SIGTERM and SIGINT raise :class:`Stopped` in the main thread, the first time."""

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_IGN)
        raise Stopped

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, stop)


def end(status: int, steps: Iterable[Callable[[], object]]) -> NoReturn:
    """Take the steps and end the process with that exit status, whatever its other threads do; the steps keep it for
    :data:`END` seconds at most."""
    watchdog = threading.Timer(END, os._exit, [status])
    watchdog.daemon = True
    watchdog.start()
    for step in steps:
        step()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # threads that compute would keep the interpreter
