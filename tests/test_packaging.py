"""What is installed, and that the lists of it agree."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import pise_core
from pise_core.cli import main as cli

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def listed(path: str) -> set[str]:
    """The requirements that a file lists itself."""
    lines = (line.split("#")[0].strip() for line in (ROOT / path).read_text("utf-8").splitlines())
    return {line for line in lines if line and not line.startswith("-")}


def with_included(path: str) -> set[str]:
    """The requirements that a file lists, and those of the files that it includes."""
    included = re.findall(r"^-r (\S+)", (ROOT / path).read_text("utf-8"), re.M)
    return listed(path).union(*map(with_included, included))


def test_the_lists_of_requirements_are_those_of_the_package():
    extras = PROJECT["optional-dependencies"]
    assert listed("requirements.txt") == {*PROJECT["dependencies"], *extras["studio"], *extras["hub"]}
    assert listed("requirements-train.txt") == set(extras["training"])


def test_the_lock_holds_a_release_and_hashes_of_all_that_is_listed():
    """``make lock`` after a change of the lists."""
    text = (ROOT / "requirements.lock").read_text("utf-8")
    assert "://" not in text and "index-url" not in text
    locked: dict[str, list[Requirement]] = {}
    for entry in re.split(r"^(?=\S)", text, flags=re.M)[1:]:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry
        requirement = Requirement(entry.split("\\")[0].strip())
        locked.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    for wanted in map(Requirement, sorted(with_included("requirements-dev.txt"))):
        if wanted.marker is not None and not wanted.marker.evaluate({"python_version": "3.11"}):
            continue
        found = locked.get(canonicalize_name(wanted.name), [])
        assert found, f"{wanted} is missing"
        for requirement in found:
            (pinned,) = requirement.specifier
            assert pinned.operator == "==" and wanted.specifier.contains(pinned.version), f"{wanted}: {requirement}"


def test_the_command_tells_the_version(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0 and capsys.readouterr().out == f"PISE Studio {pise_core.__version__}\n"


def test_what_ships_is_what_the_changelog_and_the_citation_name():
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    cited = re.search(r"^version: (\S+)", (ROOT / "CITATION.cff").read_text("utf-8"), re.M)
    assert newest and cited and newest[1] == cited[1] == pise_core.__version__


@pytest.mark.parametrize(
    "code", ["import app; app.demo.launch", "import runpy; runpy.run_path('app.py')['demo'].launch"]
)
def test_a_checkout_offers_the_page(code):
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
