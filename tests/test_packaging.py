"""What is installed, and that the lists of it agree."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

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


def test_the_lists_of_requirements_are_those_of_the_package():
    extras = PROJECT["optional-dependencies"]
    assert listed("requirements.txt") == {*PROJECT["dependencies"], *extras["studio"], *extras["hub"]}
    assert listed("requirements-train.txt") == set(extras["training"])


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
