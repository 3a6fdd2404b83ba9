"""Garments that nobody wears, and looks that were saved: both become references."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from app.detectors import BUILT_IN
from pise_core.document.garments import garment, likely_box
from pise_core.document.looks import look
from pise_core.errors import InputError
from pise_core.images import write_image
from pise_core.pose import visible
from pise_core.regions import REGION
from tests.conftest import run

SHIRT = np.array([(60, 60), (100, 50), (140, 60), (190, 130), (160, 150), (145, 110), (145, 220), (55, 220), (55, 110),
                  (40, 150), (10, 130)])  # fmt: skip


@pytest.fixture(scope="module")
def laid_out():
    """A green shirt on a light ground, and where it is."""
    photo = np.full((260, 200, 3), (225, 222, 215), np.uint8)
    mask = np.zeros((260, 200), np.uint8)
    cv2.fillPoly(mask, [SHIRT], 1)
    photo[mask > 0] = (40, 130, 80)
    photo = np.clip(photo + np.random.default_rng(3).normal(0, 4, photo.shape), 0, 255).astype(np.uint8)
    return photo, mask > 0


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


def test_garment_look_and_steps_from_the_page(studio, session, document, person, laid_out, tmp_path):
    path = tmp_path / "shirt.png"
    write_image(path, laid_out[0])
    page = run(studio.add_uploads(session, [path], BUILT_IN, BUILT_IN))
    assert page["bar"]["status"]["kind"] == "hint" and not path.exists() and not session.references
    news = page["textures"]["garment"]
    with pytest.raises(InputError, match="box"):
        run(studio.use_garment(session, {"box": [0, 0, 2, 1], "region": "dress"}))
    with pytest.raises(InputError, match="choose one of"):
        run(studio.use_garment(session, {"box": news["box"], "region": "hair"}))
    page = run(studio.use_garment(session, {"box": news["box"], "region": "upper_clothes"}))
    assert page["textures"]["garment"] is False and page["textures"]["references"][0]["present"] == [
        "background",
        "upper_clothes",
    ]

    page = run(studio.strip(session, {"region": "upper_clothes", "reference": "r1"}))
    pictures = page["textures"]["strip"]["pictures"]
    assert len(set(pictures)) == len(pictures) == 5 and document.edits.none
    run(studio.commit_styles(session, {"seq": 1, "styles": {"upper_clothes": {"r1": 1}}}))
    chest = tuple(person.pose[[1, 8, 11], :2].mean(0).astype(int)[::-1])
    green = document.render().photo[chest].astype(int)
    assert green[1] > green[0] + 30  # the red shirt is green now

    news = run(studio.save_look(session, {"region": "upper_clothes"}))["bar"]["file"]
    assert news["name"] == "drawn-upper_clothes.pise"
    saved = Path(news["url"].removeprefix("/gradio_api/file="))
    assert saved.stat().st_size < 500_000
    page = run(studio.add_references(session, [saved], BUILT_IN, BUILT_IN))
    assert [r["present"] for r in page["textures"]["references"]] == [["background", "upper_clothes"]] * 2
    run(studio.commit_styles(session, {"seq": 2, "styles": {"upper_clothes": {"r2": 1}}}))
    again = document.render().photo[chest].astype(int)
    assert np.abs(again - green).max() < 40
