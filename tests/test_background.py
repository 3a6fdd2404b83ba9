"""What is seen behind the person once they are gone."""

import cv2
import numpy as np
import pytest

from pise_core.framing import Framing
from pise_core.inpainting.background import Background, fill_background
from pise_core.inpainting.patch_fill import grid_of
from pise_core.inpainting.shift_map import find_shifts
from pise_core.masks import grow


def stripes(height: int, width: int) -> np.ndarray:
    """Fine dark lines on a light wall, each as long as the picture is wide."""
    rows = np.where(np.arange(height) % 16 < 5, 60, 190)
    return np.repeat(rows[:, None, None], width, 1).repeat(3, 2).astype(np.uint8)


def bricks(height: int, width: int) -> np.ndarray:
    """Red bricks of 40x20 pixels in light mortar, every other row moved by half a brick."""
    y, x = np.indices((height, width))
    x = x + 20 * (y // 20 % 2)
    mortar = (y % 20 < 4) | (x % 40 < 4)
    return np.where(mortar[..., None], (205, 200, 190), (150, 70, 50)).astype(np.uint8)


def standing(height: int, width: int, box: tuple[int, int, int, int]) -> tuple[np.ndarray, Framing]:
    """The map of somebody of the shape of an ellipse within ``box``, and where they are."""
    x0, y0, x1, y1 = box
    parsing = np.zeros((height, width), np.uint8)
    cv2.ellipse(parsing, ((x0 + x1) // 2, (y0 + y1) // 2), ((x1 - x0) // 2, (y1 - y0) // 2), 0, 0, 360, 3, -1)
    return parsing, Framing.around(box, (width, height))


def rim(parsing: np.ndarray, framing: Framing) -> np.ndarray:
    return grow(parsing > 0, 3.5 / framing.scale)


@pytest.mark.parametrize("wall", [stripes, bricks])
def test_patterns_are_continued_behind_the_person(wall):
    truth = wall(420, 300)
    parsing, framing = standing(420, 300, (110, 40, 190, 380))
    hole = rim(parsing, framing)
    filled = fill_background(np.where(hole[..., None], np.uint8(0), truth), parsing, framing)
    wrong = np.abs(filled.astype(int) - truth).mean(2)[hole]
    spread = np.abs(truth[hole] - truth[hole].mean(0)).mean()
    assert wrong.mean() < 0.35 * spread  # one colour everywhere would be as wrong as the spread
    assert np.std(filled[hole]) > 0.85 * np.std(truth[hole])


def test_the_person_is_not_in_it_and_the_rest_is_untouched(person):
    framing = Framing.around((40, 20, 180, 310), (220, 330))
    hole = rim(person.parsing, framing)
    filled = fill_background(person.photo, person.parsing, framing)
    assert (filled[~hole] == person.photo[~hole]).all()
    noise = np.random.default_rng(0).integers(0, 256, person.photo.shape, dtype=np.uint8)
    recoloured = np.where(hole[..., None], noise, person.photo)
    assert (fill_background(recoloured, person.parsing, framing) == filled).all()


def test_a_plain_wall_stays_plain():
    wall = np.broadcast_to(np.linspace(200, 120, 300)[None, :, None], (400, 300, 3))
    wall = np.clip(wall + np.random.default_rng(0).normal(0, 2, (400, 300, 3)), 0, 255).astype(np.uint8)
    parsing, framing = standing(400, 300, (100, 40, 200, 380))
    filled = fill_background(wall, parsing, framing)
    inside = cv2.erode((parsing > 0).astype(np.uint8), np.ones((9, 9))) > 0
    soft_wall, soft = (cv2.GaussianBlur(image, (0, 0), 3).astype(int) for image in (wall, filled))
    assert np.abs(soft - soft_wall)[inside].max() < 12
    assert np.std((filled.astype(int) - soft)[inside]) == pytest.approx(1.9, abs=0.4)  # and has its grain


def test_somebody_else_does_not_appear_twice():
    wall = np.clip(150 + np.random.default_rng(0).normal(0, 4, (400, 400, 3)), 0, 255).astype(np.uint8)
    cv2.ellipse(wall, (330, 200), (30, 150), 0, 0, 360, (20, 30, 120), -1)
    cv2.circle(wall, (330, 60), 25, (230, 180, 150), -1)
    parsing, framing = standing(400, 400, (100, 30, 220, 380))
    filled = fill_background(wall, parsing, framing)
    assert np.abs(cv2.GaussianBlur(filled, (0, 0), 2).astype(int) - 150)[parsing > 0].max() < 20


def test_what_is_shown_are_large_pieces_of_the_photo():
    """Nearly all neighbours behind somebody are neighbours in the photo, too, on a street without any repetition."""
    rng = np.random.default_rng(1)
    street = cv2.resize(rng.integers(0, 256, (30, 22, 3), dtype=np.uint8), (300, 420), interpolation=cv2.INTER_CUBIC)
    # Each pixel's colour says where it comes from, but for the little that colours are changed at seams.
    street[..., 2] = (np.indices((420, 300)).sum(0) * 2 % 256).astype(np.uint8)
    parsing, framing = standing(420, 300, (110, 40, 190, 380))
    grid = grid_of(street, rim(parsing, framing), 192, 8 / framing.scale)
    offsets = find_shifts(grid)
    assert offsets is not None
    both = grid.wanted[:, 1:] & grid.wanted[:, :-1]
    same = (offsets[:, 1:] == offsets[:, :-1]).all(2)
    assert np.mean(same[both]) > 0.9
    assert len(np.unique(offsets[grid.wanted], axis=0)) <= 44


def test_nothing_is_taken_from_the_person_nor_from_outside():
    rng = np.random.default_rng(2)
    street = cv2.GaussianBlur(rng.integers(0, 256, (420, 300, 3), dtype=np.uint8), (0, 0), 4)
    parsing, framing = standing(420, 300, (30, 40, 150, 410))
    grid = grid_of(street, rim(parsing, framing), 192, 8 / framing.scale)
    offsets = find_shifts(grid)
    assert offsets is not None
    ys, xs = np.nonzero(grid.wanted)
    y, x = ys + offsets[ys, xs, 0], xs + offsets[ys, xs, 1]
    assert grid.source[y, x].all()
    assert not offsets[~grid.wanted].any()


def test_straight_edges_go_on_behind_the_person():
    """A wall, a curb and a street: each is where it was on both sides, and the edges are as sharp."""
    rows = np.select([np.arange(420) < 230, np.arange(420) < 250], [170, 90], 130)
    street = rows[:, None, None] + np.random.default_rng(0).normal(0, 4, (420, 300, 3))
    street = np.clip(street, 0, 255).astype(np.uint8)
    parsing, framing = standing(420, 300, (110, 40, 190, 380))
    filled = fill_background(street, parsing, framing)
    columns = np.flatnonzero(parsing[240])
    along = filled[:, columns].mean((1, 2))
    assert np.abs(along - rows)[np.r_[60:228, 233:247, 253:370]].max() < 8
    assert np.abs(np.diff(filled.astype(int).mean(2), axis=0))[228:233, columns].max(0).min() > 25


def test_a_hole_that_only_far_pieces_reach_is_filled_all_over():
    wall = np.broadcast_to(np.linspace(60, 200, 400)[:, None, None], (400, 400, 3)).astype(np.uint8)
    parsing, framing = standing(400, 400, (60, -20, 340, 420))
    filled = fill_background(np.where(rim(parsing, framing)[..., None], np.uint8(255), wall), parsing, framing)
    assert np.abs(filled.astype(int) - wall).mean() < 12


@pytest.mark.parametrize("threads", [1, 4])
def test_the_number_of_threads_changes_nothing(threads):
    photo = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (300, 240, 3), dtype=np.uint8), (0, 0), 3)
    parsing, framing = standing(300, 240, (80, 30, 160, 280))
    once = fill_background(photo, parsing, framing)
    before = cv2.getNumThreads()
    cv2.setNumThreads(threads)
    try:
        assert (fill_background(photo, parsing, framing) == once).all()
    finally:
        cv2.setNumThreads(before)


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((64, 64), (22, 6, 42, 60)),
        ((64, 64), (0, 0, 64, 64)),  # hardly anything beside the person
        ((40, 600), (250, 2, 300, 38)),
        ((600, 40), (2, 250, 38, 350)),
        ((300, 200), (-60, 100, 80, 420)),  # cut off at the border
        ((1500, 1100), (300, 100, 800, 1400)),
    ],
)
def test_photos_of_every_shape(size, box):
    height, width = size
    photo = bricks(height, width)
    parsing, framing = standing(height, width, box)
    filled = fill_background(photo, parsing, framing)
    hole = rim(parsing, framing)
    assert filled.shape == photo.shape and filled.dtype == np.uint8
    assert (filled[~hole] == photo[~hole]).all()
    assert (filled[hole] != photo[hole]).any()


@pytest.mark.parametrize("label", [0, 3])
def test_photos_without_background_or_without_person(label):
    photo = np.full((64, 48, 3), 90, np.uint8)
    filled = fill_background(photo, np.full((64, 48), label, np.uint8), Framing.whole((48, 64)))
    assert filled.shape == photo.shape
    if label == 0:
        assert (filled == photo).all()


def test_it_is_filled_only_where_it_is_asked_for_and_the_same_in_any_order():
    photo, (parsing, framing) = bricks(420, 300), standing(420, 300, (110, 40, 190, 380))
    whole = fill_background(photo, parsing, framing)
    background = Background(photo, parsing, framing)
    below, above = (slice(200, 333), slice(101, 177)), (slice(31, 210), slice(0, 300))
    assert (background.at(below) == whole[below]).all()
    filled = background.filled
    assert 0 < filled < np.count_nonzero(rim(parsing, framing))
    assert (background.part(above).at() == whole[above]).all()
    inner = slice(30, 50), slice(100, 140)  # of that part
    assert (background.part(above).at(inner) == whole[above][inner]).all()
    assert background.filled > filled  # parts share what is filled
    assert (background.at() == whole).all()


def test_where_it_is_not_wanted_nothing_is_filled():
    photo, (parsing, framing) = bricks(420, 300), standing(420, 300, (110, 40, 190, 380))
    background, wanted = Background(photo, parsing, framing), np.zeros((420, 300), bool)
    assert (background.at(wanted=wanted) == photo).all()
    assert background.filled == 0
    wanted[180:220, 130:160] = True
    assert (background.at(wanted=wanted)[wanted] == fill_background(photo, parsing, framing)[wanted]).all()
    assert 0 < background.filled < 0.5 * np.count_nonzero(rim(parsing, framing))


@pytest.mark.parametrize("size", [300, 150, 75])
def test_a_preview_shows_the_pieces_of_the_large_photo(size):
    photo, (parsing, framing) = stripes(420, 300), standing(420, 300, (110, 40, 190, 380))
    small = cv2.resize(photo, (size, 420 * size // 300), interpolation=cv2.INTER_AREA)
    labels = cv2.resize(parsing, small.shape[1::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    large = Background(photo, parsing, framing)
    shown = Background(small, labels, framing.resized(small.shape[1::-1]), large).at()
    alike = cv2.resize(large.at(), small.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(shown.astype(int) - alike).mean() < 3


def test_a_preview_of_a_photo_without_background():
    photo, parsing = np.full((64, 48, 3), 90, np.uint8), np.full((64, 48), 3, np.uint8)
    large = Background(photo, parsing, Framing.whole((48, 64)))
    small = Background(photo[::2, ::2], parsing[::2, ::2], Framing.whole((24, 32)), large)
    assert (small.at() == 127).all()


def beside_somebody() -> tuple[np.ndarray, np.ndarray, Framing, np.ndarray]:
    """A photo of somebody before a striped wall who hides half of somebody in green; their map and frame, and where
    the other one is."""
    photo = stripes(420, 300)
    other = np.zeros(photo.shape[:2], np.uint8)
    cv2.ellipse(other, (190, 220), (40, 130), 0, 0, 360, 1, -1)
    photo[other > 0] = 30, 200, 40
    parsing, framing = standing(420, 300, (80, 40, 180, 400))
    photo[parsing > 0] = 250, 0, 250
    return photo, parsing, framing, other > 0


def greens(photo: np.ndarray) -> np.ndarray:
    return (photo[..., 1].astype(int) > photo[..., 0] + 60) & (photo[..., 1] > photo[..., 2] + 60)


def test_who_is_half_hidden_is_not_continued_where_they_are_known():
    photo, parsing, framing, other = beside_somebody()
    hole = rim(parsing, framing)
    asked = []

    def passers_by(picture, known):
        asked.append((picture.shape, known))
        return greens(picture) & known

    without = Background(photo, parsing, framing).at()
    plate = Background(photo, parsing, framing, passers_by=passers_by)
    assert len(asked) == 1 and asked[0][0][:2] == asked[0][1].shape and not asked[0][1].all()
    assert greens(without)[hole].mean() > 0.1  # it could have been otherwise
    made = plate.at()
    assert greens(made)[hole].mean() < 0.01 and (made[~hole] == photo[~hole]).all()


def test_where_passers_by_are_is_known_at_every_size_and_in_parts():
    photo, parsing, framing, other = beside_somebody()
    plate = Background(photo, parsing, framing, passers_by=lambda picture, known: greens(picture) & known)
    there, seen = plate.passers_by(), other & ~rim(parsing, framing)
    assert there.shape == other.shape and there[seen].mean() > 0.98
    assert there[~grow(seen, 6)].mean() < 0.01
    window = slice(100, 330), slice(60, 280)
    assert (plate.passers_by(window) == there[window]).all() and (
        plate.part(window).passers_by() == there[window]
    ).all()
    small, size = cv2.resize(photo, (150, 210), interpolation=cv2.INTER_AREA), (150, 210)
    preview = Background(
        small, cv2.resize(parsing, size, interpolation=cv2.INTER_NEAREST), framing.resized(size), plate
    )
    assert (
        preview.passers_by() == cv2.resize(there.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    ).mean() > 0.98
    assert not Background(photo, parsing, framing).passers_by().any()
