"""One user's document, and the registry that bounds how many there are."""

import numpy as np
import pytest

from app.paint import UNTOUCHED, PaintLayer, pack, working_size
from app.registry import Sessions
from app.session import Found, Session
from pise_core.errors import InputError


@pytest.fixture
def session(editor, person):
    """A document with the drawn person."""
    document = Session()
    document.open(person.photo, "drawn", [Found((44, 26, 176, 310))])
    document.set_person(editor.set_person(person.photo, pose=person.pose, parsing=person.parsing))
    yield document
    document.close()


def moved(person, joint=4, by=(-25.0, -30.0)):
    pose = person.pose.copy()
    pose[joint, :2] += by
    return pose


def layer(person, region=3, rows=slice(150, 180), columns=slice(60, 80)):
    height, width = person.parsing.shape
    labels = np.full((height, width), UNTOUCHED, np.uint8)
    labels[rows, columns] = region
    return PaintLayer.from_client(pack(labels), (width, height))


def test_nothing_asked_for_is_the_photo_itself(session, person):
    assert session.edits.none
    assert np.array_equal(session.render(session.edits).photo, person.photo)


def test_one_history_for_all_kinds_of_edits(session, person):
    pose, paint = moved(person), layer(person)
    session.commit(pose=pose)
    session.commit(paint=paint)
    session.commit(styles={"hair": {"r1": 0.5}})
    assert session.undo() and session.edits.paint is paint and not session.edits.styles
    assert session.undo() and session.edits.paint is None and session.edits.pose is pose
    assert session.redo() and session.edits.paint is paint
    session.commit(pose=None)  # a new step cuts off what could have been redone
    assert not session.can_redo and not session.redo()
    while session.undo():
        pass
    assert session.edits.none and not session.can_undo


def test_the_history_is_bounded(session, person):
    for step in range(150):
        session.commit(pose=moved(person, by=(float(step), 0)))
    steps = 0
    while session.undo():
        steps += 1
    assert steps == 100


def test_another_photo_starts_a_new_history(session, other_person):
    session.commit(pose=None)
    before = session.document
    session.open(other_person.photo, "other", [])
    assert session.document == before + 1 and not session.can_undo
    with pytest.raises(InputError, match="open a photo"):
        session.need_person()


def test_another_person_in_the_photo_is_another_document(session):
    before = session.document
    session.set_person(session.person)
    assert session.document == before + 1


def test_a_pose_edit_changes_the_picture_at_both_sizes(session, person):
    edits = session.commit(pose=moved(person))
    assert not np.array_equal(session.render(edits).photo, person.photo)
    preview = session.render(edits, preview=True).photo
    assert preview.shape == session.preview.photo.shape
    assert not np.array_equal(preview, session.preview.photo)


def test_what_was_painted_goes_along_with_the_body(session, person):
    elbow, wrist = person.pose[3, :2], person.pose[4, :2]
    x, y = ((elbow + wrist) / 2).astype(int)
    paint = layer(person, rows=slice(y - 3, y + 4), columns=slice(x - 3, x + 4))
    session.commit(paint=paint)
    pose = moved(person, by=(-30.0, -45.0))
    assert session.commit_pose(pose) > 0.9
    carried = session.edits.paint
    assert carried is not None
    labels = carried.labels()
    assert labels[int((elbow[1] + pose[4, 1]) / 2), int((elbow[0] + pose[4, 0]) / 2)] == 3 and labels[y, x] == UNTOUCHED
    # A part that does not move keeps its paint to the pixel, and the way back is the history's.
    session.undo()
    assert session.edits.paint is paint
    session.commit_pose(moved(person, joint=7))
    same = session.edits.paint
    assert paint is not None and same is not None and np.array_equal(same.labels(), paint.labels())
    assert session.commit_pose(moved(person, joint=4, by=(-3000.0, 0.0))) < 0.7  # out of the picture


def test_what_another_thread_paints_meanwhile_does_not_get_in(editor, person):
    class Raced(Session):
        """Between each two lines, another thread has asked for another layer."""

        other = None

        @property
        def _intent(self):
            return self.other

        @_intent.setter
        def _intent(self, value):
            self.other = self.other or value

    session = Raced()
    session.open(person.photo, "drawn", [])
    session.set_person(editor.set_person(person.photo, pose=person.pose, parsing=person.parsing))
    session.commit(paint=layer(person, region=3))
    session.paint_at(None)
    session.commit(paint=layer(person, region=5))
    paint, _ = session.paint_at(None)
    assert paint is not None and set(np.unique(paint.labels())) == {5, UNTOUCHED}
    session.close()


def test_removing_a_reference_takes_it_out_of_the_history(session, editor, other_person):
    other = editor.set_person(other_person.photo, pose=other_person.pose, parsing=other_person.parsing)
    key = session.add_reference("other", other)
    session.commit(styles={"upper_clothes": {key: 1.0}})
    assert not np.array_equal(session.render(session.edits).photo, session.photo)
    session.remove_reference(key)
    assert session.edits.none and not session.references


def test_references_are_bounded(session):
    for _ in range(8):
        session.add_reference("again", session.person)
    with pytest.raises(InputError, match="remove one"):
        session.add_reference("one too many", session.person)


def test_paint_leaves_what_it_does_not_touch(person):
    paint = layer(person)
    assert paint is not None
    large = np.kron(person.parsing, np.ones((2, 2), np.uint8))
    painted = paint.over(large)
    assert (painted[300:360, 120:160] == 3).all()
    painted[300:360, 120:160] = large[300:360, 120:160]
    assert np.array_equal(painted, large)


def test_paint_from_the_browser_comes_back_as_it_was(person):
    paint = layer(person)
    assert paint is not None
    again = PaintLayer.from_client(paint.text(), paint.size)
    assert again is not None and np.array_equal(again.labels(), paint.labels())
    assert PaintLayer.from_client(pack(np.full((5, 4), UNTOUCHED, np.uint8)), (4, 5)) is None


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        "",
        "no base64!",
        "AAAA",
        "x" * 10_000_000,
        pack(np.zeros((5, 5), np.uint8)),  # too large
        pack(np.zeros((3, 4), np.uint8)),  # too small
        pack(np.full((5, 4), 8, np.uint8)),  # no such region
    ],
)
def test_damaged_paint_is_refused(text):
    with pytest.raises(InputError):
        PaintLayer.from_client(text, (4, 5))


def test_working_size_keeps_small_photos_and_bounds_large_ones():
    assert working_size(550, 820) == (550, 820)
    assert working_size(6000, 4000) == (1024, 683)
    assert working_size(16000, 16) == (1024, 1)


def test_files_of_a_session_go_with_it(session, person):
    from pathlib import Path

    paths = [Path(session.save(person.photo, "shown", ".jpg", keep=3)) for _ in range(5)]
    assert [path.exists() for path in paths] == [False, False, True, True, True]
    session.close()
    assert not any(path.exists() for path in paths)


@pytest.mark.parametrize("stem", ["../outside", "/outside", "a/b", "..\\outside"])
def test_a_name_that_leads_out_of_the_folder_is_refused(session, stem):
    with pytest.raises(ValueError, match="no name of a file"):
        session.save(b"x", stem, ".png")


def test_a_closed_session_makes_no_new_files(session):
    session.close()
    with pytest.raises(InputError, match="reload"):
        session.save(b"x", "photo", ".png")
    assert not session._folder.exists()


def test_sessions_are_found_by_page_and_by_token_and_bounded():
    sessions = Sessions(limit=2)
    first = sessions.of("first")
    assert sessions.of("first") is first and sessions.by_token(first.token) is first
    sessions.of("second")
    sessions.of("first")  # used again: the second one is the oldest now
    sessions.of("third")
    assert len(sessions) == 2 and sessions.by_token(first.token) is first
    for token in ("nobody's", "ünïcode", None, 3):
        with pytest.raises(InputError, match="reload"):
            sessions.by_token(token)
    sessions.close()
    assert len(sessions) == 0


def test_sessions_without_a_photo_make_room_first():
    sessions = Sessions(limit=3)
    working = [sessions.of(name) for name in ("first", "second")]
    for session in working:
        session.open(np.zeros((32, 32, 3), np.uint8), "photo", [])
    for call in range(40):
        sessions.of(f"call {call}")
    assert len(sessions) == 3 and [sessions.of(name) for name in ("first", "second")] == working
    sessions.close()


def test_who_names_no_session_gets_none():
    sessions = Sessions()
    token = sessions.of("page").token
    for ask in (lambda: sessions.of(""), lambda: sessions.adopt("", None), lambda: sessions.adopt("", token)):
        with pytest.raises(InputError, match="no session"):
            ask()
    sessions.close()


def test_a_page_that_is_loaded_anew_keeps_its_session_and_one_that_stays_away_loses_it(monkeypatch):
    waiting = []

    class Timer:
        """Its time comes when the test says so."""

        daemon = False

        def __init__(self, seconds, function, arguments=()):
            self.due = lambda: function(*arguments)

        def start(self):
            waiting.append(self)

        def cancel(self):
            waiting.remove(self)

    def time_passes():
        while waiting:
            waiting.pop(0).due()

    monkeypatch.setattr("app.registry.threading.Timer", Timer)
    sessions = Sessions(idle_seconds=3600)
    monkeypatch.setattr(sessions, "_sweep", lambda: None)  # that one comes later
    session = sessions.of("page")
    assert sessions.adopt("page again", session.token) is session  # the new page comes before the old one has gone
    sessions.leave("page")
    time_passes()
    assert sessions.by_token(session.token) is session
    sessions.leave("page again")
    assert sessions.adopt("page once more", session.token) is session  # within the time of grace
    time_passes()
    assert len(sessions) == 1
    sessions.leave("page once more")
    time_passes()
    assert len(sessions) == 0
    assert sessions.adopt("page", session.token) is not session
    waiting.clear()


def test_idle_sessions_go():
    sessions = Sessions(idle_seconds=60)
    first, second = sessions.of("first"), sessions.of("second")
    first.used -= 61
    sessions.of("second")
    with pytest.raises(InputError, match="reload"):
        sessions.by_token(first.token)
    second.used -= 61
    sessions._sweep()  # as its timer does when nobody else comes
    assert len(sessions) == 0
    sessions.close()
