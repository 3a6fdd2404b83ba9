"""A detector that is downloaded: once for everybody, who are told how far it is."""

import threading

import pytest

from app.state.fetched import Fetched
from pise_core.errors import HubUnreachable


def test_all_wait_for_the_same_download_and_are_told_how_far_it_is():
    made, half, rest = [], threading.Event(), threading.Event()

    def make(told):
        told(0.5)
        half.set()
        assert rest.wait(10)
        made.append("detector")
        return made[-1]

    detector = Fetched(make)
    first, second = detector.fetch(), detector.fetch()
    next(first)
    assert half.wait(10)
    assert next(second) == 0.5
    first.close()  # does not wait any longer, and the download goes on
    rest.set()
    list(second)
    assert detector.get() == "detector" and made == ["detector"]
    assert list(detector.fetch()) == []


def test_what_went_wrong_is_told_to_everybody_until_it_is_tried_again():
    tries = []

    def make(told):
        tries.append(1)
        if len(tries) == 1:
            raise HubUnreachable("no network")
        return "detector"

    detector = Fetched(make)
    for _ in range(2):
        with pytest.raises(HubUnreachable, match="no network"):
            detector.get()
    assert len(tries) == 1
    list(detector.fetch())
    assert detector.get() == "detector" and len(tries) == 2
