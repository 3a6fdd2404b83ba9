"""A panel is one row: tab, column, wiring and what is shown follow from it."""

from typing import Any

import pytest

from app import panels
from app.components import MotionPanel
from app.layout import build
from app.panels import PANELS, On, Panel, Upload
from app.state.queueing import AT_ONCE
from app.view.studio import Studio


def by_id(demo) -> dict[str, Any]:
    return {block.elem_id: block for block in demo.blocks.values() if getattr(block, "elem_id", None)}


def wired(demo, part, event):
    """What an event of a part is answered by, the name of the endpoint."""
    return [fn.api_name for fn in demo.fns.values() if (part._id, event) in fn.targets]


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.name)
def test_what_a_panel_names_is_there(panel):
    events = [*panel.events, *([panel.upload.on] if panel.upload else [])]
    assert {one.event for one in panel.events} == set(panel.part.TOLD)
    for one in events:
        assert callable(getattr(Studio, one.action)) and one.line in AT_ONCE and one.then_in in AT_ONCE
        assert one.then is None or callable(getattr(Studio, one.then))
        assert set(one.needs) <= {"detector", "parser"}


def test_a_further_panel_is_one_row(monkeypatch):
    row = Panel(
        "notes", "Notes", MotionPanel,
        events=(On("commit", "commit_motion", then=None), On("save", "save_look", then="pack", then_in="files")),
        upload=Upload("Notes from file", "notes-file", On("upload", "borrow_pose", ("detector",), line="gpu")),
    )  # fmt: skip
    monkeypatch.setattr("app.layout.PANELS", (*PANELS, row))
    demo = build(Studio(lambda: None))
    there = by_id(demo)
    assert there["modes"].props["tabs"][-1] == ("notes", "Notes")
    column, part = there["panel-notes"], there["notes"]
    assert part.parent is column and there["notes-file"].parent is column
    assert len(wired(demo, part, "commit")) == 1 and "commit_motion" in str(wired(demo, part, "commit"))
    (asked,) = [fn for fn in demo.fns.values() if (there["notes-file"]._id, "upload") in fn.targets]
    assert asked.inputs == [there["notes-file"], there["detector"]] and asked.concurrency_id == "gpu"
    assert part in asked.outputs  # updates may name it


def test_the_panel_whose_tab_is_open_is_shown_alone():
    for panel in PANELS:
        assert f'body:not([data-mode="{panel.name}"]) #panel-{panel.name} {{ display: none; }}' in panels.CSS


def test_a_field_for_files_is_emptied_after_everybody_has_read_it():
    """Whoever is registered later finds in it what those before have left."""
    demo = build(Studio(lambda: None))
    emptied = 0
    for part in demo.blocks.values():
        answering = [fn for fn in demo.fns.values() if (part._id, "upload") in fn.targets]
        empties = [not fn.inputs and fn.outputs == [part] for fn in answering]
        if any(empties):
            assert len(empties) > 1 and not any(empties[:-1]), getattr(part, "elem_id", part)
            emptied += 1
    assert emptied >= 4
