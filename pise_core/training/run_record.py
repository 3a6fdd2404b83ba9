"""What a run was made of: hashes of its data and of its teacher, versions, threads, and the commit of the code.

Data and teacher decide what is learned: a run does not go on with others. The rest decides how numbers are rounded: a
run goes on, and says what differs.
"""

import hashlib
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pise_core.synthesis.dataset import People
from pise_core.version import __version__

_ROOT = Path(__file__).resolve().parents[2]


def digest_of_prepared(folder: Path) -> str:
    """SHA-256 over the lists of a folder that ``prepare`` wrote and every picture and map in it, by name; where the
    folder lies plays no part."""
    total = hashlib.sha256()
    files = [path for path in folder.glob("*.json") if path.is_file()]
    for kind in ("images", "parsing", "held"):
        files += [path for path in (folder / kind).glob("*") if path.is_file()]
    for path in sorted(files, key=lambda path: path.relative_to(folder).as_posix()):
        total.update(path.relative_to(folder).as_posix().encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def digest_of_people(folder: Path, count: int) -> str:
    """SHA-256 over what the first ``count`` rendered people were rendered from: format, seed, and what was drawn for
    each. Their pixels follow from it."""
    people, total = People(folder), hashlib.sha256()
    total.update((folder / "format.json").read_bytes())
    for number in range(count):
        total.update(json.dumps(people.about(number), sort_keys=True).encode())
    return total.hexdigest()


def digest_of_tensors(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over tensors by name, as float32, whatever file they came from."""
    total = hashlib.sha256()
    for name in sorted(tensors):
        total.update(name.encode() + b"\0")
        total.update(tensors[name].detach().float().cpu().contiguous().numpy().tobytes())
    return total.hexdigest()


def surroundings(device: torch.device) -> dict[str, str | int]:
    """What rounding depends on: versions, threads, the kind of device, and the commit of the code."""
    kind = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return {
        "version": __version__,
        "commit": commit(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "device": kind,
        "threads": torch.get_num_threads(),
    }


def commit() -> str:
    """The commit of this checkout, "+" behind it where files were changed since; "" where it is no checkout."""
    if not (_ROOT / ".git").exists():
        return ""

    def git(*arguments: str) -> str:
        # No shell, no argument from outside, and git is where the user's PATH has it.
        command = ["git", "-C", str(_ROOT), *arguments]  # noqa: S607
        asked = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)  # noqa: S603
        return asked.stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", "pise_core")
        return git("rev-parse", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return ""


def differences(before: Mapping, now: Mapping) -> list[str]:
    """What differs in the surroundings of a run that goes on, a line for each; what was not recorded is passed over."""
    return [
        f"{name} was {before[name]} and is {now[name]}: what is computed is no longer equal to the last bit"
        for name in now
        if name in before and before[name] != now[name]
    ]
