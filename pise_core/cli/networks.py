"""Which networks a command uses, where they compute and what runs them."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pise_core.errors import InputError

if TYPE_CHECKING:
    from pise_core.editor import Editor


def add_network_arguments(parser: argparse.ArgumentParser) -> None:
    """``--weights``, ``--device`` and ``--backend``."""
    parser.add_argument(
        "--weights", type=Path, metavar="PATH", help="folder of weights, such as train's, or one generator's file"
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to compute")
    parser.add_argument(
        "--backend",
        metavar="NAME",
        default="torch",
        help="what runs the networks: torch, bfloat16, onnxruntime, or auto (docs/performance.md)",
    )


def add_background_argument(parser: argparse.ArgumentParser) -> None:
    """``--background``, of commands that make pictures."""
    parser.add_argument(
        "--background",
        metavar="NAME",
        help="what continues the photo behind people: lama (fetched once, 208 MB; Apache-2.0), or the .onnx file of a "
        "network like it; by default the one that ships",
    )


def check_background(background: str | None) -> None:
    """Before networks are loaded.

    Raises:
        InputError: if it is neither ``lama`` nor a file that is there.
    """
    if background is not None and background.lower() != "lama" and not Path(background).is_file():
        raise InputError(f"--background is lama or the .onnx file of a network like it, and there is no {background}")


def told_of_background(saved: str, name: str, now: str) -> None:
    """Say so on stderr if a document was made with another background than it is rendered with ``now``."""
    if saved != now:
        other = (
            f"give --background {'lama' if saved == 'LaMa' else 'and its file'}" if saved else "leave out --background"
        )
        made = saved or "that ships"
        print(f"{name} was made with the background {made}; for the same picture {other}", file=sys.stderr)


def editor_of(args: argparse.Namespace) -> "Editor":
    """The editor that the arguments ask for.

    Raises:
        InputError: as ``Editor.from_pretrained``.
    """
    from pise_core.editor import Editor

    background = getattr(args, "background", None)
    check_background(background)
    return Editor.from_pretrained(args.weights, device=args.device, backend=args.backend, background=background)
