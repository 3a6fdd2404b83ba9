"""Users wait in line, know their place, and nobody who has gone holds the others up."""

import threading
import time

import pytest

from app.state import queueing as line_module
from app.state.queueing import Line


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
