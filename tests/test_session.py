"""A page's session, its files, and the registry that bounds how many there are."""

import ctypes
import errno
import gc
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from app.state import memory
from app.state.registry import Sessions
from app.state.session import Session
from app.state.visitors import Visitor
from pise_core.errors import InputError
from tests.conftest import ROOT, moved


def test_another_photo_is_another_document_and_keeps_the_references(session, document, known_other, other_person):
    document.add_reference(known_other)
    before = session.number
    session.open(other_person.photo, "other", [])
    assert session.number == before + 1 and list(session.references) == ["r1"]
    with pytest.raises(InputError, match="where the person is"):
        session.need_document()


def test_a_document_is_told_apart_from_the_one_before(session, document):
    before = session.number
    session.edit(document)
    assert session.number == before + 1


def test_what_a_later_session_says_is_newer_whatever_was_said_before(session, document, monkeypatch):
    for _ in range(20):
        session.edit(document)
        session.count()
    now = time.time()
    monkeypatch.setattr("app.state.session.time.time", lambda: now + 1)
    later = Session()
    assert later.number > session.number and later.made > session.made
    with later.order.turn(later.sequence + 1, session.made):  # waits for nothing
        pass
    later.close()


def test_files_of_a_session_go_with_it(session, person):
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
    with pytest.raises(InputError, match="expired"):
        session.save(b"x", "photo", ".png")
    assert not session._folder.exists()


def test_sessions_are_found_by_page_and_by_token():
    sessions = Sessions()
    first = sessions.of("first")
    assert sessions.of("first") is first and sessions.by_token(first.token) is first
    assert sessions.knows("first") and not sessions.knows("second")
    for token in ("nobody's", "ünïcode", None, 3):
        with pytest.raises(InputError, match="expired"):
            sessions.by_token(token)
    sessions.close()
    assert len(sessions) == 0


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

    monkeypatch.setattr("app.state.registry.threading.Timer", Timer)
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
    assert sessions.of("page once more") is session  # a phone that was locked for a while is heard of again
    time_passes()
    assert sessions.of("page once more") is session
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
    with pytest.raises(InputError, match="expired"):
        sessions.by_token(first.token)
    second.used -= 61
    sessions._sweep()  # as its timer does when nobody else comes
    assert len(sessions) == 0
    sessions.close()


def test_a_session_rests_when_nothing_was_asked_for_a_while(document, monkeypatch):
    rested = []
    monkeypatch.setattr(Session, "rest", lambda session: rested.append(session))
    sessions = Sessions(rest_seconds=60)
    idle, busy, empty = (sessions.of(name) for name in ("idle", "busy", "empty"))
    visitor = Visitor("cookie", "")
    for one in idle, busy:
        one.edit(document)
    with sessions.at_work(idle, visitor):
        pass
    with sessions.at_work(empty, visitor):
        pass
    with sessions.at_work(busy, visitor):
        for one in idle, busy:
            one.used -= 61
        sessions._let_rest()  # as its timer does
        assert rested == [idle]
        sessions._let_rest()
        assert rested == [idle]  # it rests already
    with sessions.at_work(idle, visitor):
        idle.used -= 61
        sessions._let_rest()
    assert rested == [idle]
    for one in idle, busy:
        one.used -= 61
    sessions._let_rest()
    assert rested == [idle, idle, busy]
    sessions.close()


def test_a_session_at_rest_goes_on(session, document, person):
    session.edit(document)
    sized = session.cut.person
    document.set_pose(moved(person))
    before = document.render(preview=True).photo
    session.rest()
    assert np.array_equal(session.cut.person.photo, sized.photo)
    assert np.array_equal(document.render(preview=True).photo, before)


def test_a_full_disk_is_told_in_a_line_and_leaves_no_half_picture(session, person, monkeypatch):
    kept = session.save(person.photo, "shown", ".jpg")

    def full(path, data):
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(InputError, match="^the server can't keep the picture: No space left on device; try again"):
            session.save(person.photo, "shown", ".jpg")
    assert [path for path in session._folder.rglob("*") if path.is_file()] == [Path(kept)]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems look after memory themselves")
def test_memory_that_is_free_goes_back_to_the_system():
    def resident():
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    kept, freed = [], []
    for number in range(40_000):  # small enough for the heap, and one of eight stays in it
        (freed if number % 8 else kept).append(bytearray(8000))
    full = resident()
    freed.clear()
    gc.collect()
    memory.give_back()
    assert full - resident() > 100_000_000 and len(kept) == 5000


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_info"), reason="another library's memory"
)
def test_threads_share_few_pools_of_memory(tmp_path):
    code = (
        "import ctypes, sys, threading\n"
        "from app.state.memory import few_pools\n"
        "few_pools()\n"
        "done = threading.Event()\n"
        "def work():\n"
        "    held = [bytearray(10_000) for _ in range(20)]\n"
        "    done.wait()\n"
        "threads = [threading.Thread(target=work) for _ in range(20)]\n"
        "for thread in threads: thread.start()\n"
        "libc = ctypes.CDLL(None)\n"
        "libc.fopen.restype = ctypes.c_void_p\n"
        "file = ctypes.c_void_p(libc.fopen(sys.argv[1].encode(), b'w'))\n"
        "libc.malloc_info(0, file)\n"
        "libc.fclose(file)\n"
        "done.set()\n"
    )
    told = tmp_path / "pools.xml"
    subprocess.run([sys.executable, "-c", code, str(told)], cwd=ROOT, check=True)
    assert 1 <= told.read_text().count("<heap ") <= 2


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="another library's memory"
)
def test_what_is_freed_stays_until_it_is_given_back():
    code = (
        "import os\n"
        "from pathlib import Path\n"
        "from app.state import memory\n"
        "def resident():\n"
        "    pages = int(Path('/proc/self/statm').read_text().split()[1])\n"
        "    return pages * os.sysconf('SC_PAGE_SIZE') >> 20\n"
        "memory.keep_freed()\n"
        "before = resident()\n"
        "pictures = [bytearray(10 << 20) for _ in range(6)]\n"
        "del pictures\n"
        "kept = resident()\n"
        "memory.give_back()\n"
        "print(kept - before, resident() - before)\n"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    kept, left = map(int, found.stdout.split())
    assert kept >= 50 and left < 10, found.stdout
