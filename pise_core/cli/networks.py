"""Which networks a command uses, where they compute and what runs them."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

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


def editor_of(args: argparse.Namespace) -> "Editor":
    """The editor that the arguments ask for.

    Raises:
        InputError: as ``Editor.from_pretrained``.
    """
    from pise_core.editor import Editor

    return Editor.from_pretrained(args.weights, device=args.device, backend=args.backend)
