"""Start the studio: ``python app.py [--host HOST] [--port PORT] [--weights FOLDER] [--also NAME=PATH]
[--device DEVICE] [--mcp]``."""

import argparse
import functools
import os

# Before Gradio is imported, which reads it then.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
# Before torch is: its threads would wait for each other in a busy loop, and the browser needs the same cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from app.api.mcp import wanted_by_environment  # noqa: E402
from app.commands.studio import Studio  # noqa: E402
from app.layout import build, launch  # noqa: E402
from app.state.session import DEFAULT_WEIGHTS  # noqa: E402
from pise_core.errors import InputError  # noqa: E402


def _options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="PISE Studio: edit photos of people in the browser.")
    parser.add_argument("--host", help="address to listen on (GRADIO_SERVER_NAME, else 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (GRADIO_SERVER_PORT, else 7860 or the next free)")
    parser.add_argument("--weights", help="folder with weights (the shipped ones)")
    parser.add_argument(
        "--also", action="append", default=[], type=_named_path, metavar="NAME=PATH",
        help="further weights, a folder or one generator's file, to be chosen on the page; may be repeated",
    )  # fmt: skip
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--mcp", action="store_true", help="serve MCP tools too (GRADIO_MCP_SERVER=True)")
    return parser.parse_args(arguments)


def _named_path(text: str) -> tuple[str, str]:
    name, equals, path = text.partition("=")
    if not (name and equals and os.path.exists(path)) or name == DEFAULT_WEIGHTS:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=PATH with a folder or file of weights")
    return name, path


options = _options() if __name__ == "__main__" else _options([])


def _load_editor(weights: str | None):
    from pise_core import Editor

    return Editor.from_pretrained(weights, device=options.device)


studio = Studio(
    functools.partial(_load_editor, options.weights),
    {name: functools.partial(_load_editor, path) for name, path in options.also},
)
demo = build(studio)

if __name__ == "__main__":
    try:
        studio.load()  # now, so that missing weights are told here and not to the first user
        launch(demo, options.host, options.port, mcp_server=options.mcp or wanted_by_environment())
    except InputError as error:
        raise SystemExit(f"error: {error}") from None
