"""People in a row, and panoramas: everybody is found, however long the photo is, and all begin with the same one."""

from pathlib import Path

import numpy as np
import pytest

from pise_core import read_photo
from pise_core.detection import analyzer
from pise_core.document.file_format import PEOPLE_LIMIT
from pise_core.images import shrink

PEOPLE = sorted((Path(__file__).resolve().parents[1] / "app" / "examples" / "people").glob("person-*.png"))
PHOTOS = [shrink(read_photo(PEOPLE[number]), 400) for number in (0, 1, 2, 3, 5)]


def row(count):
    """So many people side by side, (400, W, 3), and where each of their photos begins and ends."""
    photos = [PHOTOS[number % len(PHOTOS)] for number in range(count)]
    ends = np.cumsum([0, *(photo.shape[1] for photo in photos)])
    return np.concatenate(photos, axis=1), list(zip(ends[:-1], ends[1:], strict=True))


@pytest.mark.parametrize("count", [6, 22])
def test_everybody_of_a_row_is_found_and_every_door_begins_with_the_same(editor, count):
    photo, places = row(count)
    boxes = editor.find_people(photo)
    for left, right in places:
        assert sum(left - 10 < x0 and x1 < right + 10 and y1 - y0 > 200 for x0, y0, x1, y1 in boxes) == 1
    x0, y0, x1, y1 = boxes[0]
    pose = editor.analyze(photo).pose
    assert np.nanmin(pose[:, 0]) > x0 - 10 and np.nanmax(pose[:, 0]) < x1 + 10
    assert np.nanmin(pose[:, 1]) > y0 - 10 and np.nanmax(pose[:, 1]) < y1 + 10


def test_a_usual_photo_is_looked_at_as_ever_and_a_very_long_one_within_bounds():
    def size(height, width):
        return analyzer._scene(np.zeros((height, width, 3), np.uint8), 256)[1]

    assert size(825, 550) == (256, 171) and size(600, 1000) == (154, 256)
    assert size(1920, 1080) == (256, 144)  # a phone's
    assert size(400, 4000) == (154, 1536)
    assert size(40, 16000) == (32, 4096) and size(16000, 40) == (4096, 32)


def test_a_document_keeps_the_edits_of_everybody_who_is_offered():
    assert analyzer.MOST_PEOPLE <= PEOPLE_LIMIT
