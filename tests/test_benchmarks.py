"""The benchmarks run, count what they should, and print what they found. How quick anything is, no test asks."""

import json
from xml.etree import ElementTree

import pytest

from benchmarks.__main__ import main
from benchmarks.builds import checked_out
from benchmarks.scaling import exponents, plot, series_of
from benchmarks.table import Rounds, rows_of, text
from tests.conftest import ROOT


def test_rows_are_medians_and_their_ratios_are_of_the_same_round():
    rounds = {
        "quick": [
            [{"seconds": a, "passes": {"map": 1}}, {"seconds": b}] for a, b in ((1.0, 0.5), (4.0, 1.0), (2.0, 1.0))
        ],
        "new": [[None, {"rate": 12.5}]],
    }
    quick, new = rows_of(rounds)
    assert quick.figures == [2000.0, 1000.0] and quick.ratio == 0.5 and quick.notes == ["1 map", ""]
    assert new.figures == [None, 12.5] and new.ratio is None
    table = text([quick, new], ["before", "now"]).splitlines()
    assert table[0] == "| what | before | now | ratio | passes, before | passes, now |"
    assert table[2] == "| quick | 2000 ms | 1000 ms | 0.50 | 1 map |  |"
    assert table[3] == "| new |  | 12.5 a second |  |  |  |"


def test_what_grows_is_told_by_an_exponent_and_drawn(tmp_path):
    rounds: Rounds = {f"an arm, {n:g} MP": [[{"seconds": 0.1 * n**0.5, "extra": 2 * n}]] for n in (0.5, 3, 12, 48)}
    rounds |= {f"{n} visitors: edits": [[{"rate": 3.0}]] for n in (1, 4)}
    rounds["network: generator"] = [
        [{"seconds": 0.1, "products": 5e9, "bytes": 1e8, "arithmetic": 0.05, "memory": 0.01}]
    ]
    rows = rows_of(rounds)
    assert [(s.name, s.against, s.unit, round(s.exponent or 0, 6)) for s in series_of(rows)] == [
        ("an arm", "MP", "ms", 0.5), ("an arm", "MP", "MB more", 1.0), ("edits", "visitors", "a second", 0.0),
    ]  # fmt: skip
    assert "| MP | an arm | ms | 0.50 |" in exponents(rows, ["now"])
    assert exponents(rows[-1:], ["now"]) == ""
    assert rows[-1].notes == ["limit 50 ms by 5 GMAC, 10 ms by 100 MB"]
    plot(rows, tmp_path / "plot.svg")
    root = ElementTree.parse(tmp_path / "plot.svg").getroot()
    assert len(root.findall("{*}polyline")) == 1 and len(root.findall("{*}circle")) == 4
    plot(rows, tmp_path / "none.svg", "visitors")  # these have no times
    assert not ElementTree.parse(tmp_path / "none.svg").getroot().findall("{*}polyline")


def test_a_pass_of_a_network_stands_beside_the_limit_of_the_machine(tmp_path):
    found = tmp_path / "found.json"
    assert main(["networks", "--rounds", "1", "--json", str(found)]) == 0
    rows = {row["name"]: row for row in json.loads(found.read_text())["rows"]}
    (figures,) = rows["network: generator"]["rounds"][0]
    assert 1e9 < figures["products"] < 1e10 and 1e7 < figures["bytes"] < 1e9
    assert figures["arithmetic"] > 0 and figures["memory"] > 0


def test_a_photo_is_opened_and_edited_and_passes_are_counted(tmp_path, capsys):
    found = tmp_path / "found.json"
    arguments = ["opening", "release", "--megapixels", "0.05", "--rounds", "1", "--json", str(found)]
    assert main(arguments) == 0
    rows = {row["name"]: row for row in json.loads(found.read_text())["rows"]}
    (opened,) = rows["opening, 0.05 MP"]["rounds"]
    assert opened[0]["passes"] == {"look": 4} and opened[0]["seconds"] > 0
    (told,) = rows["release, all told, 0.05 MP"]["rounds"]
    assert told[0]["passes"] == {"map": 1, "image": 1}
    (reused,) = rows["release after a preview of the pose, all told, 0.05 MP"]["rounds"]
    assert reused[0]["passes"] == {}
    assert "| opening, 0.05 MP |" in capsys.readouterr().out


def test_a_build_that_is_not_there_is_refused_in_one_line():
    with pytest.raises(SystemExit, match="error: nothing can't be checked out"), checked_out(ROOT, "nothing"):
        pass
