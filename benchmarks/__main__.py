"""``python -m benchmarks [PART ...]``: processor time, network passes and memory of this checkout, or of two builds.

With ``--against COMMIT`` another build is checked out beside this one, and both are measured in turn, round by round,
so that whatever else the machine does meets both alike. What is printed is the median of the rounds, and the median of
the rounds' ratios. Figures of processor time count all threads of the process, of which the networks use one.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks import drag, memory, photos, startup, visitors
from benchmarks.builds import Build, Failed, Worker, checked_out
from benchmarks.scaling import exponents, plot
from benchmarks.table import rows_of, text

ROOT = Path(__file__).resolve().parent.parent
#: Parts that a worker measures inside a build, and those that look at a build from outside.
INSIDE = ("networks", "opening", "edits", "preview", "release", "training")
OUTSIDE = {"memory": memory.measure, "startup": startup.measure, "visitors": visitors.measure, "drag": drag.measure}
#: Of large photos fewer rounds are enough: they take long, and vary little.
_LARGE, _FEW = 20.0, 2


def main(arguments: list[str] | None = None) -> int:
    options = _parse(arguments)
    with ExitStack() as stack:
        builds = [Build("this checkout", ROOT)]
        if options.against:
            builds.insert(0, stack.enter_context(checked_out(ROOT, options.against)))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        rounds, failed = {}, False
        for part in options.parts:
            for settings in _settings(part, options, folder):
                try:
                    rounds |= _measure(part, settings, builds, options.rounds)
                except Failed as error:  # what was measured already is not lost
                    failed = True
                    print(f"error: {error}", file=sys.stderr)
        commits = [_commit(build) for build in builds]
    rows = rows_of(rounds)
    names = [build.name for build in builds]
    print(text(rows, names))
    if growth := exponents(rows, names):
        print(f"\n{growth}")
    if options.plot:
        plot(rows, options.plot, options.plot_against)
    if options.json:
        builds_named = [{"name": b.name, "commit": c} for b, c in zip(builds, commits, strict=True)]
        report = {
            "builds": builds_named,
            "machine": platform.processor() or platform.machine(),
            "python": platform.python_version(),
            "rounds": options.rounds,
            "rows": [row._asdict() for row in rows],
        }
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    return int(failed)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure how quick everything is.")
    parser.add_argument(
        "parts", nargs="*", choices=[*INSIDE, *OUTSIDE, []], metavar="PART",
        help=f"any of {', '.join((*INSIDE, *OUTSIDE))}; by default all but visitors and drag",
    )  # fmt: skip
    parser.add_argument("--against", metavar="COMMIT", help="another build to measure in turn, and to print ratios to")
    parser.add_argument("--rounds", type=int, default=5, help="of each measurement (5; at most 2 of large photos)")
    parser.add_argument(
        "--megapixels", type=float, nargs="+", default=[0.5, 3, 12, 48], help="sizes of photos (0.5 3 12 48)"
    )
    parser.add_argument("--visitors", type=int, nargs="+", default=[1, 4, 16], help="how many at once (1 4 16)")
    parser.add_argument("--seconds", type=float, default=8, help="of dragging (8)")
    parser.add_argument("--photo", type=Path, help="the photo to measure with (the first example)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write all rounds too")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="where to draw how times grow")
    parser.add_argument("--plot-against", choices=("MP", "visitors"), default="MP", help="with what (MP)")
    options = parser.parse_args(arguments)
    options.parts = options.parts or [*INSIDE, "memory", "startup"]
    return options


def _settings(part: str, options: argparse.Namespace, folder: Path) -> list[dict]:
    """What a part is measured with, once for each."""
    photo = options.photo or photos.example(ROOT)
    other = photos.example(ROOT, 1)
    if part in ("opening", "edits", "preview", "release"):
        return [
            {"photo": str(photos.sized(photo, size, folder)), "other": str(other), "megapixels": size}
            for size in options.megapixels
        ]
    if part == "memory":
        return [{"photo": str(photos.sized(photo, memory.MEGAPIXELS, folder))}]
    if part == "visitors":
        return [{"photo": str(photo), "visitors": count} for count in options.visitors]
    return [{"photo": str(photo), "other": str(other), "seconds": options.seconds, "folder": str(folder)}]


def _measure(part: str, settings: dict, builds: list[Build], rounds: int) -> dict[str, list[list[dict | None]]]:
    """Row by row, what each round found of each build."""
    if settings.get("megapixels", 0) > _LARGE:
        rounds = min(rounds, _FEW)
    if part in ("memory", "drag", "visitors"):
        rounds = 1
    found: dict[str, list[list[dict | None]]] = {}
    with ExitStack() as stack:
        inside = part in INSIDE
        workers = [stack.enter_context(Worker(build, part, settings)) for build in builds] if inside else []
        for number in range(rounds):
            print(f"{part} {settings.get('megapixels', '')}: round {number + 1} of {rounds}", file=sys.stderr)
            if inside:
                answers = [worker.round(number) for worker in workers]
            else:
                answers = [OUTSIDE[part](build.root, settings) for build in builds]
            for name in dict.fromkeys(name for answer in answers for name in answer):
                found.setdefault(name, []).append([answer.get(name) for answer in answers])
    return found


def _commit(build: Build) -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, cwd=build.root, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    raise SystemExit(main())
