"""Garments that nobody wears, and looks: cut out, and given a skeleton."""

import cv2
import numpy as np
import pytest

from pise_core.document.textures import garment, likely_box, look
from pise_core.errors import InputError
from pise_core.pose import visible
from pise_core.regions import REGION


def test_a_garment_is_found_cut_out_and_given_a_skeleton(laid_out):
    photo, mask = laid_out
    x0, y0, x1, y1 = likely_box(photo)
    assert abs(x0 * 200 - 10) < 8 and abs(y0 * 260 - 50) < 8 and abs(x1 * 200 - 190) < 8 and abs(y1 * 260 - 220) < 8
    cut = garment(photo, (x0, y0, x1, y1), "upper_clothes")
    found = cut.parsing == REGION["upper_clothes"]
    assert (found & mask).sum() / (found | mask).sum() > 0.9
    assert visible(cut.pose)[[1, 2, 5, 8, 11]].all() and mask[int(cut.pose[2, 1]) + 20, int(cut.pose[2, 0])]


def test_a_box_without_a_garment_is_refused(laid_out):
    photo, _ = laid_out
    with pytest.raises(InputError, match="larger box"):
        garment(photo, (0.5, 0.5, 0.52, 0.9), "pants")
    plain = np.full((100, 80, 3), 200, np.uint8)
    assert likely_box(plain) == (0.1, 0.1, 0.9, 0.9)


def test_a_look_is_small_and_shows_nothing_else(person):
    saved = look(person.photo, person.parsing, person.pose, "upper_clothes")
    inside = saved.parsing == REGION["upper_clothes"]
    assert set(np.unique(saved.parsing)) == {0, REGION["upper_clothes"]}
    assert (saved.photo[cv2.erode((~inside).astype(np.uint8), np.ones((5, 5))) > 0] == 127).all()
    assert max(saved.photo.shape) <= 512
    with pytest.raises(InputError, match="no dress"):
        look(person.photo, person.parsing, person.pose, "dress")


@pytest.mark.parametrize(
    ("box", "region", "said"),
    [
        ((0.1, 0.1, 0.9, 0.9), "hair", "one of: upper_clothes, dress, pants; not hair"),
        ((20, 20, 180, 240), "dress", "shares from 0 to 1"),
        ((0.1, 0.1, 0.9, float("nan")), "dress", "shares from 0 to 1"),
        ((0.1, 0.1, 0.9), "dress", "shares from 0 to 1"),
    ],
)
def test_what_is_no_garment_or_no_box_is_refused(laid_out, box, region, said):
    with pytest.raises(InputError, match=said):
        garment(laid_out[0], box, region)
