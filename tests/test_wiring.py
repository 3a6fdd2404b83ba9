"""How the page's events are queued."""

import pytest

from app.actions import Studio
from app.studio import build


@pytest.fixture(scope="module")
def events():
    """Those of the page, by the name of the action."""
    demo = build(Studio(lambda: None))
    names = {str(fn.api_name): fn for fn in demo.fns.values()}
    return {name.removeprefix("page_"): fn for name, fn in names.items() if name.startswith("page_")}


def test_edits_are_carried_out_in_the_order_they_were_made_in(events):
    edits = [name for name in events if name.startswith("commit_") and not name.endswith("_then")]
    assert len(edits) == 4
    for name in [*edits, "undo", "redo", "start_over", "remove_reference", "load_pose", "save"]:
        assert (events[name].concurrency_id, events[name].concurrency_limit) == ("edit", 1), name


def test_no_upload_is_dropped_unread(events):
    for name in ("open_upload", "borrow_pose", "add_uploads"):
        assert events[name].trigger_mode == "multiple", name
