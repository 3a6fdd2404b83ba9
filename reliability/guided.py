"""Fuzzing that is guided by which code an input reaches (atheris), at one door, for some inputs.

It takes ``pip install atheris`` (Python 3.11 to 3.13, Linux), and a process of its own: what is to be watched has to be
imported while atheris looks on.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from reliability.doors import DOORS
from reliability.studio import ROOT

_PROGRAM = """
import sys
import warnings

import atheris

warnings.simplefilter("ignore")
with atheris.instrument_imports(include=["pise_core"]):
    from reliability.doors import DOORS
    from reliability.fuzz import trial

door = sys.argv.pop(1)


def once(data):
    found = trial(door, data)
    if found:
        raise RuntimeError(found)


atheris.Setup(sys.argv, once)
atheris.Fuzz()
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--door", choices=sorted(DOORS), required=True)
    parser.add_argument("--count", type=int, default=10_000, help="inputs (10000)")
    parser.add_argument("--seed", type=int, default=1, help="another one makes other inputs")
    parser.add_argument("--keep", type=Path, default=Path("test-artifacts"), help="a folder for what goes wrong")


def run(args: argparse.Namespace) -> int:
    """Run the command; returns the exit status, 0 if nothing went wrong."""
    args.keep.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as corpus:
        for number, data in enumerate(DOORS[args.door].corpus()):
            (Path(corpus) / str(number)).write_bytes(data)
        limits = [f"-runs={args.count}", f"-seed={args.seed}", "-timeout=60", "-rss_limit_mb=3000", "-max_len=65536"]
        command = [
            sys.executable,
            "-c",
            _PROGRAM,
            args.door,
            *limits,
            f"-artifact_prefix={args.keep.resolve()}/",
            corpus,
        ]
        ended = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    lines = ended.stderr.strip().splitlines()
    if ended.returncode:
        print("\n".join(lines[-30:]), file=sys.stderr)
    done = [line for line in lines if "DONE" in line]
    print(f"{args.door}: {' '.join(done[-1].split()) if done else 'it was not run to its end'}")
    return 1 if ended.returncode or not done else 0
