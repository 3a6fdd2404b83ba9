"""What the weights that ship can do. On real photos too, where PISE_SHARED_DATA names a folder that holds
``clothing-co-parsing`` (see ``pise_core.training.data.street_photos``); no photo is part of this repository."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from pise_core import NobodyFound
from pise_core.images import read_image
from pise_core.pose import visible
from pise_core.training.analyzer.metrics import KeypointAccuracy, RegionOverlap

EXAMPLES = sorted((Path(__file__).parent.parent / "app/examples/people").glob("*.png"))
SHARED = os.environ.get("PISE_SHARED_DATA")
STREET = Path(SHARED) / "clothing-co-parsing" if SHARED else None
on_street_photos = pytest.mark.skipif(STREET is None, reason="PISE_SHARED_DATA is not set: no street photos to test on")


def test_the_weights_are_small_enough(weights):
    """All together, and each: hubs refuse larger files over plain git."""
    sizes = [f.stat().st_size for f in weights.rglob("*") if f.is_file()]
    assert sum(sizes) <= 32 * 2**20
    assert max(sizes) < 10 * 2**20


def test_an_empty_street_holds_nobody(editor):
    rows = np.linspace(200, 90, 300)[:, None, None]
    street = (np.zeros((300, 220, 3)) + rows).astype(np.uint8)
    street[180:, 30:90] = (120, 90, 70)
    assert editor.find_people(street) == []
    with pytest.raises(NobodyFound, match="no person was found"):
        editor.set_person(street)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_examples_are_understood(editor, path):
    photo = read_image(path)
    found = editor.analyze(photo)
    assert visible(found.pose).sum() >= 14
    assert 0.05 < (found.parsing > 0).mean() < 0.7


def test_there_are_examples():
    assert len(EXAMPLES) >= 4


def _place(canvas: np.ndarray, photo: np.ndarray, height: int, left: int, top: int) -> None:
    width = round(photo.shape[1] * height / photo.shape[0])
    canvas[top : top + height, left : left + width] = cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA)


def test_a_small_person_in_a_corner_and_the_largest_of_two(editor):
    photo = read_image(EXAMPLES[0])
    edge = photo[:4].reshape(-1, 3).mean(0)
    scene = np.full((600, 1000, 3), edge, np.uint8)
    _place(scene, photo, 260, 780, 320)
    (box, *_) = editor.find_people(scene)
    assert box[0] > 740
    assert box[1] > 280
    _place(scene, photo, 560, 60, 20)
    boxes = editor.find_people(scene)
    assert len(boxes) >= 2
    assert boxes[0][2] < 600
    chosen = editor.analyze(scene, box=boxes[1])
    assert np.nanmean(chosen.pose[:, 0]) > 740


@on_street_photos
def test_analysis_of_held_back_street_photos(editor):
    from pise_core.training.data.street_photos import StreetPhotos

    assert STREET is not None
    photos, overlap, accuracy = StreetPhotos(STREET), RegionOverlap(), KeypointAccuracy()
    for name in photos.split["test"]:
        truth = photos.pose(name)
        assert truth is not None
        photo = photos.photo(name)
        found = editor.analyze(photo)
        accuracy.add(truth, found.pose)
        parsing = photos.parsing(name, truth)
        if parsing is not None:
            overlap.add(parsing, found.parsing)
    print(f"mean IoU {overlap.mean:.3f}", overlap.per_region.round(3), accuracy.mean)
    assert overlap.mean >= 0.70
    assert accuracy.mean["pck@0.05"] >= 0.90


@on_street_photos
def test_borrowed_colour_arrives_and_nothing_else_moves(editor):
    """Upper clothes borrowed from the next photo: the mean colour goes towards the reference, step by step."""
    from pise_core.training.data.street_photos import StreetPhotos

    assert STREET is not None
    photos = StreetPhotos(STREET)
    people = [editor.set_person(photos.photo(name)) for name in photos.split["test"][:8]]
    towards = 0
    pairs = [(a, b) for a, b in zip(people, people[1:], strict=False) if a.present[3] and b.present[3]]
    for person, other in pairs:
        region = person.parsing == 3
        wish = other.photo[other.parsing == 3].mean(0) - person.photo[region].mean(0)
        steps = []
        for alpha in (0.0, 0.5, 1.0):
            edit = person.render(styles={"upper_clothes": [(other, alpha)]})
            steps.append(float((edit.photo[region].mean(0) - person.photo[region].mean(0)) @ wish))
            far = cv2.dilate(region.astype(np.uint8), np.ones((25, 25), np.uint8)) == 0
            assert (edit.photo[far] == person.photo[far]).all()
        assert steps[0] == 0
        towards += steps[0] < steps[1] < steps[2]
    assert towards >= 0.8 * len(pairs)
