"""What was left out of a thing at its edge is found by its colours."""

import cv2
import numpy as np

from pise_core.remains import remains_of


def scene(*boxes: tuple[slice, slice], colour=(120, 40, 50)) -> np.ndarray:
    """Cloth with a little noise, and boxes of another colour on it."""
    noise = np.random.default_rng(0).normal(0, 3, (120, 120, 3))
    photo = np.full((120, 120, 3), (225, 215, 200), np.float32)
    for box in boxes:
        photo[box] = colour
    return np.clip(photo + noise, 0, 255).astype(np.uint8)


def mask(*boxes: tuple[slice, slice]) -> np.ndarray:
    out = np.zeros((120, 120), bool)
    for box in boxes:
        out[box] = True
    return out


WHOLE = (slice(40, 80), slice(40, 80))
SEEN = (slice(40, 80), slice(40, 77))
REST = (slice(40, 80), slice(77, 80))


def test_a_strip_that_was_left_out_is_found():
    found = remains_of(scene(WHOLE), mask(SEEN), 1.0)
    assert found[REST].mean() > 0.9
    assert not found[~mask(REST)].any()


def test_nothing_is_found_beside_what_is_whole():
    assert not remains_of(scene(WHOLE), mask(WHOLE), 1.0).any()
    assert not remains_of(scene(WHOLE), np.zeros((120, 120), bool), 1.0).any()
    assert not remains_of(scene(), mask(WHOLE), 1.0).any()  # cloth is as the cloth beyond it


def test_what_lies_apart_or_goes_on_far_beyond_is_another_thing():
    apart = slice(40, 80), slice(84, 88)
    assert not remains_of(scene(WHOLE, apart), mask(WHOLE), 1.0)[apart].any()
    beyond = slice(40, 80), slice(80, 115)
    assert not remains_of(scene(WHOLE, beyond), mask(WHOLE), 1.0)[40:80, 88:].any()


def test_it_does_not_depend_on_the_resolution():
    photo, thing = scene(WHOLE), mask(SEEN)
    large = cv2.resize(photo, (240, 240), interpolation=cv2.INTER_LINEAR)
    found = remains_of(large, cv2.resize(thing.astype(np.uint8), (240, 240), interpolation=cv2.INTER_NEAREST) > 0, 2.0)
    assert found[80:160, 154:160].mean() > 0.6
    assert found.sum() < 1.2 * 80 * 6
