"""Who is let in: work is never given up for a newcomer, and whoever came first is let in first."""

from contextlib import contextmanager

import numpy as np
import pytest

from app.state import registry
from app.state.places import Full, Places
from app.state.registry import Sessions
from app.state.visitors import Signer, Visitor
from pise_core.errors import InputError

PHOTO = np.zeros((32, 32, 3), np.uint8)


class House:
    """Sessions with a clock that the test sets, and visitors who open photos."""

    def __init__(self, monkeypatch, **settings):
        self.now = 1000.0
        for module in ("places", "registry", "session"):
            monkeypatch.setattr(f"app.state.{module}.time.monotonic", lambda: self.now)
        self.places = Places(**settings)
        self.sessions = Sessions(self.places)

    def open(self, page: str, visitor: Visitor | None = None):
        session = self.sessions.of(page)
        with self.sessions.at_work(session, Visitor(page) if visitor is None else visitor):
            session.open(PHOTO, page, [])
        return session

    @contextmanager
    def opening(self, page: str):
        with self.sessions.at_work(self.sessions.of(page), Visitor(page)):
            yield


@pytest.fixture
def house(monkeypatch):
    made = []

    def make(**settings):
        made.append(House(monkeypatch, **settings))
        return made[-1]

    yield make
    for one in made:
        one.sessions.close()


def test_33_openings_under_invented_names_wipe_nobodys_work(house):
    full = house(limit=32)
    working = [full.open(f"visitor {number}") for number in range(16)]
    refused = 0
    for number in range(33):
        try:
            full.open(f"invented {number}", Visitor())
        except InputError:
            refused += 1
    assert refused == 17 and all(session.photo is not None and not session.closed for session in working)
    with pytest.raises(Full):  # nor do cookies that somebody has collected help
        full.open("one more")
    assert [full.sessions.of(f"visitor {number}") for number in range(16)] == working


def test_one_that_is_opening_is_never_given_up(house):
    full = house(limit=2)
    with full.opening("first"), full.opening("second"):
        full.now += 3000  # a slow line
        with pytest.raises(Full, match="all 2 places are taken; you are next. Come again in about"):
            full.open("third")
        assert all(not full.sessions.of(page).closed for page in ("first", "second"))
    full.open("third")  # they opened nothing in the end


def test_newcomers_wait_until_work_was_not_touched_for_minutes(house):
    full = house(limit=1)
    first = full.open("first")
    full.now += 599
    with pytest.raises(Full) as told:
        full.open("second")
    assert told.value.ahead == 0 and told.value.seconds == 5
    full.sessions.by_token(first.token)  # a preview
    full.now += 2
    with pytest.raises(Full):
        full.open("second")
    full.now += 600
    full.open("second")
    assert first.closed


def test_a_page_that_has_gone_makes_room_sooner(house):
    full = house(limit=1)
    first = full.open("first")
    full.sessions.leave("first")
    full.now += 59
    with pytest.raises(Full):
        full.open("second")
    assert full.sessions.of("first") is first  # reloaded
    full.now += 59
    with pytest.raises(Full):
        full.open("second")
    full.sessions.leave("first")
    full.now += 61
    full.open("second")
    assert first.closed


def test_who_came_first_is_let_in_first(house):
    full = house(limit=2, patience=60)
    for page in ("first", "second"):
        full.open(page)
    for ahead, page in enumerate(("a", "b", "c")):
        with pytest.raises(Full) as told:
            full.open(page)
        assert told.value.ahead == ahead
    full.sessions.forget(full.sessions.of("first"))
    for page in ("c", "b"):
        with pytest.raises(Full):
            full.open(page)
    full.open("a")
    full.now += 61  # b has gone away, and c is heard of again
    with pytest.raises(Full) as told:
        full.open("c")
    assert told.value.ahead == 0
    full.sessions.forget(full.sessions.of("second"))
    full.open("c")


def test_64_wait_while_32_leave_and_all_are_let_in_in_order(house):
    full = house(limit=32)
    inside = [f"inside {number}" for number in range(32)]
    for page in inside:
        full.open(page)
    door, let_in = [f"door {number}" for number in range(64)], []
    for _ in range(100):
        full.now += 5
        if inside:
            full.sessions.leave(page := inside.pop(0))
            full.sessions._forget_left(page, full.now)
        for page in [page for page in door if page not in let_in]:
            try:
                full.open(page)
            except Full as told:
                assert "Come again in about" in str(told)
            else:
                let_in.append(page)
                inside.append(page)
    assert let_in == door


def test_one_visitor_has_a_few_places_in_tabs(house):
    full = house(limit=32, each=2)
    mine = Visitor("me")
    first, second = full.open("one", mine), full.open("two", mine)
    with pytest.raises(InputError, match="2 photos open already, in other tabs"):
        full.open("three", mine)
    full.now += 601  # the tab that was not used for minutes
    full.sessions.by_token(second.token)
    full.open("three", mine)
    assert first.closed and not second.closed


def test_programs_and_one_address_have_half_of_all(house):
    full = house(limit=4)
    for page in ("one", "two"):
        full.open(page, Visitor())
    with pytest.raises(InputError, match="programs have 2 documents open"):
        full.open("three", Visitor())
    for page in ("four", "five"):
        full.open(page, Visitor(page, "10.1.1.1"))
    other = house(limit=4)
    for page in ("one", "two"):
        other.open(page, Visitor(page, "10.1.1.1"))
    with pytest.raises(InputError, match="from your address"):
        other.open("three", Visitor("three", "10.1.1.1"))
    other.open("three", Visitor("three", "10.1.1.2"))


def test_pages_that_are_only_looked_at_take_no_place_and_are_bounded(house, monkeypatch):
    monkeypatch.setattr(registry, "EMPTY", 5)
    full = house(limit=2)
    working = full.open("working")
    for number in range(50):
        full.sessions.of(f"looking {number}")
    assert len(full.sessions) <= 6 and len(full.places) == 1 and full.sessions.of("working") is working


def test_an_action_that_failed_gives_its_place_back(house):
    full = house(limit=1)
    with pytest.raises(InputError, match="damaged"), full.opening("first"):
        raise InputError("damaged")
    assert len(full.places) == 0
    full.open("second")


def test_a_cookie_is_known_by_its_signature():
    signer = Signer()
    value = signer.new()
    assert signer.name(value) and value != signer.new()
    for forged in ("", "me", "me.", "me." + value.split(".")[1], value + "0", "ünï.cödé"):
        assert signer.name(forged) == ""
    assert Signer("key").name(Signer("key").new()) and Signer("other").name(Signer("key").new()) == ""
