"""The page about the paper quotes code that is there, and tells every deviation from the paper."""

import re
from pathlib import Path

from pise_core.model.config import PRINTED
from pise_core.training.generator.losses import PRINTED as PRINTED_LOSSES
from pise_core.training.generator.recipes import RECIPES
from pise_core.training.generator.run import flat

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
    assert {"SpatialAwareNormalization", "parsing_terms", "PictureLosses", "RELEASE_CONFIG"} <= names
    for name in names:
        assert re.search(rf"\b{name}\b", code), name


def table(title: str) -> list[list[str]]:
    """The cells of the table under a heading of the page, without its head."""
    section = PAGE.split(f"### {title}\n", 1)[1].split("\n#", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def test_every_place_that_can_follow_the_print_is_told_with_a_reason():
    rows = table("Where `--printed` follows the print")
    assert [row[0].strip("`") for row in rows] == [*PRINTED, *PRINTED_LOSSES]
    assert all(len(row) == 5 and all(row) for row in rows)
    equations = {name: number for name, number in PRINTED_LOSSES.items()}
    for row in rows:
        if (name := row[0].strip("`")) in equations:
            assert row[1] == f"eq. {equations[name]}"
    # "No recipe does so by itself."
    assert not any(recipe.network.printed or recipe.objective.printed for recipe in RECIPES.values())


def test_every_setting_in_which_the_recipes_differ_is_told_as_it_is():
    def shown(value) -> str:
        if isinstance(value, bool):
            return "on" if value else "off"
        if isinstance(value, list):
            return ", ".join(map(str, value))
        return f"{value:g}" if isinstance(value, float) else str(value)

    recipes = [flat(RECIPES[name].resolved().to_dict()) for name in ("paper", "release", "shipped")]
    differ = {
        name: [shown(recipe[name]) for recipe in recipes]
        for name in recipes[0]
        if name != "name" and len({str(recipe[name]) for recipe in recipes}) > 1
    }
    rows = table("Where the recipes differ")
    assert {row[0].strip("`"): row[2:5] for row in rows} == differ
    assert all(len(row) == 6 and all(row) for row in rows)


def test_what_no_setting_changes_is_code_that_is_there():
    rows = table("What no setting changes")
    assert len(rows) >= 15
    assert all(len(row) == 4 and all(row) for row in rows)
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "pise_core").rglob("*.py"))
    quotes = [quote for row in rows for quote in re.findall(r"`([^`]*[=.][^`]*)`", row[2])]
    assert len(quotes) >= 8
    for quote in quotes:
        assert quote in code, quote
