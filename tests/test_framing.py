"""One map for pixels and for coordinates: what is drawn at a coordinate is found where the coordinate goes."""

import numpy as np
import pytest

from pise_core.framing import FRAME_SIZE, Framing

SCALES = (0.2, 0.37, 0.74, 0.76, 1.0, 1.3, 2.0, 3.0)


def framing_at(scale, photo_size, centre):
    """The frame with a given scale whose middle lies on a point of the photo."""
    height, width = FRAME_SIZE
    return Framing(photo_size, scale, width / 2 - scale * centre[0], height / 2 - scale * centre[1])


def dot(size, at, sigma):
    """(H, W) float32 with a soft dot at (x, y), pixel centres at +0.5."""
    width, height = size
    x, y = np.arange(width) + 0.5, np.arange(height) + 0.5
    return np.exp(-((x[None] - at[0]) ** 2 + (y[:, None] - at[1]) ** 2) / (2 * sigma**2)).astype(np.float32)


def centre_of(image):
    y, x = np.indices(image.shape) + 0.5
    return np.array([(x * image).sum(), (y * image).sum()]) / image.sum()


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("at", [(203.3, 151.8), (211.0, 160.5)])
def test_a_dot_lands_where_its_coordinate_lands(scale, at):
    framing = framing_at(scale, (400, 300), (207, 155))
    photo = dot((400, 300), at, sigma=max(3, 2.5 / scale))
    expected = framing.to_frame(np.array([[*at, 0.7]]))[0]
    frame = framing.crop(photo)
    assert frame.shape == FRAME_SIZE
    assert expected[2] == 0.7
    assert np.allclose(centre_of(frame), expected[:2], atol=0.1)
    assert np.allclose(centre_of(framing.paste(frame)), at, atol=0.1 / min(scale, 1))


@pytest.mark.parametrize("scale", SCALES)
def test_coordinates_there_and_back(scale):
    framing = framing_at(scale, (400, 300), (150, 90))
    points = np.random.default_rng(0).uniform(-100, 500, (18, 3)).astype(np.float32)
    points[4] = np.nan, np.nan, 0
    there = framing.to_frame(points)
    assert there.dtype == np.float32 and np.array_equal(there[:, 2], points[:, 2])
    assert np.isnan(there[4, :2]).all()
    back = framing.to_photo(there)
    assert np.allclose(back, points, atol=1e-3, equal_nan=True)
    assert np.allclose(framing.to_frame(framing.to_photo(points)), points, atol=1e-3, equal_nan=True)
    assert framing.to_frame(np.array([[10, 20]])).dtype == np.float64


def test_the_box_is_in_the_middle_and_takes_its_share():
    box = (100.0, 50.0, 180.0, 450.0)
    framing = Framing.around(box, (600, 500), fill=0.8)
    (x0, y0), (x1, y1) = framing.to_frame(np.array([box[:2], box[2:]]))
    assert (y1 - y0) == pytest.approx(0.8 * FRAME_SIZE[0])
    assert (x0 + x1) / 2 == pytest.approx(FRAME_SIZE[1] / 2) and (y0 + y1) / 2 == pytest.approx(FRAME_SIZE[0] / 2)
    wide = Framing.around((0, 0, 600, 100), (600, 500), fill=0.8)
    assert wide.scale == pytest.approx(0.8 * FRAME_SIZE[1] / 600)
    assert Framing.around((5, 5, 5, 5), (600, 500)).scale > 0


@pytest.mark.parametrize("photo_size", [(400, 300), (300, 900), (16, 16), (176, 256)])
def test_the_whole_photo_fits_into_the_frame(photo_size):
    framing = Framing.whole(photo_size)
    corners = framing.to_frame(np.array([(0, 0), photo_size], float))
    assert corners.min() >= -1e-9
    assert corners[1, 0] <= FRAME_SIZE[1] + 1e-9 and corners[1, 1] <= FRAME_SIZE[0] + 1e-9
    assert np.isclose(corners[1] - corners[0], FRAME_SIZE[::-1]).any()


def test_at_scale_one_pixels_are_copied():
    photo = np.random.default_rng(2).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    framing = Framing((400, 300), 1.0, -40, -20)
    frame = framing.crop(photo)
    assert np.array_equal(frame, photo[20:276, 40:216])
    pasted = framing.paste(frame)
    assert np.array_equal(pasted[20:276, 40:216], frame) and (pasted[:20] == 0).all() and (pasted[:, 216:] == 0).all()


def test_what_the_photo_does_not_cover_takes_the_border():
    photo = np.full((60, 40, 3), 200, np.uint8)
    framing = Framing((40, 60), 1.0, 50, 100)
    frame = framing.crop(photo, border=(10, 20, 30))
    assert (frame[100:160, 50:90] == 200).all()
    outside = np.ones(FRAME_SIZE, bool)
    outside[100:160, 50:90] = False
    assert (frame[outside] == (10, 20, 30)).all()
    labels = framing.crop(np.full((60, 40), 3, np.uint8), border=7, labels=True)
    assert (labels[outside] == 7).all() and (labels[~outside] == 3).all()


@pytest.mark.parametrize("scale", [0.2, 1.0])
@pytest.mark.parametrize("shift", [(5000, 5000), (-5000, 80), (60, -5000)])
def test_a_frame_that_does_not_touch_the_photo_is_all_border(scale, shift):
    nowhere = Framing((40, 60), scale, *shift)
    assert (nowhere.crop(np.full((60, 40, 3), 200, np.uint8), border=9) == 9).all()
    assert (nowhere.paste(np.full((*FRAME_SIZE, 3), 80, np.uint8), border=4) == 4).all()


def test_a_frame_that_reaches_beyond_the_photo_keeps_its_pixels_in_place():
    framing = Framing.around((-30, 10, 60, 200), (120, 150))
    at = (40.0, 60.0)
    frame = framing.crop(dot((120, 150), at, 4))
    assert np.allclose(centre_of(frame), framing.to_frame(np.array([at]))[0], atol=0.1)


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_labels_stay_exact(factor):
    labels = np.random.default_rng(3).integers(0, 8, (40, 30), dtype=np.uint8)
    framing = Framing((30, 40), float(factor), 8, 16)
    frame = framing.crop(labels, labels=True)
    expected = np.kron(labels, np.ones((factor, factor), np.uint8))
    assert np.array_equal(frame[16 : 16 + 40 * factor, 8 : 8 + 30 * factor], expected)
    assert np.array_equal(framing.paste(frame, labels=True), labels)


@pytest.mark.parametrize("scale", SCALES)
def test_labels_are_never_mixed_and_their_borders_stay_in_place(scale):
    labels = np.full((300, 400), 2, np.uint8)
    labels[:, 207:] = 6
    framing = framing_at(scale, (400, 300), (205, 150))
    frame = framing.crop(labels, border=2, labels=True)
    assert set(np.unique(frame)) <= {2, 6}
    border = framing.to_frame(np.array([[207.0, 150.0]]))[0, 0]
    first = int((frame[FRAME_SIZE[0] // 2] == 6).argmax())
    assert abs(first - border) <= 0.51
    pasted = framing.paste(frame, border=2, labels=True)
    assert set(np.unique(pasted)) <= {2, 6}
    assert abs(int((pasted[150] == 6).argmax()) - 207) <= 0.51 + 0.5 / scale


def test_the_same_view_of_a_smaller_copy():
    framing = Framing.around((100, 50, 300, 450), (640, 480))
    half = framing.resized((320, 240))
    points = np.array([(120.0, 80.0), (250.0, 400.0)])
    assert np.allclose(half.to_frame(points / 2), framing.to_frame(points))
    assert half.photo_size == (320, 240) and half.size == framing.size


def test_shrinking_does_not_alias():
    stripes = np.zeros((600, 600), np.uint8)
    stripes[:, ::2] = 255
    frame = Framing.whole((600, 600)).crop(stripes)
    inside = frame[FRAME_SIZE[0] // 2 - 40 : FRAME_SIZE[0] // 2 + 40, 20:-20]
    assert inside.std() < 12


@pytest.mark.parametrize("scale", [0.2, 0.37, 1.0, 2.0])
def test_the_most_probable_map_is_found_in_tiles_as_in_the_whole_photo(scale):
    rng = np.random.default_rng(0)
    framing = framing_at(scale, (400, 300), (207, 155))
    coarse = rng.random((8, 16, 11), np.float32) ** 8
    probabilities = np.stack([np.kron(one, np.ones((16, 16), np.float32)) for one in coarse])
    probabilities /= probabilities.sum(0)
    whole = np.stack([framing.paste(one, float(n == 0)) for n, one in enumerate(probabilities)])
    found = framing.paste_most_probable(probabilities)
    chosen = np.take_along_axis(whole, found[None].astype(int), 0)[0]
    # Places are rounded to a 32nd of a cell, in a part of the photo otherwise than in the whole.
    assert (whole.max(0) - chosen).max() < 0.15
    assert (found == whole.argmax(0)).mean() > 0.99
    assert len(np.unique(found)) == 8
    window = slice(90, 211), slice(33, 250)
    assert np.array_equal(framing.paste_most_probable(probabilities, window), found[window])
    away = Framing(framing.photo_size, scale, 5000.0, 0.0)
    assert not away.paste_most_probable(probabilities).any()
