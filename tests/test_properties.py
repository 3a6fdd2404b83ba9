"""Whatever strangers send, each door takes it or refuses it in one line; ``python -m reliability fuzz`` goes on."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pise_core.errors import InputError
from reliability.doors import DOORS
from reliability.fuzz import mutated, trial

_SETTINGS = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}


@pytest.mark.parametrize("door", sorted(DOORS))
def test_a_whole_file_is_taken(door):
    if door == "checkpoints":  # they begin like the release's, and lack nearly all
        with pytest.raises(InputError, match="lacks"):
            DOORS[door].take(DOORS[door].corpus()[0])
        return
    DOORS[door].take(DOORS[door].corpus()[0])


@pytest.mark.parametrize("door", sorted(DOORS))
@settings(max_examples=40, **_SETTINGS)
@given(number=st.integers(0, 10**9))
def test_a_damaged_file_is_taken_or_refused_in_one_line(door, number):
    data = mutated(DOORS[door].corpus(), f"{door}-{number}")
    assert trial(door, data) is None


@pytest.mark.parametrize("door", sorted(DOORS))
@settings(max_examples=40, **_SETTINGS)
@given(data=st.binary(max_size=400), prefix=st.sampled_from((0, 1, 8, 16, 64, 200)))
def test_any_bytes_after_any_beginning_are_refused_in_one_line(door, data, prefix):
    assert trial(door, DOORS[door].corpus()[0][:prefix] + data) is None


def test_a_door_that_fails_is_found(monkeypatch):
    def broken(data):
        raise KeyError(data)

    monkeypatch.setitem(DOORS, "images", DOORS["images"]._replace(take=broken))
    assert "KeyError" in (trial("images", b"x") or "")
