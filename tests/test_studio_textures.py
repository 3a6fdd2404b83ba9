"""References, styles, garments and looks, without a browser: actions called as the page calls them."""

from pathlib import Path

import numpy as np
import pytest

from app.state.detectors import BUILT_IN
from pise_core.document import Document
from pise_core.document.references import REFERENCE_LIMIT
from pise_core.errors import InputError
from pise_core.images import encode_image, read_image
from pise_core.pose import to_rows
from tests.conftest import downloaded, moved, run, sent


def test_textures_live_commit_and_removal(studio, session, person, known_other):
    key = session.references.add("other", known_other)
    styles = {"upper_clothes": {key: 0.5}}
    assert studio.live(session, {"seq": 1, "styles": styles})["ok"]
    page = run(studio.commit_styles(session, {"seq": 2, "styles": styles}))
    page = run(studio.render(session))
    assert not np.array_equal(read_image(downloaded(studio, session)), person.photo)
    page = run(studio.remove_reference(session, {"reference": key}))
    assert page["textures"]["references"] == [] and page["textures"]["styles"]["styles"] == {}
    page = run(studio.undo(session, {}))
    assert [r["id"] for r in page["textures"]["references"]] == [key]
    assert page["textures"]["styles"]["styles"] == styles
    assert "references" not in run(studio.undo(session, {}))["textures"]  # they are the same still


def test_a_photo_that_was_left_wears_what_it_borrowed(studio, session, known, known_other):
    key = session.references.add("shirt", known_other)
    run(studio.commit_styles(session, {"styles": {"upper_clothes": {key: 1}}}))
    first, worn = session.document, session.document.render().photo
    session.set_aside()
    session.edit(Document.of(known, "second", references=session.references))
    run(studio.remove_reference(session, {"reference": key}))
    other = session.references.add("another", known)
    run(studio.undo(session, {}))  # the removal
    assert session.document is not first and list(session.references) == [key, other]
    run(studio.redo(session, {}))
    assert list(session.references) == [other]
    for _ in range(2):
        page = run(studio.undo(session, {}))
    assert session.document is first and np.array_equal(first.render().photo, worn)
    assert [r["name"] for r in page["textures"]["references"]] == ["shirt", "another"]


def test_one_bad_file_does_not_end_the_others(studio, session, photo_path):
    names = ("first.png", "second.png", "third.pise", "fourth.png")
    paths = [sent(photo_path.read_bytes(), name) for name in names]
    paths[1].write_bytes(b"no picture")
    paths[2].write_bytes(b"PK and no more")
    told = run(studio.add_uploads(session, paths, BUILT_IN, BUILT_IN))["bar"]["status"]
    assert [r.name for r in session.references.values()] == ["first", "fourth"]
    assert told["kind"] == "error" and told["text"].startswith("second.png is not a JPEG, PNG or WebP picture")
    assert "third.pise: that .pise file is damaged" in told["text"] and "first" not in told["text"]
    paths[1:3] = [sent(b"no picture", name) for name in names[1:3]]
    with pytest.raises(InputError, match=r"second.png is not .*\. third.pise: that"):
        run(studio.add_uploads(session, paths[1:3], BUILT_IN, BUILT_IN))
    assert not any(path.exists() for path in paths)


def test_the_strip_goes_when_it_is_no_longer_true(studio, session, person, known_other):
    key = session.references.add("other", known_other)
    run(studio.commit_styles(session, {"seq": 1, "styles": {"hair": {key: 0.5}}}))
    asked = {"region": "hair", "reference": key}
    assert len(run(studio.strip(session, asked))["textures"]["strip"]["pictures"]) == 5
    run(studio.commit_styles(session, {"seq": 2, "styles": {"hair": {key: 1}}}))
    assert "textures" not in run(studio.render(session))  # another step of the same strip
    run(studio.commit_pose(session, {"seq": 3, "keypoints": to_rows(moved(person))}))
    assert run(studio.render(session))["textures"]["strip"] is False
    assert "textures" not in run(studio.render(session))


def test_alpha_zero_is_the_person_as_she_was(studio, session, person, known_other):
    key = session.references.add("other", known_other)
    run(studio.commit_styles(session, {"seq": 1, "styles": {"hair": {key: 0}}}))
    assert np.array_equal(session.document.render().photo, person.photo)


def test_the_weights_of_several_references_sum_to_one_at_most(studio, session, person, known_other):
    keys = [session.references.add(name, known_other) for name in ("one", "two")]
    run(studio.commit_styles(session, {"seq": 1, "styles": {"upper_clothes": {keys[0]: 0.25, keys[1]: 0.75}}}))
    both = session.document.render().photo
    run(studio.commit_styles(session, {"seq": 2, "styles": {"upper_clothes": {keys[0]: 1}}}))
    assert np.abs(both.astype(int) - session.document.render().photo).max() <= 1  # twice the same shirt, in two parts
    with pytest.raises(InputError, match="at most 1"):
        run(studio.commit_styles(session, {"seq": 3, "styles": {"upper_clothes": {keys[0]: 0.6, keys[1]: 0.6}}}))


def test_garment_look_and_steps_from_the_page(studio, session, document, person, laid_out):
    path = sent(encode_image(laid_out[0]), "shirt.png")
    page = run(studio.add_uploads(session, [path], BUILT_IN, BUILT_IN))
    assert page["bar"]["status"]["kind"] == "hint" and not path.exists() and not session.references
    news = page["textures"]["garment"]
    marked = {"garment": news["id"], "box": news["box"], "region": "upper_clothes"}
    for wrong, message in [
        ({"box": [0, 0, 2, 1]}, "box"),
        ({"region": "hair"}, "region is one of: upper_clothes"),
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


def test_several_garments_wait_for_their_turn(studio, session, laid_out):
    names = ("first.png", "second.png", "third.png")
    paths = [sent(encode_image(np.roll(laid_out[0], n * 5, 0)), name) for n, name in enumerate(names)]
    page = run(studio.add_uploads(session, paths, BUILT_IN, BUILT_IN))
    assert "Then 2 more" in page["bar"]["status"]["text"] and not any(path.exists() for path in paths)
    first = page["textures"]["garment"]
    assert run(studio.start(session))["textures"]["garment"]["id"] == first["id"]  # the page was reloaded
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


def test_a_reference_is_ready_while_a_garment_still_waits(studio, session, photo_path, laid_out):
    shirt, dress = (encode_image(np.roll(laid_out[0], n * 5, 0)) for n in range(2))
    page = run(studio.add_uploads(session, [sent(shirt, "shirt.png")], BUILT_IN, BUILT_IN))
    assert page["bar"]["status"]["text"].startswith("Nobody found there")
    page = run(studio.add_uploads(session, [sent(photo_path.read_bytes(), "friend.png")], BUILT_IN, BUILT_IN))
    told = page["bar"]["status"]
    assert told["kind"] == "ok" and told["text"].startswith("Reference ready")
    assert len(session.garments) == 1 and page["textures"].get("garment") is not False  # its question stays
    paths = [sent(photo_path.read_bytes(), "friend.png"), sent(dress, "dress.png")]
    told = run(studio.add_uploads(session, paths, BUILT_IN, BUILT_IN))["bar"]["status"]
    assert told["kind"] == "hint" and "Then 1 more" in told["text"]


def test_no_more_garments_wait_than_there_may_be_references(session, laid_out, known):
    for _ in range(REFERENCE_LIMIT - 1):
        session.references.add("again", known)
    session.await_garment("shirt", laid_out[0])
    with pytest.raises(InputError, match="remove one"):
        session.await_garment("shirt", laid_out[0])


def test_a_reference_is_declared_a_garment_and_a_person_again(studio, session, known_other):
    key = session.references.add("other", known_other)
    run(studio.commit_styles(session, {"styles": {"hair": {key: 1}}}))
    page = run(studio.redeclare(session, {"reference": key}, BUILT_IN))
    assert page["textures"]["references"] == [] and page["textures"]["styles"]["styles"] == {}
    waiting = page["textures"]["garment"]
    x0, y0, x1, y1 = known_other.box
    height, width = known_other.photo.shape[:2]
    box = [x0 / width, y0 / height, x1 / width, y1 / height]
    page = run(studio.somebody_wears_it(session, {"garment": waiting["id"], "box": box}, BUILT_IN))
    (person,) = page["textures"]["references"]
    assert not person["garment"] and "upper_clothes" in person["present"] and page["textures"]["garment"] is False
    page = run(studio.redeclare(session, {"reference": person["id"]}, BUILT_IN))
    waiting = page["textures"]["garment"]["id"]
    page = run(studio.use_garment(session, {"garment": waiting, "box": box, "region": "upper_clothes"}))
    (garment,) = page["textures"]["references"]
    assert garment["garment"]
    page = run(studio.redeclare(session, {"reference": garment["id"]}, BUILT_IN))
    assert [reference["garment"] for reference in page["textures"]["references"]] == [False]
    with pytest.raises(InputError, match="gone already"):
        run(studio.redeclare(session, {"reference": "r9"}, BUILT_IN))


def test_nobody_is_made_of_an_empty_box(studio, session):
    key = session.await_garment("wall", np.full((200, 150, 3), 180, np.uint8))
    with pytest.raises(InputError, match="nobody is in that box"):
        run(studio.somebody_wears_it(session, {"garment": key, "box": [0.1, 0.1, 0.9, 0.9]}, BUILT_IN))
    assert key in session.garments
