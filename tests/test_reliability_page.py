"""docs/reliability.md: each row names the test or the command that shows it, and those are there."""

import re

import pytest

from reliability.doors import DOORS
from reliability.faults import CASES
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "reliability.md").read_text("utf-8")
ROWS = [
    row for row in re.findall(r"^\|.*\|$", PAGE, re.MULTILINE) if not re.match(r"\| (tried|found|\| fault)|\|-", row)
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[2:40])
def test_a_row_names_what_shows_it(row):
    files = re.findall(r"`((?:tests/[\w/]+\.py|\.ci/\w+)(?:::\w+)?)`", row)
    doors = re.findall(r"--door ([a-z]\w*)", row)  # a number is that of visitors at the door
    cases = re.findall(r"--case (\w+)", row)
    assert files or doors or cases or "python -m reliability" in row
    for name in files:
        path, _, test = name.partition("::")
        assert (ROOT / path).is_file(), name
        assert not test or f"def {test}(" in (ROOT / path).read_text("utf-8"), name
    assert set(doors) <= set(DOORS) and set(cases) <= set(CASES)


def test_every_fault_and_every_door_is_on_the_page():
    assert all(f"| F{number} |" in PAGE for number in range(1, 13))
    assert all(f"--door {door}" in PAGE for door in DOORS)
    assert all(case in PAGE for case in CASES)
