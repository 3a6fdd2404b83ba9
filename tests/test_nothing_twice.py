"""What is computed once: passes of the networks are counted, and a picture has the same bytes however it came about."""

import gc
import json
import os
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from app.api.endpoints import Programs, Upload
from app.state.detectors import BUILT_IN
from app.state.session import Session
from pise_core.cli.main import main
from pise_core.document import Document, Edits
from pise_core.document.paint import UNTOUCHED
from pise_core.editor import Editor
from pise_core.images import read_image
from pise_core.matting import soft_edges
from pise_core.parsing_files import read_parsing
from pise_core.regions import REGION
from pise_core.training.data.prepared_folder import VALIDATION_EVERY
from tests.conftest import ROOT, layer, moved, run, sent

SHARED = os.environ.get("PISE_SHARED_DATA")


@pytest.fixture
def passes(editor, monkeypatch):
    """How often each network ran since the test began."""
    counted: Counter[str] = Counter()
    hooks = [
        network.register_forward_hook(lambda *_, name=name: counted.update([name]))
        for name, network in (("map", editor.model.parsing_generator), ("image", editor.model.image_generator))
    ]
    yield counted
    for hook in hooks:
        hook.remove()


@pytest.fixture
def fresh(editor, person):
    """A document of the drawn person, of whom the networks said nothing yet."""
    return Document.of(editor.set_person(person.photo, pose=person.pose, parsing=person.parsing), "drawn")


def test_an_exact_picture_takes_one_map_and_one_image(fresh, person, passes):
    fresh.set_pose(moved(person))
    rendered = fresh.render()
    assert np.array_equal(fresh.base_map(), rendered.parsing)
    assert passes == {"map": 1, "image": 1}


def test_so_does_one_with_paint(fresh, person, passes):
    fresh.set_paint(None, layer(person))
    fresh.set_pose(moved(person))
    rendered = fresh.render()
    assert passes == {"map": 1, "image": 1}
    painted = fresh.painted().labels()
    assert np.array_equal(rendered.parsing, np.where(painted == UNTOUCHED, fresh.base_map(), painted))
    assert passes == {"map": 1, "image": 1}


def test_paint_made_in_a_changed_pose_takes_no_more_than_one_of_each(fresh, person, passes):
    fresh.set_pose(moved(person))
    fresh.render()
    fresh.set_paint(None, layer(person))
    fresh.render()
    passes.clear()
    fresh.set_pose(moved(person, by=(-10, -20)))
    fresh.render()
    assert passes == {"map": 1, "image": 1}


def test_a_preview_with_paint_takes_one_of_each(fresh, person, passes):
    fresh.set_paint(None, layer(person))
    fresh.render(replace(fresh.edits, pose=moved(person)), preview=True)
    assert passes == {"map": 1, "image": 1}


@pytest.mark.parametrize("posed", [True, False])
def test_a_strip_of_five_takes_one_map_and_five_images(fresh, person, known_other, passes, posed):
    key = fresh.add_reference(known_other)
    if posed:
        fresh.set_pose(moved(person))
        fresh.set_paint(None, layer(person))
    passes.clear()
    assert len(list(fresh.strip("pants", key))) == 5
    assert passes["map"] <= 1 and passes["image"] <= 5


def test_a_map_alone_takes_no_image(fresh, person, passes):
    below = fresh.base_map(Edits(pose=moved(person)))
    assert passes == {"map": 1}
    assert np.array_equal(fresh.render(Edits(pose=moved(person))).parsing, below)
    assert passes == {"map": 1, "image": 1}


def test_after_the_preview_of_a_pose_its_exact_picture_takes_no_network(editor, person, passes):
    """In a photo whose preview is smaller than itself, and shifted by shares of a pixel."""
    large = np.repeat(np.repeat(person.photo, 3, 0), 3, 1)[:-1, :-2]
    pose, parsing = person.pose * np.array([3, 3, 1], np.float32), np.repeat(np.repeat(person.parsing, 3, 0), 3, 1)
    wanted = pose.copy()
    wanted[4, :2] += (-91.3, -177.7)

    def opened() -> Document:
        return Document.of(editor.set_person(large, pose=pose, parsing=parsing[:-1, :-2]), "large")

    document = opened()
    assert document.sized(preview=True).photo.shape != large.shape
    document.render(Edits(pose=wanted.copy()), preview=True)
    passes.clear()
    document.set_pose(wanted)
    reused = document.render()
    assert not passes
    other = opened()
    other.set_pose(wanted)
    made = other.render()
    assert passes == {"map": 1, "image": 1}
    assert np.array_equal(reused.photo, made.photo) and np.array_equal(reused.parsing, made.parsing)
    assert (reused.photo != large).any()


def test_another_question_is_another_answer(fresh, person, known_other, passes):
    key = fresh.add_reference(known_other)
    shirt = np.zeros(person.parsing.shape, bool)
    shirt[150:180, 60:80] = True
    seen = [fresh.render().photo]
    for edit in (
        lambda: fresh.set_pose(moved(person)),
        lambda: fresh.set_pose(moved(person, by=(-31, -60))),
        lambda: fresh.paint("dress", shirt),
        lambda: fresh.set_style("upper_clothes", key, 0.5),
        lambda: fresh.set_style("upper_clothes", key, 0.6),
    ):
        edit()
        seen.append(fresh.render().photo)
    assert all((a != b).any() for i, a in enumerate(seen) for b in seen[:i])
    assert passes["image"] == 5
    assert (fresh.render().parsing[shirt] == REGION["dress"]).all()


def test_opening_reads_once_looks_once_and_writes_once(studio, photo_path, editor, monkeypatch):
    network, seen = editor.analyzer.network, []
    hook = network.register_forward_hook(lambda _, given, __: seen.append(tuple(given[0].shape)))
    opened: list[str] = []
    monkeypatch.setattr("builtins.open", _counting(open, opened))
    session = Session()
    try:
        number = session.number
        run(studio.open_file(session, str(photo_path), BUILT_IN, BUILT_IN))
        # The scene, one coarse look, and a close one with its mirror image and a finer one.
        assert [shape[0] for shape in seen] == [1, 1, 2, 1]
        assert opened.count(str(photo_path)) == 1
        assert session.number == number + 1
        run(studio.prepare(session))
        written = [path.name for path in session._folder.rglob("*") if path.is_file()]
        assert sorted(written) == ["behind.jpg", "parts.webp", "photo.jpg"]
        assert session.photo is session.need_document().photo
    finally:
        hook.remove()
        session.close()


def _counting(real, opened):
    def counted(path, *args, **kwargs):
        opened.append(str(path))
        return real(path, *args, **kwargs)

    return counted


def through_all_doors(studio, editor, path: Path, maps: Path) -> dict[str, Any]:
    """The person in a photo, as seen through page and API, a document, Python, and the command line, which has written
    ``maps``."""
    seen: dict[str, Any] = {}
    for door, opened in (
        ("page", lambda session: run(studio.open_file(session, str(path), BUILT_IN, BUILT_IN))),
        ("api", lambda session: Programs(studio).open_file(session, Upload(str(sent(path.read_bytes()))))),
    ):
        session = Session()
        opened(session)
        seen[door] = session.need_document().person
        session.close()
    seen["document"] = Document(editor, path).person
    seen["set_person"] = editor.set_person(read_image(path))
    seen["command line"] = read_parsing(maps / path.stem / "parsing.png")
    return seen


def other_than_the_page(seen: dict[str, Any]) -> list[str]:
    """The doors through which another map or other joints are seen than on the page; a map alone has none."""
    page = seen["page"]
    return [
        door
        for door, found in seen.items()
        if not np.array_equal(getattr(found, "parsing", found), page.parsing)
        or not np.array_equal(getattr(found, "pose", page.pose), page.pose, equal_nan=True)
    ]


def test_all_doors_see_the_same_person(studio, photo_path, editor, person, tmp_path):
    assert main(["analyze", str(photo_path), "--out", str(tmp_path)]) == 0
    seen = through_all_doors(studio, editor, photo_path, tmp_path)
    (box, *_) = editor.find_people(person.photo)
    seen |= {"box": editor.set_person(person.photo, box=box), "analyze": editor.analyze(person.photo)}
    assert not other_than_the_page(seen)


@pytest.mark.nightly
@pytest.mark.skipif(SHARED is None, reason="PISE_SHARED_DATA is not set: no photos")
@pytest.mark.parametrize("split", ["validation", "test"])
def test_all_doors_see_the_same_people_in_photos(studio, editor, tmp_path, split):
    """In the photos whose maps are annotated, of the validation split and of the test split."""
    data = Path(str(SHARED)) / "clothing-co-parsing"
    names = json.loads((data / "split.json").read_text("utf-8"))
    chosen = names["test"]
    if split == "validation":
        annotated = {path.stem for path in (data / "annotations" / "pixel-level").glob("*.mat")}
        chosen = sorted(annotated.intersection(names["train"]))[::VALIDATION_EVERY]
    photos = [data / "photos" / f"{name}.jpg" for name in chosen]
    assert main(["analyze", *map(str, photos), "--out", str(tmp_path)]) == 0
    differ: dict[str, list[str]] = {}
    for count, photo in enumerate(photos, 1):
        if doors := other_than_the_page(through_all_doors(studio, editor, photo, tmp_path)):
            differ[photo.stem] = doors
        print(f"{split}: {count} of {len(photos)} photos, {differ}", flush=True)
    assert not differ


def test_a_document_at_rest_holds_little_and_goes_on_as_before(editor, person, known_other, passes):
    """What is made again is the same to the bit, and what was made last takes nothing."""
    large = np.repeat(np.repeat(person.photo, 5, 0), 5, 1)  # larger than previews
    pose, parsing = person.pose * np.array([5, 5, 1], np.float32), np.repeat(np.repeat(person.parsing, 5, 0), 5, 1)
    document = Document.of(editor.set_person(large, pose=pose, parsing=parsing), "large")
    key = document.add_reference(known_other)
    document.set_style("upper_clothes", key, 0.5)
    wanted = pose.copy()
    wanted[4, :2] += (-100, -250)
    document.set_pose(wanted)
    preview, exact = document.render(preview=True), document.render()
    owner, worked = document.person.full.owner, _held_by(document.person, document._renderer)
    document.rest()
    passes.clear()
    assert np.array_equal(document.render().photo, exact.photo) and not passes
    assert _held_by(document.person, document._renderer) < worked - 8_000_000
    again = document.render(preview=True)
    assert passes == {"map": 1, "image": 1}
    assert np.array_equal(again.photo, preview.photo) and np.array_equal(again.parsing, preview.parsing)
    assert np.array_equal(document.person.full.owner, owner)
    wanted[4, 0] += 3
    document.set_pose(wanted)
    next_one = document.render()
    other = Document.of(editor.set_person(large, pose=pose, parsing=parsing), "large")
    other.set_style("upper_clothes", other.add_reference(known_other), 0.5)
    other.set_pose(wanted)
    assert np.array_equal(next_one.photo, other.render().photo)


def _held_by(*roots: Any) -> int:
    """Bytes of all arrays and tensors that can be reached, but for an editor's."""
    seen, waiting, total = set(), list(roots), 0
    while waiting:
        one = waiting.pop()
        while isinstance(one, np.ndarray) and isinstance(one.base, np.ndarray):
            one = one.base
        if id(one) in seen or isinstance(one, Editor | type | ModuleType | FunctionType):
            continue
        seen.add(id(one))
        if isinstance(one, np.ndarray):
            total += one.nbytes if one.base is None else 0
            waiting += [] if one.base is None else [one.base]
        elif isinstance(one, torch.Tensor):
            total += one.untyped_storage().nbytes()
        elif isinstance(one, bytes):
            total += len(one)
        else:
            waiting += gc.get_referents(one)
    return total


def test_the_edge_of_a_dragged_part_is_found_once(fresh, person, editor, monkeypatch):
    found = []

    def counted(*arguments):
        found.append(arguments)
        return soft_edges(*arguments)

    monkeypatch.setattr("pise_core.view.soft_edges", counted)
    for by in (-20, -40), (-26, -44), (-31, -60):
        fresh.set_pose(moved(person, by=by))
        last = fresh.render()
    assert len(found) == 1
    other = Document.of(editor.set_person(person.photo, pose=person.pose, parsing=person.parsing), "drawn")
    other.set_pose(moved(person, by=(-31, -60)))
    assert np.array_equal(other.render().photo, last.photo) and len(found) == 2


def test_what_needs_no_network_waits_for_none(fresh, person, editor):
    """Somebody else's pass holds up no picture whose answers are known."""
    fresh.render(Edits(pose=moved(person)), preview=True)
    made = []
    picture = threading.Thread(target=lambda: made.append(fresh.render(Edits(pose=moved(person)))))
    with editor._lock:
        picture.start()
        picture.join(60)
        assert made
    assert (made[0].photo != person.photo).any()


def test_what_only_some_work_needs_is_imported_then():
    """Videos, curves between key poses, and other backends: a server answers its first visitor without."""
    code = (
        "import sys, app.main\n"
        "from pise_core.editor import Editor\n"
        "Editor.from_pretrained(device='cpu')\n"
        "print(*sorted({'scipy', 'av', 'onnx', 'onnxruntime', 'ray', 'transformers'} & sys.modules.keys()))\n"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""
