"""The page about the paper quotes code that is there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/paper.md").read_text(encoding="utf-8")


def test_quoted_lines_are_in_the_files_they_are_said_to_be_in():
    quotes = re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE, re.DOTALL)
    assert len(quotes) >= 6
    for path, quoted in quotes:
        lines = [line.strip() for line in (ROOT / path).read_text(encoding="utf-8").splitlines()]
        wanted = [line.strip() for line in quoted.splitlines()]
        assert any(lines[i : i + len(wanted)] == wanted for i in range(len(lines))), f"{path}: {wanted[0]}"


def test_files_and_names_exist():
    for path in set(re.findall(r"`((?:pise_core|tests)/[\w/]+\.py)`", PAGE)):
        assert (ROOT / path).is_file(), path
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "pise_core").rglob("*.py"))
    names = set(re.findall(r"`([A-Za-z_]+)(?:\.\w+)?(?:\(.*?\)|=\S+)?`", PAGE))
    assert {"SpatialAwareNormalization", "parsing_terms", "soft_parsing", "RELEASE_CONFIG"} <= names
    for name in names:
        assert re.search(rf"\b{name}\b", code), name
