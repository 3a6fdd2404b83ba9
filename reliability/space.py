"""A Space of the hub's: which files would go up, and how; with ``--to`` they do."""

import argparse
import subprocess
from collections.abc import Sequence
from pathlib import Path

from huggingface_hub import CommitOperationAdd, HfApi

from reliability.studio import ROOT

#: Bytes above which the hub takes no file over plain git.
PLAIN = 10 * 1024 * 1024
#: What a Space does not run.
LEFT_OUT = ("tests/", ".github/", ".ci/", "benchmarks/", "reliability/", "findings/")


def operations(root: Path, files: Sequence[str]) -> list[CommitOperationAdd]:
    """The hub client's operations for files of a checkout, each with its size and checksum."""
    kept = [name for name in files if not name.startswith(LEFT_OUT)]
    return [CommitOperationAdd(path_in_repo=name, path_or_fileobj=root / name) for name in kept]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--to", metavar="USER/SPACE", help="upload there, as the user whom the hub's client knows")


def run(args: argparse.Namespace) -> int:
    """Run the command; returns the exit status. Without ``--to`` nothing is sent, and no network is used."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    adds = operations(ROOT, [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()])
    large = [add for add in adds if add.upload_info.size > PLAIN]
    total = sum(add.upload_info.size for add in adds) / 1e6
    print(f"{len(adds)} files, {total:.1f} MB; {len(large)} above 10 MiB, which plain git would be refused:")
    for add in large:
        print(f"  {add.path_in_repo} {add.upload_info.size} {add.upload_info.sha256.hex()}")
    if args.to:
        done = HfApi().create_commit(args.to, adds, commit_message="Update the studio", repo_type="space")
        print(done.commit_url)
    return 0
