"""The painted layer: exact, sparse, and refused where it is damaged."""

import numpy as np
import pytest

from pise_core.document.paint import UNTOUCHED, PaintLayer, pack, working_size
from pise_core.errors import InputError
from tests.conftest import layer


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
