"""What lies beside a hole, mirrored into it."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from pise_core.inpainting.beside import Beside
from pise_core.inpainting.patch_fill import grid_of
from pise_core.inpainting.place import Place

LEFT, RIGHT = 60, 100


def _street(height=120, width=160):
    small = np.random.default_rng(3).integers(60, 200, (height // 8, width // 8, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def _grid(street, hole, expected=None):
    grid = grid_of(street, hole, 192)
    if expected is None:  # what is mirrored, at the middle of the cell before the hole and of the cell after it
        expected = street.copy()
        for x in range(LEFT, RIGHT):
            expected[:, x] = street[:, 2 * (LEFT - 1) - x if x < (LEFT + RIGHT) // 2 else 2 * RIGHT - x]
    return replace(grid, expected=np.where(hole[..., None], expected, street).astype(np.float32))


def _hole(shape=(120, 160)):
    hole = np.zeros(shape, bool)
    hole[:, LEFT:RIGHT] = True
    return hole


def _over(beside, street, place, columns):
    ys, xs = (a.ravel() for a in np.mgrid[0 : street.shape[0], columns])
    nothing = np.zeros((len(ys), 3), np.float32)
    return beside.over(nothing, street, ys, xs, place).reshape(street.shape[0], -1, 3)


def test_on_either_side_of_a_hole_the_street_goes_on_as_its_mirror_image():
    street = _street()
    beside = Beside(_grid(street, _hole()), np.ones((120, 160), np.float32))
    place = Place(0, 0, 120, 160)
    left = _over(beside, street, place, slice(LEFT, LEFT + 12))
    right = _over(beside, street, place, slice(RIGHT - 12, RIGHT))
    assert np.abs(left - street[:, LEFT - 2 : LEFT - 14 : -1]).max() < 2
    assert np.abs(right - street[:, RIGHT + 12 : RIGHT : -1]).max() < 2
    assert not _over(beside, street, place, slice(0, LEFT - 2)).any()  # what is seen stays
    assert not _over(beside, street, place, slice(5, 6)).any()


def test_a_larger_photo_shows_its_own_pixels():
    street = _street()
    large = np.kron(street, np.ones((2, 2, 1), np.uint8))
    beside = Beside(_grid(street, _hole()), np.ones((120, 160), np.float32))
    shown = _over(beside, large, Place(0, 0, 240, 320), slice(2 * LEFT, 2 * LEFT + 12))
    sources = large[:, 2 * LEFT - 3 : 2 * LEFT - 15 : -1]
    assert np.abs(shown - sources)[:, 2:].max() < 2


def test_nothing_is_shown_where_pieces_meet():
    share = np.ones((120, 160), np.float32)
    share[:, LEFT : LEFT + 20] = 0
    weight = Beside(_grid(_street(), _hole()), share).weight
    assert not weight[:, LEFT : LEFT + 20].any()
    assert weight[10:-10, LEFT + 26 : RIGHT - 4].min() > 0.8


def test_where_both_sides_meet_neither_is_shown():
    weight = Beside(_grid(_street(), _hole()), np.ones((120, 160), np.float32)).weight[10:-10]
    middle = (LEFT + RIGHT) // 2
    assert weight[:, middle - 1 : middle + 1].max() < 0.2
    assert weight[:, LEFT : LEFT + 12].min() > 0.9 and weight[:, RIGHT - 12 : RIGHT].min() > 0.9


def test_a_narrow_strip_between_two_legs_is_no_side_to_mirror_at():
    street, hole = _street(), _hole()
    hole[:, 75:81] = False
    beside = Beside(_grid(street, hole), np.ones((120, 160), np.float32))
    left = _over(beside, street, Place(0, 0, 120, 160), slice(LEFT, LEFT + 12))
    assert np.abs(left - street[:, LEFT - 2 : LEFT - 14 : -1]).max() < 2


def test_what_disagrees_with_what_is_expected_is_not_shown():
    street = _street()
    other = np.full_like(street, 250)
    for x in range(LEFT, (LEFT + RIGHT) // 2):
        other[:, x] = street[:, 2 * (LEFT - 1) - x]
    weight = Beside(_grid(street, _hole(), other), np.ones((120, 160), np.float32)).weight
    assert weight[10:-10, LEFT : LEFT + 10].min() > 0.9
    assert weight[10:-10, RIGHT - 10 : RIGHT].max() < 0.2


def test_deep_in_a_hole_less_and_less_is_shown():
    street = np.full((120, 300, 3), 120, np.uint8)
    hole = np.zeros((120, 300), bool)
    hole[:, 80:220] = True
    grid = replace(grid_of(street, hole, 300), expected=street.astype(np.float32))
    weight = Beside(grid, np.ones((120, 300), np.float32)).weight
    assert weight[60, 90] == pytest.approx(1)
    assert 0 < weight[60, 112] < weight[60, 105]
    assert not weight[:, 130:170].any()


def test_nothing_is_taken_from_a_hole_nor_from_beyond_the_picture():
    street, hole = _street(), _hole()
    hole[:60, 36:48] = True  # somebody's bag beside the left border
    beside = Beside(_grid(street, hole), np.ones((120, 160), np.float32))
    assert not beside.weight[5:45, LEFT + 11 : LEFT + 19].any()  # its image
    assert beside.weight[80:, LEFT : LEFT + 12].min() > 0.5
    narrow = np.zeros((120, 160), bool)
    narrow[:, 10:60] = True
    weight = Beside(_grid(street, narrow), np.ones((120, 160), np.float32)).weight
    assert not weight[:, 20:30].any()  # the left border is only ten columns away


def test_bars_beside_a_wavy_silhouette_stay_upright():
    bars = np.zeros((120, 160, 3), np.uint8)
    bars[:] = (60 + 80 * (np.arange(160) // 6 % 2))[None, :, None]
    hole = _hole()
    for y in range(120):
        hole[y, : LEFT + round(4 * np.sin(y / 4))] = False
        hole[y, LEFT + round(4 * np.sin(y / 4)) : LEFT + 10] = True
    beside = Beside(_grid(bars, hole, bars), np.ones((120, 160), np.float32))
    shown = _over(beside, bars, Place(0, 0, 120, 160), slice(LEFT + 6, LEFT + 12))[20:100, :, 0]
    weight = beside.weight[20:100, LEFT + 6 : LEFT + 12]
    assert weight.min() > 0.3
    assert np.ptp(shown / weight, axis=0).max() < 25  # of 80 levels from bar to bar
