"""People who lie sideways or stand on their heads are found as upright ones are."""

from pathlib import Path

import numpy as np
import pytest

from pise_core import Editor, read_photo
from pise_core.detection.turning import SURE, certainty, look
from pise_core.pose import visible

PHOTO = sorted((Path(__file__).resolve().parents[1] / "app" / "examples" / "people").glob("*.png"))[0]


@pytest.fixture(scope="module")
def editor():
    return Editor.from_pretrained(device="cpu")


def back(points, size, turns):
    """Points (N, 2) in a picture of ``size`` (H, W) that was turned ``turns`` times counterclockwise, in itself."""
    for turn in range(turns, 0, -1):
        width = size[1] if turn % 2 else size[0]
        points = np.stack([width - points[:, 1], points[:, 0]], 1)
    return points


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_photo_gives_the_same_person_turned(editor, turns):
    photo = read_photo(PHOTO)
    upright = editor.analyze(photo)
    turned = np.ascontiguousarray(np.rot90(photo, turns))
    for box in (None, editor.find_people(turned)[0]):
        found = editor.analyze(turned, box=box)
        pose = back(found.pose[:, :2], photo.shape[:2], turns)
        assert np.nanmax(np.hypot(*(pose - upright.pose[:, :2]).T)) < 0.02 * max(photo.shape)
        assert (np.rot90(found.parsing, -turns) != upright.parsing).mean() < 0.02
        assert found.framing.size == upright.framing.size and found.framing.photo_size == turned.shape[1::-1]
        assert visible(found.pose).sum() == visible(upright.pose).sum()
        x0, y0, x1, y1 = found.box
        ys, xs = np.nonzero(found.parsing)
        # The box is about what the analyzer sees; cleaning the map then adds the rims of hands to it, upright or not.
        rim = 0.01 * max(x1 - x0, y1 - y0)
        assert x0 - rim <= xs.min() and xs.max() <= x1 + rim and y0 - rim <= ys.min() and ys.max() <= y1 + rim
    person = editor.set_person(turned)  # and what follows from it can be made
    assert person.parsing.shape == turned.shape[:2]


class Counting:
    """An analyzer that says how often it looked."""

    def __init__(self, analyzer):
        self._analyzer, self.looks = analyzer, 0

    def look(self, photo):
        self.looks += 1
        return self._analyzer.look(photo)


def test_who_is_seen_well_is_looked_at_once(editor):
    photo = read_photo(PHOTO)
    counting = Counting(editor.analyzer)
    sight = look(counting, photo)  # type: ignore[arg-type]
    assert certainty(sight) > SURE and counting.looks == 1
    counting.looks = 0
    look(counting, np.ascontiguousarray(photo[::-1, ::-1]))  # type: ignore[arg-type]
    assert counting.looks == 2  # on their heads is what comes next
