"""``python -m pise_core evaluate deepfashion``: the paper's tables, ours beside the printed ones."""

import argparse
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from tqdm import tqdm

from pise_core.errors import InputError
from pise_core.evaluation import deepfashion_entries, published, report
from pise_core.evaluation.deepfashion_entries import Maker
from pise_core.evaluation.deepfashion_metrics import Loaders, Metrics
from pise_core.evaluation.entries import COPY, TRUTH, load_entries
from pise_core.evaluation.scoring import Outcome
from pise_core.files import write_json
from pise_core.images import write_image
from pise_core.training.data.deepfashion_pairs import DeepFashion

STANDARD = {
    "fid": ("FID", "{:.2f}"),
    "lpips_alex": ("LPIPS Alex", "{:.4f}"),
    "lpips_squeeze": ("LPIPS squeeze", "{:.4f}"),
    "ssim": ("SSIM", "{:.4f}"),
    "psnr": ("PSNR", "{:.2f}"),
    "seconds": ("s", "{:.2f}"),
}
LEGACY = {
    "legacy_fid": ("FID (GFLA)", "{:.2f}"),
    "lpips_alex": ("LPIPS", "{:.4f}"),
    "wrapped_psnr": ("PSNR, wrapped", "{:.2f}"),
    "window_ssim": ("SSIM (51)", "{:.4f}"),
}
NOTES = (
    "standard: whole pictures of 256x176, as PNG. FID (Inception of 2015) is the distance to the true pictures of the "
    "same pairs, and coarse for fewer than some thousands; LPIPS, SSIM (sigma 1.5) and PSNR (float, dB) are means over "
    "the pairs, by torchmetrics. s: seconds per picture.",
    "legacy: for comparison with printed tables only. FID (GFLA): torchvision's Inception, differently normalized, "
    "against the training pictures. PSNR, wrapped: differences of 8 bits wrap around at 256; it says little. SSIM "
    "(51): windows of 51x51 pixels, as GFLA has it.",
    *published.PROTOCOL,
)


def add_arguments(kinds: argparse._SubParsersAction) -> argparse.ArgumentParser:
    """The parser of its own arguments; those that all kinds share are added by ``command``."""
    parser = kinds.add_parser("deepfashion", help="DeepFashion's test pairs: the paper's tables")
    parser.add_argument("--data", type=Path, required=True, help="folder that prepare deepfashion wrote")
    parser.add_argument(
        "--generated",
        action="append",
        default=[],
        type=_named_folder,
        metavar="[NAME=]FOLDER",
        help="pictures that were made before, SOURCE_2_TARGET.png, in a row of their own; repeatable. Without "
        "--weights and --also no network makes any then",
    )
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="keep the pictures, FOLDER/ROW/SOURCE_2_TARGET.png, lossless"
    )
    return parser


def _named_folder(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    if not equals:
        name, path = Path(text).resolve().name, text
    if not name or not path:
        raise argparse.ArgumentTypeError(f"{text!r} is neither FOLDER nor NAME=FOLDER")
    return name, Path(path)


def run(args: argparse.Namespace, loaders: Loaders) -> int:
    """``loaders``: make the learned measures."""
    # Whatever can be wrong is looked at before anything is computed.
    data = DeepFashion(args.data)
    pairs = data.pairs("test", args.limit)
    device = args.device if args.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
    rows, made_by_networks = _rows(args, data, pairs, device)
    keep = _folders(args.keep, made_by_networks) if args.keep else {}
    metrics = Metrics(loaders, device)
    missing = dict(metrics.missing)
    if metrics.wants("fid"):
        true = (data.picture(target) for _, target in pairs)
        metrics.see_real("fid", tqdm(true, "true pictures", len(pairs), unit="picture"))
    if metrics.wants("legacy_fid"):
        if names := data.names("train"):
            real = (data.picture(name) for name in names)
            metrics.see_real("legacy_fid", tqdm(real, "training pictures", len(names), unit="picture"))
        else:
            missing["legacy_fid"] = "it needs the training pictures; prepare both splits"

    shown: dict[str, dict[str, np.ndarray]] = {f"{a} to {b}": {} for a, b in pairs[:: -(-len(pairs) // report.SHOWN)]}
    figures: dict[str, dict[str, float]] = {}
    for name, make in rows.items():
        seconds: list[float] = []
        made = _made(name, make, pairs, data, keep.get(name), shown, seconds)
        figures[name] = metrics.measure(tqdm(made, name, len(pairs), unit="pair"))
        if name in made_by_networks:
            figures[name]["seconds"] = float(np.mean(seconds))
    _report(args, figures, len(pairs), missing)
    if args.sheet:
        write_image(args.sheet, report.contact_sheet([("deepfashion", list(shown.items()))]))
    return 0


def _rows(
    args: argparse.Namespace, data: DeepFashion, pairs: Sequence[tuple[str, str]], device: str
) -> tuple[dict[str, Maker], set[str]]:
    """The rows of the table, and the names of those whose pictures networks make."""
    rows: dict[str, Maker] = {}
    if args.weights or args.also or not args.generated:
        for entry in load_entries(args.weights, args.also, device, true_maps=False):
            rows[entry.name] = deepfashion_entries.network(entry, data)
    networks = set(rows)
    for name, path in args.generated:
        if name in {*rows, COPY, TRUTH}:
            raise InputError(f"two rows would be called {name!r}; give --generated NAME={path}")
        rows[name] = deepfashion_entries.folder(path, pairs)
    rows[COPY] = lambda source, target: data.picture(source)
    rows[TRUTH] = lambda source, target: data.picture(target)
    return rows, networks


def _made(
    row: str,
    make: Maker,
    pairs: Sequence[tuple[str, str]],
    data: DeepFashion,
    keep: Path | None,
    shown: dict[str, dict[str, np.ndarray]],
    seconds: list[float],
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Made and true picture of every pair; what is shown, kept and timed goes where it belongs."""
    for source, target in pairs:
        start = perf_counter()
        picture = make(source, target)
        seconds.append(perf_counter() - start)
        if keep:
            write_image(keep / deepfashion_entries.file_name(source, target), picture)
        if (name := f"{source} to {target}") in shown:
            shown[name][row] = picture
        yield picture, data.picture(target)


def _report(
    args: argparse.Namespace, figures: dict[str, dict[str, float]], count: int, missing: dict[str, str]
) -> None:
    """Print the tables, and write them as JSON."""
    printed = {
        f"{row.name}, printed in the paper": {"legacy_fid": row.fid, "lpips_alex": row.lpips, "wrapped_psnr": row.psnr}
        for row in (*published.TABLE_1, *published.TABLE_2)
    }
    print(report.table(Outcome("standard", count, figures), STANDARD), end="\n\n")
    print(report.table(Outcome("legacy", count, {**figures, **printed}), LEGACY), end="\n\n")
    print("\n".join(NOTES))
    titles = {name: title for columns in (STANDARD, LEGACY) for name, (title, _) in columns.items()}
    for name, reason in missing.items():
        print(f"not taken: {titles[name]}: {reason}")
    if args.json:
        paths = {"folder": args.data, "weights": args.weights or "shipped", **dict(args.also), **dict(args.generated)}
        settings = {"data": args.kind, "pairs": count, "paths": {name: str(path) for name, path in paths.items()}}
        finite = {n: {k: v if math.isfinite(v) else None for k, v in row.items()} for n, row in figures.items()}
        content = {**settings, "rows": finite, "printed": printed, "not_taken": missing, "notes": NOTES}
        write_json(args.json, content, indent=1)


def _folders(path: Path, rows: set[str]) -> dict[str, Path]:
    """A folder in ``path`` for every row, made."""
    folders = {row: path / (re.sub(r"[^\w.-]+", "-", row).strip("-.") or "row") for row in sorted(rows)}
    if len(set(folders.values())) < len(folders):
        raise InputError(f"rows would share a folder in {path}; give --also names that differ in letters and digits")
    if not folders:
        raise InputError("--keep keeps what networks make: give --weights or --also too")
    for folder in folders.values():
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"can't make the folder {folder}: {error.strerror}") from None
    return folders
