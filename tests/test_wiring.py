"""How the page's events are queued."""

from types import SimpleNamespace
from typing import Any

import pytest

from app.handlers import Handlers, in_order
from app.layout import build
from app.state.places import Places
from app.state.queueing import AT_ONCE, Line
from app.state.registry import Sessions
from app.state.session import Session
from app.view.studio import Studio
from app.view.updates import status
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


def test_whoever_comes_is_let_in_whatever_takes_long(events):
    taken = {fn.concurrency_id for name, fn in events.items() if name not in ("start", "start_then")}
    assert (
        events["start"].concurrency_id not in taken
        and events["save_motion"].concurrency_id != events["save_then"].concurrency_id
    )
    demo = build(Studio(lambda: None))
    demo.create_limiter()
    assert demo.limiter is not None and demo.limiter.total_tokens > sum(AT_ONCE.values())
    assert demo._queue.max_thread_count >= sum(AT_ONCE.values())
    assert AT_ONCE["gpu"] >= 3 * Places().limit  # nobody at the door waits behind those who work


def test_a_page_whose_session_was_lost_has_another_one_and_is_told(events):
    lost = Session()
    page = SimpleNamespace(session_hash="page", headers={})
    edit = {"seq": lost.sequence - 5, "after": lost.sequence - 9, "document": lost.number - 7, "keypoints": []}
    token, refused = events["commit_pose"].fn(page, edit)
    sessions = {part.elem_id: update["session"] for part, update in token.items() if "session" in update}
    assert [update["value"] for part, update in token.items() if part.elem_id == "background"] == ["Built-in"]
    assert sessions.keys() == {"bar", "pose", "regions", "textures"} and len(set(sessions.values())) == 1
    (told,) = refused.values()
    assert told["status"]["text"] == "What was open here has expired; open the photo again"
    first, *_ = events["save_motion"].fn(page, {"document": edit["document"], "format": "gif", "size": "small"})
    assert not any("session" in update for update in first.values())  # it knows by now


def test_no_upload_is_dropped_unread(events):
    for name in ("open_upload", "borrow_pose", "add_uploads"):
        assert events[name].trigger_mode == "multiple", name


def test_what_completes_a_refused_action_says_nothing():
    def refused(session):
        raise InputError("choose another file")
        yield

    def done(session):
        yield status("ok", "Done.", session) | {"result": {"result": 1}}

    sessions = Sessions()
    sessions.of("a page")
    handlers = Handlers(Studio(lambda: None), sessions, Line(), {"bar": "bar", "result": "result"})
    request: Any = SimpleNamespace(session_hash="a page", headers={})

    def said(action, follows=False):
        updates = list(handlers.of(action, False, follows)(request))
        return [update["bar"]["status"]["text"] for update in updates if "status" in update.get("bar", {})], updates[-1]

    assert said(refused)[0] == ["Choose another file"]
    texts, last = said(done, follows=True)
    assert texts == [] and "result" in last and "history" in last["bar"]
    assert said(done)[0] == ["Done."] and said(done, follows=True)[0] == ["Done."]
