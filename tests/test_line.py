"""Users wait in line, know their place, and nobody who has gone holds the others up."""

import threading
import time

import pytest

from app.state import queueing as line_module
from app.state.queueing import Line
from pise_core.model import turns
from pise_core.model.turns import Kind, Turns, working_for


def until(reached):
    """Wait until something has happened in another thread."""
    while not reached():
        time.sleep(0.001)


def work(name, log, steps=2):
    for number in range(steps):
        log.append(f"{name}{number}")
        yield f"{name}{number}"


def test_whoever_comes_first_is_served_first_and_the_next_is_told():
    line, log = Line(), []
    first, second = line.steps(work("a", log)), line.steps(work("b", log))
    assert next(first) == "a0"
    assert next(second) == 1  # one comes first
    assert log == ["a0"]
    assert list(first) == ["a1"]
    assert list(second) == ["b0", "b1"]
    assert log == ["a0", "a1", "b0", "b1"]


def test_the_number_falls_as_others_leave():
    line = Line()
    first, second, third = (line.steps(work(name, [])) for name in "abc")
    assert (next(first), next(second), next(third)) == ("a0", 1, 2)
    first.close()
    assert next(third) == 1
    assert list(second) == ["b0", "b1"]
    assert list(third) == ["c0", "c1"]


def test_one_s_own_requests_come_first_but_are_no_others():
    line, me = Line(), object()
    mine, others = line.steps(work("a", []), me), line.steps(work("b", []))
    later = line.steps(work("c", []), me)
    assert (next(mine), next(others)) == ("a0", 1)
    assert next(later) == 1  # of two
    assert list(mine) == ["a1"] and list(others) == ["b0", "b1"] and list(later) == ["c0", "c1"]


def test_an_error_leaves_the_line():
    line = Line()

    def broken():
        yield 1
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        list(line.steps(broken()))
    assert list(line.steps(work("a", []))) == ["a0", "a1"]


def test_one_that_was_abandoned_is_passed_over_but_not_one_that_works(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(line_module.time, "monotonic", lambda: now[0])
    line = Line()
    abandoned = line.steps(work("a", []))
    assert next(abandoned) == "a0"  # and nobody asks for the rest
    second = line.steps(work("b", []))
    assert next(second) == 1
    now[0] += 11
    assert list(second) == ["b0", "b1"]

    log, going, done = [], threading.Event(), threading.Event()

    def long():
        going.set()
        done.wait(5)
        log.append("long")
        yield "long"

    worker = threading.Thread(target=lambda: list(line.steps(long())))
    worker.start()
    going.wait(5)
    waiting = line.steps(work("c", log))
    assert next(waiting) == 1
    now[0] += 11  # longer than the patience
    done.set()
    assert list(waiting) == ["c0", "c1"] and log == ["long", "c0", "c1"]
    worker.join(5)


def test_a_turn_is_taken_in_the_same_line():
    line, log = Line(), []
    first = line.steps(work("a", log))
    next(first)

    def program():
        with line.turn():
            log.append("turn")

    waiting = threading.Thread(target=program)
    waiting.start()
    while len(line) < 2:  # until it is in line
        time.sleep(0.001)
    assert log == ["a0"]
    list(first)
    waiting.join(5)
    assert log == ["a0", "a1", "turn"]


def test_where_there_is_room_two_work_side_by_side_but_never_two_of_one_owner():
    line, me = Line(room=2), object()
    first, second, third = (line.steps(work(name, []), owner) for name, owner in (("a", me), ("b", None), ("c", None)))
    again = line.steps(work("d", []), me)
    assert (next(first), next(second)) == ("a0", "b0")
    assert next(third) == 1
    assert next(again) == 2  # of whom only one has to leave, were it not for the owner's own
    assert list(second) == ["b1"]
    assert list(third) == ["c0", "c1"]
    waiting = line.ahead(next(t for t in line._seen if t.owner is me and t is not next(iter(line._seen))))
    assert [ticket.owner for ticket in waiting] == [me]
    assert list(first) == ["a1"] and list(again) == ["d0", "d1"]


# ---- by kind


def test_what_is_urgent_comes_first_but_nobody_waits_for_ever(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(line_module.time, "monotonic", lambda: now[0])
    line, log = Line(patience=1000), []
    first = line.steps(work("busy", log))
    assert next(first) == "busy0"
    batch = line.steps(work("batch", log), kind=Kind.BATCH)
    opening = line.steps(work("opening", log), kind=Kind.OPENING)
    exact = line.steps(work("exact", log))
    assert (next(batch), next(opening), next(exact)) == (1, 1, 1)  # only who works is before each of them
    assert next(batch) == 3  # now
    list(first)
    assert list(exact) == ["exact0", "exact1"]
    now[0] += 25  # the batch has waited so long that an exact picture of now comes after it, and an opening does anyway
    late = line.steps(work("late", log))
    assert list(opening) == ["opening0", "opening1"]
    assert next(late) == 1
    assert list(batch) == ["batch0", "batch1"] and list(late) == ["late0", "late1"]


def test_work_that_has_begun_keeps_its_room():
    line, log = Line(), []
    batch = line.steps(work("batch", log), kind=Kind.BATCH)
    assert next(batch) == "batch0"
    exact = line.steps(work("exact", log))
    assert next(exact) == 1
    assert list(batch) == ["batch1"] and list(exact) == ["exact0", "exact1"]


def test_the_networks_are_told_what_they_work_for():
    line, seen = Line(), []

    def asks():
        for _ in range(2):
            seen.append(turns._kind.get())
            yield 0

    list(line.steps(asks(), kind=Kind.BATCH))
    with line.turn(Kind.OPENING):
        seen.append(turns._kind.get())
    assert seen == [Kind.BATCH, Kind.BATCH, Kind.OPENING] and turns._kind.get() == Kind.EXACT


def test_the_networks_go_to_drags_first_then_to_exact_pictures_then_to_openings():
    lock, order, waiting = Turns(), [], []

    def ask(kind):
        with working_for(kind), lock:
            order.append(kind)

    with lock, lock:  # the thread that has them may ask again
        for count, kind in enumerate((Kind.BATCH, Kind.OPENING, Kind.EXACT, Kind.DRAG, Kind.EXACT), 1):
            waiting.append(threading.Thread(target=ask, args=(kind,)))
            waiting[-1].start()
            until(lambda count=count: len(lock._waiting) == count)
        assert order == []
    for thread in waiting:
        thread.join(10)
    assert order == [Kind.DRAG, Kind.EXACT, Kind.EXACT, Kind.OPENING, Kind.BATCH] and not lock._waiting


def test_whoever_fails_while_waiting_or_working_leaves_the_networks_to_others():
    lock = Turns()
    with pytest.raises(ValueError, match="no"), lock:
        raise ValueError("no")
    with lock:
        pass
    assert lock._owner is None
