"""docs/architecture.md says where things are: all that it names is there, and every room of the house is in it."""

import re

import pytest

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
#: A path, or the name of a file with its kind; functions and formulas are neither.
NAMED = sorted(set(re.findall(r"`([\w./*-]*(?:/[\w.*-]*|\.(?:py|js|md|toml|html)))`", PAGE)))
#: Where a path in the page may begin: it says `warping/warp.py` where the library is meant.
ROOMS = [ROOT, *(folder for base in ("pise_core", "app") for folder in [ROOT / base, *(ROOT / base).rglob("*/")])]


def _there(name: str) -> bool:
    return any(next(room.glob(path), None) for room in ROOMS for path in (name.strip("/"), f"{name}.py"))


def test_the_page_names_places():
    assert len(NAMED) > 30


@pytest.mark.parametrize("name", NAMED)
def test_what_the_architecture_page_names_is_there(name):
    assert _there(name), f"docs/architecture.md names {name}, which is nowhere"


def test_every_room_is_on_the_page():
    folders = [
        folder
        for base in (ROOT / "pise_core", ROOT / "app", ROOT / "app" / "web")
        for folder in base.iterdir()
        if folder.is_dir() and not folder.name.startswith(("_", ".")) and any(folder.iterdir())
    ]
    missing = [f.name for f in folders if not re.search(rf"(?<![\w-]){re.escape(f.name)}(?![\w-])", PAGE)]
    assert not missing


def test_a_name_in_the_table_of_places_is_a_module():
    """In the table's second column, names without a path are modules of the room named before them."""
    for row in re.findall(r"^\| [^|]+ \| (.+) \|$", PAGE.split("## The tree")[0], re.MULTILINE)[2:]:
        room = None
        for name in re.findall(r"`([\w./]+)`", row):
            if "/" in name:
                room = next((r / name.strip("/") for r in ROOMS if (r / name.strip("/")).is_dir()), room)
            elif room is not None and name.islower() and re.search(rf"`{name}` \(", row):
                assert (room / f"{name}.py").is_file(), f"{name} is no module of {room}"


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{p.name}" for p in sorted((ROOT / "docs").glob("*.md")))])
def test_links_within_the_project_lead_somewhere(page):
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text("utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"\w+:|#", target):
            path = ((ROOT / page).parent / target.partition("#")[0]).resolve()
            assert path.exists(), f"{page} leads to {target}, which is nowhere"
