"""Edits that overtake each other on their way are carried out in the order in which they were made."""

import itertools
import threading

import pytest

from app.state import order
from app.state.order import Order


@pytest.mark.parametrize("arrival", itertools.permutations([(2, 0), (3, 2), (7, 3), (8, 7)]))
def test_every_order_of_arrival_comes_to_the_same(arrival):
    edits, done = Order(), []

    def edit(number, after):
        with edits.turn(number, after):
            done.append(number)

    threads = [threading.Thread(target=edit, args=numbers) for numbers in arrival]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(order.PATIENCE)
    assert done == [2, 3, 7, 8]


def test_an_edit_that_is_lost_or_fails_holds_up_the_others_for_a_while_only(monkeypatch):
    monkeypatch.setattr(order, "PATIENCE", 0.05)
    edits, done = Order(), []
    with edits.turn(1, 0):
        done.append(1)
    with edits.turn(3, 2):  # the second one never comes
        done.append(3)
    with pytest.raises(ValueError, match="no"), edits.turn(4, 3):
        raise ValueError("no")
    monkeypatch.setattr(order, "PATIENCE", 60)
    with edits.turn(5, 4):  # at once
        done.append(5)
    with edits.turn(2, 1):  # it comes after all
        done.append(2)
    assert done == [1, 3, 5, 2]
