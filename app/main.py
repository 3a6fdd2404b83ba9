"""Options, and the studio that they ask for."""

import argparse
import functools
import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

# Before Gradio is imported, which reads it then.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
# Before torch is: its threads would wait for each other in a busy loop, and the browser needs the same cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import gradio as gr  # noqa: E402

from app.api.mcp import wanted_by_environment  # noqa: E402
from app.guard import Rules  # noqa: E402
from app.layout import build  # noqa: E402
from app.server import Server, Stopped, application, end, listening_on, stop_on_signals  # noqa: E402
from app.state.memory import few_pools, keep_freed  # noqa: E402
from app.state.observing import serve_metrics, write_log  # noqa: E402
from app.state.places import Places  # noqa: E402
from app.state.scratch import Scratch  # noqa: E402
from app.state.session import DEFAULT_WEIGHTS  # noqa: E402
from app.view.studio import Studio  # noqa: E402
from pise_core.errors import InputError  # noqa: E402
from pise_core.provenance import check_settings  # noqa: E402


def parse_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options of ``python app.py``, from ``sys.argv`` by default."""
    parser = argparse.ArgumentParser(prog="app.py", description="PISE Studio: edit photos of people in the browser.")
    parser.add_argument("--host", help="address to listen on (GRADIO_SERVER_NAME, else 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (GRADIO_SERVER_PORT, else 7860 or the next free)")
    parser.add_argument("--weights", help="folder with weights (the shipped ones)")
    parser.add_argument(
        "--also", action="append", default=[], type=_named_path, metavar="NAME=PATH",
        help="further weights, a folder or one generator's file, to be chosen on the page; may be repeated",
    )  # fmt: skip
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--backend", default="torch", help="torch, bfloat16, onnxruntime or auto (docs/performance.md)")
    parser.add_argument("--places", type=_count, default=32, help="how many visitors may have work open (32)")
    parser.add_argument("--mcp", action="store_true", help="serve MCP tools too (GRADIO_MCP_SERVER=True)")
    return parser.parse_args(arguments)


def _named_path(text: str) -> tuple[str, str]:
    name, equals, path = text.partition("=")
    if not (name and equals and os.path.exists(path)) or name == DEFAULT_WEIGHTS:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=PATH with a folder or file of weights")
    return name, path


def _count(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) <= 1000):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 1000")
    return int(text)


def make_studio(options: argparse.Namespace) -> Studio:
    """The actions, over editors that are loaded on first use."""

    def load(weights: str | None) -> object:
        from pise_core import Editor

        return Editor.from_pretrained(weights, device=options.device, backend=options.backend)

    others = {name: functools.partial(load, path) for name, path in options.also}
    return Studio(functools.partial(load, options.weights), others)


def make_demo(options: argparse.Namespace) -> gr.Blocks:
    """The page; its networks are loaded when the first visitor needs them."""
    return build(make_studio(options), Places(options.places))


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Serve the studio until it is interrupted; the process ends here, and its temporary folder with it."""
    options = parse_options(arguments)
    closing: list[Callable[[], object]] = []
    status = 0
    try:
        few_pools()
        keep_freed()
        write_log()
        check_settings()
        stop_on_signals()
        scratch = Scratch()
        closing.append(scratch.remove)
        scratch.use()
        studio = make_studio(options)
        rules = Rules.from_environment(listening_on(options.host))
        page = build(studio, Places(options.places))
        app = application(page, options.mcp or wanted_by_environment(), rules)
        places, line = page.sessions.places, studio.line
        gauges: dict[str, tuple[str, Callable[[], float]]] = {
            "places": ("Visitors who may have work open", lambda: places.limit),
            "places_taken": ("Visitors who have work open", lambda: len(places)),
            "places_waiting": ("Visitors at the door", lambda: places.waiting),
            "line": ("Requests that compute or wait for that", lambda: len(line)),
        }
        serve_metrics(gauges)
        server = Server(app, options.host, options.port)
        closing.insert(0, server.close)
        studio.load()  # while the first page is on its way; missing weights are told here and not to the first user
        print(f"PISE Studio: {server.address}", flush=True)
        server.wait()
    except Stopped:
        pass
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        status = 1
    except Exception:
        logging.getLogger(__name__).exception("the studio has to end")
        status = 1
    end(status, closing)
