"""What the studio's environment is made of: a bill of materials, licences, known vulnerabilities, and how sure that is.

The tools stay out of the environment that they look at: ``requirements-supply.txt`` in one of their own.
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from reliability.studio import ROOT

#: Licences that the project can be handed on with as it is; any other is looked at first.
_FREE = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla|Unlicense|Zlib|HPND|CC0|CNRI|0BSD", re.IGNORECASE
)
_COPYLEFT = re.compile(r"\bA?GPL|GNU General Public", re.IGNORECASE)
#: What packages themselves don't say where the tool looks: read in their repositories.
_READ = {"cuda-toolkit": "NVIDIA Proprietary Software"}
#: NVIDIA's, which come with PyTorch's CUDA build: may be handed on with it, and are no part of the CPU image.
_VENDORS = re.compile(r"^(nvidia|cuda)-")
#: Libraries inside wheels that are under the GPL: of PyAV's FFmpeg.
_GPL_LIBRARIES = ("libx264", "libx265")


class Verdict(NamedTuple):
    """What an audit comes to.

    Attributes:
        status: 0 if all was looked up and nothing is known, 1 if something is, 2 if nothing, or not everything, was
            looked up.
        text: the same for people, in lines.
    """

    status: int
    text: str


def audited(report: Mapping[str, Any] | None) -> Verdict:
    """What pip-audit's JSON (None: there is none) says. Its own exit status is 0, and its last words are that nothing
    is known, also where it could ask about nothing."""
    packages = (report or {}).get("dependencies", [])
    known = [one for one in packages if "skip_reason" not in one]
    lines = [
        f"{one['name']} {one['version']}: {found['id']}, mended in {', '.join(found['fix_versions']) or 'no version'}"
        for one in known
        for found in one.get("vulns", [])
    ]
    if not known:
        return Verdict(2, "audit: NO DATA: no package could be looked up; nothing is known about any of them")
    skipped = [one["name"] for one in packages if "skip_reason" in one]
    if skipped:
        lines.append(f"not looked up: {', '.join(skipped)}")
    text = f"audit: {len(known)} of {len(packages)} packages looked up, {len(lines) - bool(skipped)} vulnerabilities"
    status = 1 if len(lines) > bool(skipped) else 2 if skipped else 0
    return Verdict(status, "\n".join([text, *lines]))


def closure(requirements: Iterable[str]) -> list[str]:
    """The names of all installed packages that requirements lead to, sorted.

    Raises:
        importlib.metadata.PackageNotFoundError: if one that is asked for directly is not installed.
    """
    found: set[str] = set()
    waiting = [(Requirement(line), True) for line in requirements]
    seen: set[tuple[str, str]] = set()
    while waiting:
        wanted, directly = waiting.pop()
        try:
            installed = metadata.distribution(wanted.name)
        except metadata.PackageNotFoundError:
            if directly:
                raise
            continue
        found.add(canonicalize_name(wanted.name))
        for extra in ("", *wanted.extras):
            if (wanted.name, extra) in seen:
                continue
            seen.add((wanted.name, extra))
            more = (Requirement(text) for text in installed.requires or ())
            waiting += [(one, False) for one in more if one.marker is None or one.marker.evaluate({"extra": extra})]
    return sorted(found)


def requirements(path: Path) -> list[str]:
    """The requirements that a file lists."""
    lines = (line.split("#")[0].strip() for line in path.read_text("utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("-")]


def licensed(rows: Sequence[Mapping[str, str]], libraries: Iterable[str]) -> Verdict:
    """Which licences are to be looked at.

    Args:
        rows: ``{"Name", "Version", "License"}`` of each package, as pip-licenses says.
        libraries: names of shared libraries inside their wheels.
    """
    doubts, gpl = [], sorted({name for name in _GPL_LIBRARIES for file in libraries if file.startswith(name)})
    for row in rows:
        licence = _READ.get(row["Name"], row["License"])
        if _COPYLEFT.search(licence) or not (_FREE.search(licence) or _VENDORS.match(row["Name"])):
            doubts.append(f"{row['Name']} {row['Version']}: {licence}")
    lines = [f"licences: {len(rows)} packages, {len(doubts)} to be looked at", *doubts]
    if gpl:
        lines.append(
            f"PyAV's wheel carries {' and '.join(gpl)} (GPL): an image with it is handed on under the GPL's terms; "
            "docker build --build-arg VIDEO=0 makes one without"
        )
    return Verdict(1 if doubts else 0, "\n".join(lines))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--tools", type=Path, required=True, help="the bin folder with requirements-supply.txt's tools")
    parser.add_argument("--out", type=Path, required=True, help="a folder for sbom.json, licences.json and audit.json")


def run(args: argparse.Namespace) -> int:
    """Run the command; returns 0, 1 if there is something to be looked at, 2 if not everything could be looked up."""
    args.out.mkdir(parents=True, exist_ok=True)
    names = closure(requirements(ROOT / "requirements.txt"))
    packages = [f"{name}=={metadata.version(name)}" for name in names]
    exact = args.out / "packages.txt"
    exact.write_text("\n".join(packages) + "\n", "utf-8")

    def tool(name: str, *arguments: str) -> str:
        ended = subprocess.run([str(args.tools / name), *arguments], capture_output=True, text=True, timeout=900)
        if ended.stderr.strip():
            print(f"{name}: {ended.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return ended.stdout

    # The text of the requirements, for the bill: what is needed for development stays out of it.
    bill = args.out / "sbom.json"
    tool(
        "cyclonedx-py",
        "requirements",
        "--output-reproducible",
        "--sv",
        "1.6",
        "--of",
        "JSON",
        "-o",
        str(bill),
        str(exact),
    )
    components = json.loads(bill.read_text("utf-8"))["components"]
    print(f"bill of materials: {len(components)} packages in {bill}")

    told = tool("pip-licenses", f"--python={sys.executable}", "--format=json", "--packages", *names)
    (args.out / "licences.json").write_text(told, "utf-8")
    inside = {"av": "av.libs", "opencv-python-headless": "opencv_python_headless.libs"}
    folders = [Path(str(metadata.distribution(name).locate_file(folder))) for name, folder in inside.items()]
    libraries = [path.name for folder in folders for path in folder.glob("*")]
    licences = licensed(json.loads(told), libraries)
    print(licences.text)

    told = tool("pip-audit", "--disable-pip", "--no-deps", "--progress-spinner=off", "-f", "json", "-r", str(exact))
    (args.out / "audit.json").write_text(told, "utf-8")
    try:
        audit = audited(json.loads(told))
    except ValueError:
        audit = audited(None)
    print(audit.text)
    return max(licences.status, audit.status)
