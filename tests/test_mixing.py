"""Between two garments there is one at every step, and its colours go from one to the other."""

import cv2
import numpy as np
import pytest

from pise_core.regions import REGION
from pise_core.rendering.mixing import Blend, Tone
from tests.conftest import draw_person

TOP = REGION["upper_clothes"]


@pytest.fixture(scope="module")
def striped(editor):
    """Two people alike: red stripes that lie across, and blue ones that run down."""
    people = []
    for axis, colour in ((0, (200, 60, 50)), (1, (50, 70, 190))):
        made = draw_person(440, 660)
        photo, inside = made.photo.copy(), made.parsing == TOP
        dark = np.indices(inside.shape)[axis] // 8 % 2 == 0
        photo[inside], photo[inside & dark] = colour, np.array(colour) // 3
        people.append(editor.set_person(photo, pose=made.pose, parsing=made.parsing))
    return people


def chest(edit, person):
    """The middle of the shirt in CIE Lab."""
    neck, hips = person.pose[1, :2], person.pose[[8, 11], :2].mean(0)
    (x, y), half = (neck + hips) / 2, 32
    rows, columns = slice(int(y) - half, int(y) + half), slice(int(x) - 24, int(x) + 24)
    assert (edit.parsing[rows, columns] == TOP).all()
    return cv2.cvtColor(edit.photo[rows, columns].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def across_and_down(lab):
    """How much lightness changes from row to row, and from column to column."""
    return lab[..., 0].mean(1).std(), lab[..., 0].mean(0).std()


def test_there_is_one_garment_at_every_step(striped):
    own, other = striped
    means = []
    for weight in (0.0, 0.25, 0.49, 0.51, 0.75, 1.0):
        edit = own.render(styles={"upper_clothes": [(other, weight)]})
        lab = chest(edit, own)
        across, down = across_and_down(lab)
        assert (across > 4 * down) if weight < 0.5 else (down > 4 * across)
        means.append(lab.reshape(-1, 3).mean(0))
        if not weight:
            assert np.array_equal(edit.photo, own.photo)
    # The typical colour goes evenly, and never back.
    way = means[-1] - means[0]
    shares = [float((mean - means[0]) @ way / (way @ way)) for mean in means]
    assert shares == sorted(shares) and np.allclose(shares, (0, 0.25, 0.49, 0.51, 0.75, 1), atol=0.12)


def test_at_the_ends_a_garment_is_itself(striped):
    own, other = striped
    pixels = np.random.default_rng(0).integers(0, 256, (50, 3)).astype(np.uint8)
    whole, little = Blend.of(own, TOP, [(other, 1.0)]), Blend.of(own, TOP, [(other, 0.2)])
    assert whole.structure == 1 and whole.toned(pixels) is pixels
    assert little.structure == 0 and not np.array_equal(little.toned(pixels), pixels)
    assert Blend.of(own, TOP, [(other, 0.3), (own, 0.4)]).structure == 2


def test_where_the_person_has_none_the_others_share_its_weight(striped, known_other):
    own, _ = striped
    assert Tone.of(own.frame, REGION["dress"]) is None
    blend = Blend.of(own, REGION["dress"], [(known_other, 0.4)])
    assert blend.toned(np.zeros((3, 3), np.uint8)).shape == (3, 3)
