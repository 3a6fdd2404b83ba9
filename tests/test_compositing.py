"""Laying an edit over the photo."""

import numpy as np

from pise_core.masks import feather, grow
from pise_core.matting import matte
from pise_core.rendering.compositing import beyond_silhouette, composite


def test_where_the_weight_is_zero_the_photo_s_bits_come_out():
    rng = np.random.default_rng(0)
    photo, new, ground = rng.integers(0, 256, (3, 20, 30, 3), dtype=np.uint8)
    weight = np.zeros((20, 30), np.float32)
    weight[5:10, 5:10] = 1
    out = composite(photo, new, np.ones((20, 30), np.float32), ground, weight)
    assert (out[weight == 0] == photo[weight == 0]).all()
    assert (out[weight == 1] == new[weight == 1]).all()


def test_person_and_background_share_a_pixel():
    black, white = np.zeros((1, 1, 3), np.uint8), np.full((1, 1, 3), 200, np.uint8)
    out = composite(black, white, np.full((1, 1), 0.25, np.float32), black, np.ones((1, 1), np.float32))
    assert (out == 50).all()


def test_feather_is_one_inside_and_exactly_zero_outside():
    concerned = np.zeros((40, 40), bool)
    concerned[10:30, 10:30] = True
    weight = feather(concerned, 3)
    assert (weight[~concerned] == 0).all()
    assert (weight[15:25, 15:25] == 1).all()
    assert (weight[concerned] > 0).all()
    assert feather(np.ones((5, 5), bool), 2).min() == 1


def test_growing_reaches_as_far_as_asked():
    dot = np.zeros((21, 21), bool)
    dot[10, 10] = True
    assert grow(dot, 4)[10, 6]
    assert not grow(dot, 4)[10, 5]


def test_the_matte_is_sure_away_from_the_silhouette():
    parsing = np.zeros((60, 60), np.uint8)
    parsing[:, 30:] = 3
    share = matte(parsing, scale=0.4)
    assert (share[:, :24] == 0).all()
    assert (share[:, 36:] == 1).all()


def test_the_generator_s_picture_goes_on_beyond_its_silhouette_and_stays_as_it_is_inside():
    inside = np.zeros((20, 16), bool)
    inside[5:15, 4:12] = True
    rng = np.random.default_rng(0)
    painted = np.where(inside[..., None], rng.uniform(0, 255, (20, 16, 3)), 128).astype(np.float32)
    gate = np.where(inside, 0.7, 0.1).astype(np.float32)
    before = painted.copy()
    made, passed = beyond_silhouette(painted, gate, inside)
    assert (made[inside] == before[inside]).all() and (painted == before).all()
    assert (made[10, 14] == before[10, 11]).all() and (made[0, 6] == before[5, 6]).all()
    assert np.allclose(passed, 0.7)
    nothing = beyond_silhouette(painted, gate, ~inside & inside)
    assert (nothing[0] == painted).all() and (nothing[1] == gate).all()
