"""How the page's events are queued."""

import pytest

from app.actions import Studio
from app.handlers import in_order
from app.line import AT_ONCE
from app.session import Session
from app.studio import build
from pise_core.errors import InputError


@pytest.fixture(scope="module")
def events():
    """Those of the page, by the name of the action."""
    demo = build(Studio(lambda: None))
    names = {str(fn.api_name): fn for fn in demo.fns.values()}
    return {name.removeprefix("page_"): fn for name, fn in names.items() if name.startswith("page_")}


def test_edits_wait_for_each_other_in_one_line_that_lets_the_one_before_through(events):
    edits = [name for name in events if name.startswith("commit_") and not name.endswith("_then")]
    assert len(edits) == 4
    for name in [*edits, "undo", "redo", "start_over", "remove_reference", "load_pose", "save"]:
        assert events[name].concurrency_id == "edit" and events[name].concurrency_limit > 1, name


def test_endpoints_share_the_limits_of_the_page():
    demo = build(Studio(lambda: None))
    for kind, limit in AT_ONCE.items():
        assert {fn.concurrency_limit for fn in demo.fns.values() if fn.concurrency_id == kind} == {limit}


def test_an_edit_for_another_photo_is_refused_and_what_came_before_an_error_is_shown():
    session = Session()

    def edit():
        yield {"bar": {"status": 1}}
        raise InputError("no")

    updates = in_order(session, {"seq": 1, "after": 0, "document": session.number}, edit())
    assert next(updates) == {"bar": {"status": 1}}
    with pytest.raises(InputError, match="no"):
        next(updates)
    with pytest.raises(InputError, match="another photo"):
        next(in_order(session, {"seq": 2, "after": 1, "document": session.number + 1}, edit()))


def test_no_upload_is_dropped_unread(events):
    for name in ("open_upload", "borrow_pose", "add_uploads"):
        assert events[name].trigger_mode == "multiple", name
