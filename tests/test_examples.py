"""The scripts and the notebook of ``examples/`` run as they are."""

import os
import subprocess
import sys

import pytest
from PIL import Image

from tests.conftest import ROOT

PEOPLE = sorted((ROOT / "app" / "examples" / "people").glob("*.png"))


@pytest.mark.parametrize(
    ("script", "photos", "made"),
    [("repose", 1, ["out.png"]), ("borrow", 2, ["out.png"]), ("wave", 1, ["out.gif", "out.pise"])],
)
def test_a_script_makes_what_it_says(script, photos, made, tmp_path):
    command = [sys.executable, f"examples/{script}.py", *PEOPLE[:photos], *(tmp_path / name for name in made)]
    result = subprocess.run(
        [str(word) for word in command], cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=600
    )
    assert result.returncode == 0, result.stderr
    for name in made:
        if name.endswith((".png", ".gif")):
            with Image.open(tmp_path / name) as picture, Image.open(PEOPLE[0]) as photo:
                assert picture.width >= 100 and picture.tobytes() != photo.tobytes()
        else:
            assert (tmp_path / name).read_bytes().startswith(b"PK")


@pytest.mark.parametrize("name", ["first_look", "tensors"])
def test_the_notebooks_run(name):
    command = [sys.executable, "-m", "pytest", "--nbmake", "-q", "-p", "no:cacheprovider", f"examples/{name}.ipynb"]
    result = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=600)
    assert result.returncode == 0 and "1 passed" in result.stdout, result.stdout


def environment() -> dict[str, str]:
    """The library is found although it isn't installed."""
    return os.environ | {"PYTHONPATH": str(ROOT)}
