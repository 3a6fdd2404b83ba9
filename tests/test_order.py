"""Edits that overtake each other on their way are carried out in the order in which they were made."""

import itertools

import pytest

from app import order
from app.order import Order


@pytest.mark.parametrize("arrival", itertools.permutations([(2, 0), (3, 2), (7, 3), (8, 7)]))
def test_every_order_of_arrival_comes_to_the_same(arrival):
    edits, done = Order(), []
    for number, after in arrival:
        for edit in edits.arrive(number, after, lambda n=number: done.append(n)):
            edit()
    assert done == [2, 3, 7, 8]


def test_an_edit_that_is_lost_holds_up_the_others_for_a_while_only(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(order.time, "monotonic", lambda: now[0])
    edits = Order()
    assert [e() for e in edits.arrive(1, 0, lambda: 1)] == [1]
    assert edits.arrive(3, 2, lambda: 3) == []
    now[0] += 1
    assert edits.arrive(4, 3, lambda: 4) == []
    now[0] += order.PATIENCE
    assert [e() for e in edits.arrive(5, 4, lambda: 5)] == [3, 4, 5]
    assert [e() for e in edits.arrive(2, 1, lambda: 2)] == [2]  # it comes after all
