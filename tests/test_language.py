"""What the page says is in the table of words of every other language, and fits what is put into it."""

import ast
import itertools
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from app.panels import PANELS
from pise_core.regions import TABLE as REGIONS_TABLE
from pise_core.skeleton import JOINTS
from tests.conftest import ROOT

WEB = ROOT / "app" / "web"
TABLE = json.loads((WEB / "strings" / "de.json").read_text("utf-8"))
#: Whatever is put into a line.
HOLE = "\0"
#: Files of Python whose texts reach the status line: whole ones, and those of which only refusals do.
SAYING = [
    *("app/handlers.py", "app/turns.py", "app/panels.py", "app/values.py", "app/upload_fields.py"),
    *("app/state/places.py", "app/state/session.py", "app/state/detectors.py", "app/state/uploads.py"),
    "pise_core/doubts.py",
    *sorted(str(path.relative_to(ROOT)) for part in ("commands", "view") for path in ROOT.glob(f"app/{part}/*.py")),
]  # fmt: skip
REFUSING = [
    *(f"pise_core/{name}.py" for name in (
        "coverage", "editor", "files", "held", "images", "label_sets", "parsing_files", "pose", "regions",
        "detection/clip", "detection/hub", "detection/lama", "detection/openpose", "detection/segformer",
        "rendering/recolour", "rendering/wanted", "rendering/wearing/wear", "warping/retarget",
    )),
    *(f"pise_core/document/{name}.py" for name in (
        "cuts", "document", "edits", "export", "file_reader", "file_writer", "growing", "history", "motion", "paint",
        "references", "steps", "textures",
    )),
    *(f"pise_core/pose_files/{name}.py" for name in ("contents", "labelling", "points", "reader", "texts", "writer")),
]  # fmt: skip
#: What is joined from other lines, or nobody sees: shapes of refusals, names of programs, parts of sentences.
BUILT = re.compile(
    rf"[{HOLE}\W]*|.*failed$|any valid json|SegFormer clothes|page_.*|// Events.*|attachment.*|async .*|\(\) => .*"
    rf"|{HOLE}\. {HOLE}|{HOLE} {HOLE}|.* is one of:|body:not.*|Gradio's own .*|Nothing is fetched from .*"
    rf"|nobody wears.*|.* is no name of a file",
    re.S,
)


def normal(text: str) -> str:
    """A line with a hole wherever something is put in."""
    text = re.sub(r"\$?\{[^{}]*(\{[^{}]*\}[^{}]*)*\}", HOLE, text)
    return re.sub(f"{HOLE}+", HOLE, " ".join(text.split()))


KNOWN = {normal(key) for key in TABLE}


def known(text: str) -> bool:
    """Whether a line, or each sentence of it, is in the table, in any way that the page looks for it."""
    if text in KNOWN or text[:1].lower() + text[1:] in KNOWN or f"{HOLE} {text}" in KNOWN:
        return True
    parts = re.split(r"(?<=[.!?…])\s+", text)
    return len(parts) > 1 and all(known(part) or not re.search("[A-Za-z]{2}", part) for part in parts)


def variants(node: ast.expr) -> list[str]:
    """What a string of Python may be, with holes."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.JoinedStr):
        parts = []
        for value in node.values:
            if isinstance(value, ast.Constant):
                parts.append([value.value])
            elif isinstance(value, ast.FormattedValue) and isinstance(value.value, ast.IfExp):
                parts.append([v or [HOLE] for v in (variants(value.value.body), variants(value.value.orelse))])
                parts[-1] = [one for several in parts[-1] for one in several]
            else:
                parts.append([HOLE])
        return ["".join(one) for one in itertools.product(*parts)]
    return []


def texts_of(path: Path, refusals_only: bool) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    if refusals_only:
        named = {
            target.id: node.value
            for node in tree.body if isinstance(node, ast.Assign)
            for target in node.targets if isinstance(target, ast.Name)
        }  # fmt: skip
        raised = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)]
        refusals = [
            one.args[0] for one in raised
            if getattr(one.func, "id", "") in ("InputError", "NobodyFound", "HubUnreachable") and one.args
        ]  # fmt: skip
        found = [named.get(one.id, one) if isinstance(one, ast.Name) else one for one in refusals]
        return {text for node in found for text in variants(node)}
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    left_out: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr):
            left_out.add(id(node.body[0].value))
        if isinstance(node, ast.JoinedStr):
            left_out |= {id(inner) for inner in ast.walk(node)} - {id(node)}
    nodes = [n for n in ast.walk(tree) if isinstance(n, ast.JoinedStr | ast.Constant) and id(n) not in left_out]
    return {text for node in nodes for text in variants(node) if " " in text and re.search("[a-z]{2}", text)}


@pytest.mark.parametrize("name", [*SAYING, *REFUSING])
def test_what_python_says_is_in_the_table(name):
    texts = {" ".join(text.split()) for text in texts_of(ROOT / name, name in REFUSING)}
    texts = {normal(text) for text in texts}
    missing = sorted(text for text in texts if not known(text) and not BUILT.fullmatch(text))
    assert missing == []


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: set[str] = set()
        self._hushed = 0

    def handle_starttag(self, tag, attrs):
        if tag != "input" and ("translate", "no") in attrs:
            self._hushed = 1
        else:
            self.words |= {v for k, v in attrs if k in ("title", "aria-label", "alt", "placeholder") and v}

    def handle_endtag(self, tag):
        self._hushed = 0

    def handle_data(self, data):
        if not self._hushed:
            self.words.add(" ".join(data.split()))


@pytest.mark.parametrize("path", sorted(WEB.rglob("*.html")), ids=lambda path: path.parent.name + "/" + path.name)
def test_what_the_layout_says_is_in_the_table(path):
    words = _Words()
    words.feed(path.read_text("utf-8"))
    assert sorted(word for word in words.words if re.search("[A-Za-z]{2}", word) and word not in TABLE) == []


@pytest.mark.parametrize("path", sorted(WEB.rglob("*.js")), ids=lambda path: path.parent.name + "/" + path.name)
def test_what_modules_tell_the_user_is_in_the_table(path):
    code = path.read_text("utf-8")
    told = [text for _, text in re.findall(r"\btext: ([\"`])(.*?)\1", code)]
    told += re.findall(r"(?:title|aria-label)=\"(.*?)\"", code)
    texts = {normal(text) for text in told}
    texts -= {f"{HOLE} of {HOLE}"}  # of the sliders of colours; the table names each
    assert sorted(text for text in texts if re.search("[A-Za-z]{2}", text) and not known(text)) == []


def test_names_of_what_there_is_are_in_the_table():
    presets = json.loads((ROOT / "app" / "examples" / "poses.json").read_text("utf-8"))
    joints = [name.capitalize().replace("_", " ") for name in JOINTS]
    names = [*(row.label for row in REGIONS_TABLE), *joints, *(one["name"] for one in presets)]
    names += [panel.title for panel in PANELS] + [panel.upload.label for panel in PANELS if panel.upload]
    assert [name for name in names if name not in TABLE] == []


def test_translations_put_in_only_what_there_is_and_repeat_no_english():
    for english, text in TABLE.items():
        holes = [set(re.findall(r"\{(\w+)\}", line)) for line in (english, text)]
        assert holes[1] <= holes[0], english
        assert text.strip() == text and text, english
        assert not re.search(r"\b(the|and|your|with|is|not|choose|photos)\b", text), text
        if len(english) > 16 and " " in english:
            assert text != english, english
