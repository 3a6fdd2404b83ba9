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
    marked = {"garment": news["id"], "box": news["box"], "region": "upper_clothes"}
    for wrong, message in [
        ({"box": [0, 0, 2, 1]}, "box"),
        ({"region": "hair"}, "choose one of"),
        ({"garment": "g0"}, "add the photo"),
        ({"garment": ["g0"]}, "add the photo"),
    ]:
        with pytest.raises(InputError, match=message):
            run(studio.use_garment(session, marked | wrong))
    page = run(studio.use_garment(session, marked))
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

    run(studio.save_look(session, {"region": "upper_clothes"}))
    news = run(studio.pack(session))["bar"]["file"]
    assert news["name"] == "drawn-upper_clothes.pise"
    saved = Path(news["url"].removeprefix("/gradio_api/file="))
    assert saved.stat().st_size < 500_000
    page = run(studio.add_references(session, [saved], BUILT_IN, BUILT_IN))
    assert [r["present"] for r in page["textures"]["references"]] == [["background", "upper_clothes"]] * 2
    run(studio.commit_styles(session, {"seq": 2, "styles": {"upper_clothes": {"r2": 1}}}))
    again = document.render().photo[chest].astype(int)
    assert np.abs(again - green).max() < 40


def test_several_garments_wait_for_their_turn(studio, session, laid_out, tmp_path):
    paths = [tmp_path / name for name in ("first.png", "second.png", "third.png")]
    for number, path in enumerate(paths):
        write_image(path, np.roll(laid_out[0], number * 5, 0))
    page = run(studio.add_uploads(session, paths, BUILT_IN, BUILT_IN))
    assert "Then 2 more" in page["bar"]["status"]["text"] and not any(path.exists() for path in paths)
    first = page["textures"]["garment"]
    assert run(studio.start(session))["textures"]["garment"]["id"] == first["id"]  # the page was loaded anew
    page = run(studio.use_garment(session, {"garment": first["id"], "box": first["box"], "region": "dress"}))
    second = page["textures"]["garment"]
    assert page["textures"]["references"][0]["name"] == "first" and second["id"] != first["id"]
    page = run(studio.cancel_garment(session, {"garment": second["id"]}))
    third = page["textures"]["garment"]
    assert third["id"] not in (first["id"], second["id"])
    with pytest.raises(InputError, match="add the photo"):  # it is forgotten
        run(studio.use_garment(session, {"garment": second["id"], "box": second["box"], "region": "dress"}))
    page = run(studio.use_garment(session, {"garment": third["id"], "box": third["box"], "region": "pants"}))
    assert page["textures"]["garment"] is False and not session.garments
    assert [reference.name for reference in session.references.values()] == ["first", "third"]


def test_no_more_garments_wait_than_there_may_be_references(session, laid_out, known):
    for _ in range(7):
        session.references.add("again", known)
    session.await_garment("shirt", laid_out[0])
    with pytest.raises(InputError, match="remove one"):
        session.await_garment("shirt", laid_out[0])
