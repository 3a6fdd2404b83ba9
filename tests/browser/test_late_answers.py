"""Answers may overtake each other on their way to the page: the one to the newest request counts."""

import pytest
from alone import mount, open_page

from pise_core.pose import default_skeleton, to_rows
from pise_core.regions import REGIONS

_ROWS = to_rows(default_skeleton((0, 0, 60, 100)))
#: What the server answers is put into the part's properties one after the other.
_ANSWERED = """([name, answers, seen]) => answers.map((answer) => {
  part.props[name] = answer;
  part.watched[name]();
  return part.element.shadowRoot.querySelectorAll(seen).length;
})"""


def _motion(seq, keys):
    return {"seq": seq, "keys": [_ROWS] * keys, "poses": [], "steps": 12, "seconds": 1.0, "loop": True}


def _styles(seq, absent):
    return {"seq": seq, "styles": {}, "recolour": {}, "wear": {}, "present": REGIONS[1:][absent:]}


@pytest.mark.parametrize(
    ("part", "name", "seen", "answers"),
    [
        ("motion/panel.js", "motion", "#keys li", [_motion(3, 2), _motion(5, 3), _motion(4, 2), _motion(None, 1)]),
        (
            "textures/panel.js",
            "styles",
            "#rows .absent",
            [_styles(3, 2), _styles(5, 3), _styles(4, 2), _styles(None, 1)],
        ),
    ],
)
def test_an_older_answer_that_comes_late_is_not_taken(chromium, part, name, seen, answers):
    page = open_page(chromium)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    mount(page, part, references=[], present=[])
    counts = page.evaluate(_ANSWERED, [name, answers, seen])
    page.close()
    assert not errors
    assert counts[0] < counts[1] and counts[2] == counts[1] and counts[3] < counts[0]
