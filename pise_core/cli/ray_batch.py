"""Batches on a Ray cluster: photos are a Ray Data source; each worker loads the networks once and writes pictures."""

import argparse
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pise_core.document.batch import FAILED, Row, edit_photo
from pise_core.errors import InputError

#: Photos that fail are tried again so often: on a cluster a disk or a machine may be away for a moment.
RETRIES = 1
_PACKAGE = Path(__file__).resolve().parents[2]


class PhotoEditor:
    """What a worker holds: editor and recipe; called with ``{"photo": path}``, it answers with a row of the report."""

    def __init__(
        self, recipe: str, out: str, suffix: str, digest: str, threads: int,
        weights: str | None, device: str, backend: str, background: str | None,
    ):  # fmt: skip
        import dataclasses

        import torch

        from pise_core.document.recipe import read_recipe
        from pise_core.editor import Editor

        torch.set_num_threads(threads)
        self._editor = Editor.from_pretrained(weights, device, backend, background)
        self._recipe = dataclasses.replace(read_recipe(Path(recipe), self._editor), digest=digest)
        self._out, self._suffix = Path(out), suffix

    def __call__(self, item: dict[str, Any]) -> dict[str, Any]:
        path = Path(item["photo"])
        try:
            row = edit_photo(self._editor, self._recipe, path, self._out, self._suffix)
        except Exception as error:  # whatever happens on a worker belongs in the report, and costs no other photo
            row = Row(str(path), FAILED, message=f"{type(error).__name__}: {error}", recipe_sha256=self._recipe.digest)
        return asdict(row) | {"given": item["given"]}


def edit_on_ray(photos: Sequence[Path], *, args: argparse.Namespace, suffix: str, digest: str) -> Iterator[Row]:
    """The rows of photos, as they come, those that failed tried again.

    Args:
        photos: where every worker finds them.
        args: of the command ``batch``.
        suffix: of the pictures.
        digest: of recipe and weights, as the report names it.

    Raises:
        InputError: if Ray is not installed, or the cluster can't be reached.
    """
    if not photos:
        return
    try:
        import ray
        import ray.data
    except ImportError:
        raise InputError("--ray needs Ray: pip install -r requirements-cluster.txt") from None
    try:
        _connect(ray, args)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise InputError(f"no Ray cluster answers at {args.ray} ({error})") from None
    ray.data.DataContext.get_current().enable_progress_bars = False
    settings = {
        "recipe": str(args.recipe.resolve()),
        "out": str(args.out.resolve()),
        "suffix": suffix,
        "weights": str(args.weights.resolve()) if args.weights else None,
        "device": args.device,
        "backend": args.backend,
        "background": _absolute(args.background),
        "digest": digest,
        "threads": args.threads,
    }
    try:
        rest = list(photos)
        for attempt in range(RETRIES + 1):
            items = [{"photo": str(path.resolve()), "given": str(path)} for path in rest]
            source: Any = ray.data.from_items(items, override_num_blocks=len(items))
            edited = source.map(
                PhotoEditor,
                fn_constructor_kwargs=settings,
                num_cpus=args.threads,
                compute=ray.data.ActorPoolStrategy(size=min(args.workers, len(items))),
            )
            failed = []
            for made in edited.iter_rows():
                made["photo"] = made.pop("given")
                row = Row(**made)
                if row.status == FAILED and attempt < RETRIES:
                    failed.append(Path(row.photo))
                else:
                    yield row
            rest = failed
            if not rest:
                break
    finally:
        ray.shutdown()


def _absolute(background: str | None) -> str | None:
    """``lama`` as it is, a file where every worker finds it."""
    return str(Path(background).resolve()) if background and Path(background).is_file() else background


def _connect(ray: Any, args: argparse.Namespace) -> None:
    if args.ray != "local":
        ray.init(address=args.ray, log_to_driver=False)
        return
    # The workers of this machine find the library where this process did.
    path = os.pathsep.join([str(_PACKAGE), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {"PYTHONPATH": path, "OMP_NUM_THREADS": str(args.threads)}
    ray.init(
        address="local", num_cpus=args.workers * args.threads, include_dashboard=False, log_to_driver=False,
        runtime_env={"env_vars": environment},
    )  # fmt: skip
