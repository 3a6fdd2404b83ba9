"""The small pictures of regions show the region, and little else."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from app.view import updates as view
from app.view.thumbnails import SWATCH_SIDE, swatch
from pise_core.regions import REGION


def picture(address):
    data = base64.b64decode(address.removeprefix("data:image/jpeg;base64,"))
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


@pytest.mark.parametrize(
    ("rows", "columns"),
    [((300, 340), (10, 40)), ((0, 12), (0, 200)), ((388, 400), (290, 300)), ((0, 400), (0, 300))],
)
def test_a_swatch_is_a_square_about_the_region_wherever_it_is(rows, columns):
    photo = np.full((400, 300, 3), 220, np.uint8)
    parsing = np.zeros((400, 300), np.uint8)
    parsing[slice(*rows), slice(*columns)] = 3
    photo[parsing == 3] = (200, 20, 20)
    small = picture(swatch(photo, parsing, 3)).astype(int)
    assert small.shape[0] == small.shape[1] <= SWATCH_SIDE
    red = (small[..., 0] - small[..., 1] > 90).mean()
    height, width = min(rows[1] - rows[0], 300), min(columns[1] - columns[0], 300)
    side = max(height, width, 16)
    assert red > 0.5 * height * width / side**2


def test_each_region_of_a_reference_has_a_picture_of_its_own(session, known_other, other_person):
    session.references.add("other", known_other)
    [reference] = view.references(session)
    regions = reference["regions"]
    assert set(regions) == set(reference["present"]) - {"background"}
    assert len({*regions.values(), reference["image"]}) == len(regions) + 1
    shirt = other_person.photo[other_person.parsing == REGION["upper_clothes"]][0].astype(int)

    def share_of_shirt(address):
        return (np.abs(picture(address) - shirt).max(2) < 30).mean()

    assert share_of_shirt(regions["upper_clothes"]) > max(0.3, 1.5 * share_of_shirt(reference["image"]))
