"""Previews made as a whole on the networks' device: the same pictures, and nothing on its way back but these.

Every test runs on the processor, where tensors are compared with arrays, and on a graphics card where there is one.
"""

import copy
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

from app.view.studio import Studio
from pise_core.document import Document, Edits
from pise_core.document.edits import Paint
from pise_core.editor import NO_MEMORY, Editor
from pise_core.label_warps import warp_labels
from pise_core.masks import Nearest
from pise_core.masks import feather as array_feather
from pise_core.masks import grow as array_grow
from pise_core.masks import smooth as array_smooth
from pise_core.model import torch_generator
from pise_core.model.generator import Code
from pise_core.model.image_generator import SourceCode
from pise_core.model.network import PISE
from pise_core.model.tensor_generator import TensorGenerator
from pise_core.model.torch_generator import TorchGenerator
from pise_core.pose import default_skeleton
from pise_core.rendering.wanted import checked
from pise_core.resident import masks
from pise_core.resident.drag import AtWork, refusal
from pise_core.resident.frame import FrameHalf
from pise_core.resident.photo import PhotoHalf
from pise_core.resident.warps import Places
from pise_core.skeleton import JOINT
from pise_core.warping.part_transforms import Affine
from pise_core.warping.skirt import SkirtMove
from tests.conftest import Drawn, draw_person, layer, moved, run
from tests.test_contact_shadow import beside, plain

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
#: Of the pixels that an edit changes: so many may differ by more than a level, and so many by more than eight. Where
#: texture is mirrored, other pixels are as near; no picture is better than the other.
OFF_BY_A_LEVEL, OFF = 0.06, 0.02


@pytest.fixture(scope="module", params=DEVICES)
def resident(request, editor, weights):
    """An editor that makes previews on its device."""
    if request.param == "cpu":
        return Editor(TorchGenerator(copy.deepcopy(editor.model)), editor.analyzer, resident=True)
    return Editor.from_pretrained(weights, device=request.param)


@pytest.fixture(scope="module")
def arrays(resident):
    """The same, with arrays."""
    return Editor(resident.generator, resident.analyzer, resident.device, resident=False)


def posed(pose: np.ndarray, *joints: tuple[str, float, float]) -> np.ndarray:
    pose = pose.copy()
    for name, dx, dy in joints:
        pose[JOINT[name], :2] += (dx, dy)
    return pose


EDITS = {
    "arm": [("right_elbow", -15, -10), ("right_wrist", -30, -60)],
    "both arms": [("right_wrist", -30, -60), ("left_wrist", 35, -15)],
    "leg": [("left_knee", 12, -4), ("left_ankle", 24, -10)],
    "hips and head": [("left_hip", 8, 3), ("right_hip", 8, 3), ("nose", 6, 2), ("left_ear", 5, 2), ("right_ear", 5, 2)],
    "out of the photo": [("right_elbow", -60, -30), ("right_wrist", -130, -60)],
}


def told_apart(pictures: list[np.ndarray], photo: np.ndarray) -> tuple[float, float]:
    """Which shares of what either of two pictures changed differ by more than a level, and by more than eight."""
    first, second = pictures
    changed = ((first != photo) | (second != photo)).any(2)
    away = np.abs(first.astype(int) - second).max(2)
    assert changed.any() and not away[~changed].any()
    return float((away[changed] > 1).mean()), float((away[changed] > 8).mean())


def documents(drawn, *editors, held=None) -> list[Document]:
    return [
        Document.of(e.set_person(drawn.photo, pose=drawn.pose, parsing=drawn.parsing, held=held), "drawn")
        for e in editors
    ]


@pytest.fixture(scope="module")
def both(resident, arrays, person):
    """A document of either."""
    return documents(person, resident, arrays)


@pytest.mark.parametrize(("name", "painted"), [*((name, False) for name in EDITS), ("arm", True), ("leg", True)])
def test_the_picture_is_that_of_arrays(both, person, name, painted):
    shown = []
    for document in both:
        edits = Edits(pose=document.wanted(posed(person.pose, *EDITS[name])))
        if painted:
            edits = replace(edits, paint=Paint(layer(person), None, True))
        shown.append(document.preview(edits))
    level, more = told_apart(shown, person.photo)
    assert level <= OFF_BY_A_LEVEL and more <= OFF


def test_so_is_somebody_who_moves_as_a_whole(both, person):
    pose = person.pose + np.array([11, -7, 0], np.float32)
    shown = [d.preview(Edits(pose=d.wanted(pose))) for d in both]
    level, more = told_apart(shown, person.photo)
    assert level <= OFF_BY_A_LEVEL and more <= OFF


def test_so_is_what_is_held(resident, arrays, person):
    x, y = (round(float(v)) for v in person.pose[JOINT["right_wrist"]][:2])
    held = np.zeros(person.parsing.shape, np.uint8)
    cv2.rectangle(held, (x - 12, y + 6), (x + 8, y + 40), 1, -1)
    photo = np.where(held[..., None] > 0, np.array([200, 180, 20], np.uint8), person.photo)
    drawn = Drawn(photo, person.pose, np.where(held > 0, 0, person.parsing).astype(np.uint8))
    pose = posed(person.pose, *EDITS["arm"])
    shown = [d.preview(replace(d.edits, pose=d.wanted(pose))) for d in documents(drawn, resident, arrays, held=held)]
    level, more = told_apart(shown, photo)
    assert level <= OFF_BY_A_LEVEL and more <= OFF


def test_so_is_the_shadow_beside_the_feet(resident, arrays):
    drawn, _ = beside(plain(), np.array([0.55, 0.57, 0.6]))
    two = documents(drawn, resident, arrays)
    assert two[0].person.shadows
    pose = posed(drawn.pose, ("left_knee", 40, 0), ("left_ankle", 70, 12))
    shown = [d.preview(replace(d.edits, pose=d.wanted(pose))) for d in two]
    level, more = told_apart(shown, two[0].sized(preview=True).photo)
    assert level <= OFF_BY_A_LEVEL and more <= OFF


def test_so_is_what_is_worn_of_others(resident, arrays, person, other_person):
    """Worn beforehand by the same editor: what is compared is the drag."""
    lender = arrays.set_person(other_person.photo, pose=other_person.pose, parsing=other_person.parsing)
    wearer = arrays.set_person(person.photo, pose=person.pose, parsing=person.parsing)
    worn = wearer.wear({"upper_clothes": lender})
    drawn = Drawn(worn.photo, person.pose, worn.parsing)
    pose = posed(person.pose, *EDITS["both arms"])
    shown = [d.preview(replace(d.edits, pose=d.wanted(pose))) for d in documents(drawn, resident, arrays)]
    level, more = told_apart(shown, drawn.photo)
    assert level <= OFF_BY_A_LEVEL and more <= OFF


def test_an_exact_picture_differs_by_as_little(both, person):
    made = [document.render(Edits(pose=moved(person))) for document in both]
    level, more = told_apart([one.photo for one in made], person.photo)
    assert level <= OFF_BY_A_LEVEL and more <= OFF
    assert (made[0].parsing != made[1].parsing).mean() < 1e-3


# ---- nothing on its way back


class _Staying(TorchDispatchMode):
    """Refuses what a device would have to be waited for."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.overloadpacket.__name__
        assert name not in _WAITED_FOR, f"{name} waits for the device"
        if name in ("index", "index_put", "index_put_"):
            masks = [index for index in args[1] if index is not None and index.dtype in (torch.bool, torch.uint8)]
            assert not masks, "how much a mask selects, only the device knows"
        answer = function(*args, **(kwargs or {}))
        if isinstance(answer, Tensor):
            given = [value for value in args if isinstance(value, Tensor)]
            assert answer.device.type != "cpu" or all(value.device.type == "cpu" for value in given), name
        return answer


_WAITED_FOR = {
    "_local_scalar_dense", "item", "nonzero", "masked_select", "unique_dim", "_unique2", "unique_consecutive",
    "bincount", "repeat_interleave", "equal", "allclose", "histc",
}  # fmt: skip


@contextmanager
def nothing_taken(monkeypatch):
    """In the block nothing comes from the device but by :meth:`AtWork.taken`; yields what came that way."""
    taken, real, open_now = [], AtWork.taken, []

    def passing(self, values):
        taken.append(tuple(values.shape))
        open_now.append(True)
        with _disable_current_modes():
            array = real(self, values)
        open_now.pop()
        return array

    def guarded(name):
        real_method = getattr(Tensor, name)

        def method(self, *args, **kwargs):
            assert open_now, f"{name}() takes something from the device"
            return real_method(self, *args, **kwargs)

        return method

    with monkeypatch.context() as patched:
        patched.setattr(AtWork, "taken", passing)
        patched.setattr(TensorGenerator, "_passed", lambda self, work: work())  # this thread's mode sees it all
        for name in ("cpu", "numpy", "item", "tolist", "__bool__", "__array__", "__int__", "__float__", "__index__"):
            patched.setattr(Tensor, name, guarded(name))
        with _Staying():
            yield taken


@pytest.mark.parametrize("painted", [False, True])
def test_nothing_comes_back_but_the_picture(resident, person, painted, monkeypatch):
    (document,) = documents(person, resident)
    if painted:
        document.set_paint(None, layer(person))
    poses = [document.wanted(posed(person.pose, ("right_wrist", -30 - k, -60))) for k in range(3)]
    before = document.preview(replace(document.edits, pose=poses[0]))
    with nothing_taken(monkeypatch) as taken:
        shown = document.preview(replace(document.edits, pose=poses[1]))
    assert taken == [shown.shape]
    assert not np.array_equal(shown, before)


def test_the_guard_sees_what_it_forbids(resident, monkeypatch):
    device, mask = resident.device, torch.ones(3, dtype=torch.bool, device=resident.device)
    for wrong in (
        lambda: bool(mask.any()),
        lambda: mask.float()[0].item(),
        lambda: mask.tolist(),
        lambda: np.asarray(mask.cpu()),
        lambda: torch.arange(3, device=device)[mask],
        lambda: mask.nonzero(),
    ):
        with pytest.raises(AssertionError), nothing_taken(monkeypatch):
            wrong()


def test_a_device_without_values_can_do_it(editor, person, monkeypatch):
    """Meta tensors have shapes and nothing else: what asked one for a value, or mixed in what lies elsewhere, would
    fail."""
    known = editor.set_person(person.photo, pose=person.pose, parsing=person.parsing)
    code = known.code
    generator = TorchGenerator(PISE(editor.model.config), "meta")
    monkeypatch.setattr(torch_generator, "layers_in", lambda precision, device: nullcontext())
    styles, values, keys = (None if tensor is None else tensor.to("meta") for tensor in code.kept)
    assert styles is not None
    far = Code(code.styles, SourceCode(styles, values, keys))
    with torch.no_grad():
        frame = FrameHalf(known.frame, lambda: far, generator)
        wanted = checked(known, posed(person.pose, *EDITS["arm"]), None, None, None, None)
        picture = PhotoHalf(known, "meta").picture(known, wanted, frame)
    assert picture.is_meta and picture.shape == person.photo.shape and picture.dtype == torch.uint8


# ---- what preview and exact picture share, and who waits for whom


def test_after_the_preview_the_exact_picture_takes_no_network(resident, person):
    model, counted = resident.generator.model, Counter()
    hooks = [
        network.register_forward_hook(lambda *_, name=name: counted.update([name]))
        for name, network in (("map", model.parsing_generator), ("image", model.image_generator))
    ]
    fresh, previewed = documents(person, resident, resident)
    try:
        fresh.set_pose(moved(person))
        alone = fresh.render()
        assert counted == {"map": 1, "image": 1}
        previewed.preview(replace(previewed.edits, pose=previewed.wanted(moved(person))))
        assert counted == {"map": 2, "image": 2}
        previewed.set_pose(moved(person))
        after = previewed.render()
        assert counted == {"map": 2, "image": 2}
    finally:
        for hook in hooks:
            hook.remove()
    assert np.array_equal(alone.photo, after.photo) and np.array_equal(alone.parsing, after.parsing)


def test_several_visitors_get_what_they_get_alone(resident, person):
    people = [person, draw_person(shirt=(30, 30, 160))]
    poses = [[posed(one.pose, ("right_wrist", -10 - 8 * k, -20)) for k in range(2)] for one in people]

    def dragged(drawn, wanted) -> list[bytes]:
        (document,) = documents(drawn, resident)
        return [document.preview(replace(document.edits, pose=document.wanted(p))).tobytes() for p in wanted]

    alone = [dragged(one, wanted) for one, wanted in zip(people, poses, strict=True)]
    together: dict[int, list[bytes]] = {}
    threads = [
        threading.Thread(target=lambda i=i: together.update({i: dragged(people[i], poses[i])})) for i in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert [together[i] for i in range(2)] == alone


def test_everybody_works_in_a_stream_of_their_own(resident, person, other_person):
    works = []
    for drawn in (person, other_person):
        (document,) = documents(drawn, resident)
        document.preview(replace(document.edits, pose=document.wanted(posed(drawn.pose, *EDITS["arm"]))))
        works.append(document.person.answers.of("resident", (), lambda: pytest.fail("nothing is kept")))
    if resident.device == "cpu":
        assert all(work._stream is None for work in works)
    else:
        assert len({work._stream.cuda_stream for work in works}) == 2


def test_a_document_at_rest_holds_nothing_on_the_device(resident, person):
    (document,) = documents(person, resident)
    edits = replace(document.edits, pose=document.wanted(moved(person)))
    before = document.preview(edits)
    document.rest()
    made = []
    document.person.answers.of("resident", (), lambda: made.append(1))
    assert made
    document.person.answers.forget()
    assert np.array_equal(document.preview(edits), before)


def test_a_copy_of_the_editor_makes_the_same(resident, person):
    pictures = []
    for document in documents(person, resident, copy.deepcopy(resident)):
        pictures.append(document.preview(replace(document.edits, pose=document.wanted(moved(person)))))
    assert np.array_equal(*pictures)


# ---- what it leaves to arrays


def test_it_says_what_it_leaves_to_arrays(resident, editor, person, other_person):
    known = resident.set_person(person.photo, pose=person.pose, parsing=person.parsing)
    other = resident.set_person(other_person.photo, pose=other_person.pose, parsing=other_person.parsing)

    def asked(pose=None, styles=None, paint=None):
        return checked(known, pose, None, styles, paint, None)

    pose, borrowed = moved(person), {"upper_clothes": [(other, 1.0)]}
    assert not refusal(resident.generator, asked(pose))
    assert "no joint" in refusal(resident.generator, asked(paint=layer(person).labels()))
    assert "borrowed" in refusal(resident.generator, asked(pose, borrowed))
    assert "larger" in refusal(resident.generator, asked(pose), 0.1)
    assert "another program" in refusal(object())
    shown = known.preview(pose, borrowed)
    assert np.array_equal(shown, known.render(pose, styles=borrowed, cloth=False).photo)


def test_processors_do_it_with_arrays(editor):
    assert editor.resident is None and not refusal(editor.generator)


# ---- no memory left


@pytest.fixture
def full(editor, monkeypatch):
    """An editor on whose device the image generator finds no room any more."""
    crowded = Editor(TorchGenerator(copy.deepcopy(editor.model)), editor.analyzer, resident=True)

    def none_left(*_):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(crowded.generator, "_paint", none_left)
    return crowded


def test_without_memory_the_processor_goes_on(full, editor, person):
    there, here = documents(person, full, editor)
    edits = [replace(d.edits, pose=d.wanted(moved(person))) for d in (there, here)]
    assert np.array_equal(there.preview(edits[0]), here.preview(edits[1]))
    assert full.notice == NO_MEMORY and full.resident is None and full.backend == "torch cpu float32"
    assert np.array_equal(there.render(edits[0]).photo, here.render(edits[1]).photo)


def test_two_who_find_no_memory_leave_the_device_once(full, person, monkeypatch):
    generator, left = full.generator, []
    both, leaving = threading.Barrier(2), threading.Event()
    preview, on_processor = full.resident.preview, generator.on_processor

    def found_none(*given):
        try:
            return preview(*given)
        except torch.OutOfMemoryError:
            if both.wait(60):  # the second one goes on while the first one leaves
                leaving.wait(60)
            raise

    def leave():
        left.append(generator)
        leaving.set()
        time.sleep(0.3)
        return on_processor()

    monkeypatch.setattr(full.resident, "preview", found_none)
    monkeypatch.setattr(generator, "on_processor", leave)
    asked = [(d, replace(d.edits, pose=d.wanted(moved(person)))) for d in documents(person, full, full)]
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda one: one[0].preview(one[1]), asked)
    assert np.array_equal(first, second) and left == [generator]
    assert full.generator is not generator and full.resident is None


def test_what_the_processor_has_no_memory_for_is_an_error(editor, person, monkeypatch):
    alone = Editor(TorchGenerator(copy.deepcopy(editor.model)), editor.analyzer)

    def none_left(*_):
        raise torch.OutOfMemoryError("none")

    monkeypatch.setattr(alone.generator, "_paint", none_left)
    (document,) = documents(person, alone)
    with pytest.raises(torch.OutOfMemoryError):
        document.preview(replace(document.edits, pose=document.wanted(moved(person))))


def test_users_are_told_once(full, session, person):
    studio = Studio(lambda: full)
    (document,) = documents(person, full)
    session.edit(document)
    said = []
    for step in (0, 1):
        document.set_pose(moved(person, by=(-30, -60 + step)))
        said.append(run(studio.render(session))["bar"]["status"]["text"])
    assert NO_MEMORY in said[0] and NO_MEMORY not in said[1]


# ---- masks and warps


@pytest.fixture(params=DEVICES)
def device(request):
    return request.param


@pytest.fixture
def speckled():
    rng = np.random.default_rng(3)
    return cv2.resize((rng.random((30, 40)) > 0.8).astype(np.uint8), (160, 120), interpolation=cv2.INTER_NEAREST) > 0


def test_masks_are_those_of_opencv(device, speckled):
    there = torch.from_numpy(speckled).to(device)
    for radius in (1, 2.6, 7.3, 12):
        assert np.array_equal(masks.grow(there, radius).cpu().numpy(), array_grow(speckled, radius))
    assert not masks.grow(torch.zeros_like(there), 3).any()
    for width in (0.5, 3.3, 6):
        assert masks.feather(there, width).cpu().numpy() == pytest.approx(array_feather(speckled, width), abs=1e-3)
    values = speckled.astype(np.float32)
    for sigma in (0.6, 1.7, 4.0):
        assert masks.smooth(there.float(), sigma).cpu().numpy() == pytest.approx(array_smooth(values, sigma), abs=1e-5)


def test_the_nearest_is_as_near(device, speckled):
    known = speckled & (np.add.outer(np.arange(120), np.arange(160)) % 7 == 0)
    away, (y, x) = masks.nearest(torch.from_numpy(known)[None].to(device), 30)
    near = (found := Nearest(known)).distance < 30
    # By another metric another pixel is the nearest at times: OpenCV's is never farther by much.
    assert np.abs(away[0].cpu().numpy() - found.distance)[near].max() < 0.6
    assert known[y[0].cpu().numpy()[near], x[0].cpu().numpy()[near]].all()


def test_pieces_are_followed_to_their_ends(device, speckled):
    seeds = np.zeros_like(speckled)
    seeds[:, :40] = True
    _, pieces = cv2.connectedComponents(speckled.astype(np.uint8))
    expected = np.isin(pieces, np.unique(pieces[seeds & speckled])) & speckled
    found = masks.touched(torch.from_numpy(speckled).to(device), torch.from_numpy(seeds).to(device))
    assert np.array_equal(found.cpu().numpy(), expected)


def test_pictures_and_maps_move_as_opencv_moves_them(device):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (90, 70, 3), np.uint8)
    labels = rng.integers(0, 8, (90, 70), np.uint8)
    standing = default_skeleton((10, 5, 60, 85))
    apart = posed(standing, ("right_knee", -8, 0), ("right_ankle", -14, 2), ("left_knee", 5, 0))
    for move in (
        Affine(np.array([[0.9, -0.3, 20.2], [0.25, 1.1, -6.4]])),
        SkirtMove.between(standing, apart),
    ):
        at = move.into(3, 4, (60, 70), (5, 6))
        places = Places.moved(move, 3, 4, (60, 70), (5, 6), device)
        assert places is not None
        there = torch.from_numpy(image).permute(2, 0, 1).float().to(device)
        for border, replicate in ((cv2.BORDER_CONSTANT, False), (cv2.BORDER_REPLICATE, True)):
            shown = places.linear(there, replicate).round().permute(1, 2, 0).cpu().numpy()
            assert np.abs(shown - at(image, border=border)).max() <= 1
        assert np.array_equal(places.labels(torch.from_numpy(labels).to(device)).cpu().numpy(), at(labels, labels=True))
    flat = Affine(np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]]))
    assert Places.moved(flat, 0, 0, (9, 9), (0, 0), device) is None
    assert not warp_labels(labels, flat.matrix, (9, 9)).any()
