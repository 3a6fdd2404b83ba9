"""Answers may overtake each other on their way to the page: the one to the newest request counts."""

import pytest

from app.components import _SCRIPTS
from pise_core.pose import default_skeleton, to_rows
from pise_core.regions import REGIONS

_ROWS = to_rows(default_skeleton((0, 0, 60, 100)))
#: A part of the page as Gradio mounts it; what the server answers is put into its properties one after the other.
_ANSWERED = """([script, name, answers, seen]) => {
  const element = document.body.appendChild(document.createElement("div"));
  const [props, watched] = [{ references: [], present: [] }, {}];
  const watch = (name, callback) => (watched[name] = callback);
  const part = new Function("element", "trigger", "props", "server", "upload", "watch", script);
  part(element, () => {}, props, {}, null, watch);
  return answers.map((answer) => {
    props[name] = answer;
    watched[name]();
    return element.shadowRoot.querySelectorAll(seen).length;
  });
}"""


def _motion(seq, keys):
    return {"seq": seq, "keys": [_ROWS] * keys, "poses": [], "steps": 12, "seconds": 1.0, "loop": True}


def _styles(seq, absent):
    return {"seq": seq, "styles": {}, "present": REGIONS[1:][absent:]}


@pytest.mark.parametrize(
    ("part", "name", "seen", "answers"),
    [
        ("motion_panel", "motion", "#keys li", [_motion(3, 2), _motion(5, 3), _motion(4, 2), _motion(None, 1)]),
        ("style_panel", "styles", "#rows .absent", [_styles(3, 2), _styles(5, 3), _styles(4, 2), _styles(None, 1)]),
    ],
)
def test_an_older_answer_that_comes_late_is_not_taken(chromium, part, name, seen, answers):
    page = chromium.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    counts = page.evaluate(_ANSWERED, [_SCRIPTS[part], name, answers, seen])
    page.close()
    assert not errors
    assert counts[0] < counts[1] and counts[2] == counts[1] and counts[3] < counts[0]
