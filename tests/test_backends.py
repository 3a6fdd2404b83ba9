"""The seam between pictures and networks: whatever takes and gives arrays of the frame can paint."""

import copy
import os
import pickle
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

from pise_core import Editor
from pise_core.cli.main import main
from pise_core.detection.analyzer import Analyzer
from pise_core.detection.network import Analysis
from pise_core.document import Document
from pise_core.document.file_reader import read
from pise_core.errors import InputError
from pise_core.images import write_image
from pise_core.model import backends, onnx_graph
from pise_core.model.config import PAPER_CONFIG, RELEASE_CONFIG, RELEASE_EDITING_CONFIG
from pise_core.model.generator import Carrying, Code, Framed, Generator, Painted, Parsed
from pise_core.model.network import PISE
from pise_core.model.one_thread import in_one_thread
from pise_core.model.onnx_generator import OnnxGenerator
from pise_core.model.torch_generator import TorchGenerator
from pise_core.regions import REGION_COUNT, one_hot
from pise_core.skeleton import JOINT
from tests.conftest import ROOT, draw_person, moved


class Flat:
    """A generator without a network: it wants the map that was carried, and paints each region in its mean colour."""

    backend = "numpy"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, source: Framed) -> Code:
        self.asked.append("encode")
        assert source.image.shape == (256, 176, 3) and source.pose.shape == (18, 3)
        regions = [source.image[source.parsing == r] for r in range(REGION_COUNT)]
        colours = [pixels.mean(0) if len(pixels) else np.full(3, 128.0) for pixels in regions]
        return Code(np.array(colours, np.float32), "kept")

    def style_row(self, region: int) -> int:
        return region

    def parse(self, source: Framed, pose: np.ndarray, carried: tuple[np.ndarray, np.ndarray] | None) -> Parsed:
        self.asked.append("parse")
        assert carried is not None
        return Parsed(one_hot(carried[0]), "said")

    def paint(
        self,
        source: Framed,
        code: Code,
        wanted: np.ndarray,
        pose: np.ndarray | None,
        parsed: Parsed | None,
        carried: Carrying | None,
    ) -> Painted:
        self.asked.append("paint")
        assert code.kept == "kept" and (parsed is None) == (pose is None) and (parsed is None or parsed.kept == "said")
        own = code.styles[wanted]
        return Painted(own, own, np.zeros(wanted.shape, np.float32))


@pytest.fixture
def flat(editor):
    return Editor(Flat(), editor.analyzer)


def test_another_backend_is_one_class(flat, person, other_person):
    known = flat.set_person(person.photo, pose=person.pose, parsing=person.parsing)
    assert not flat.generator.asked  # who only opens a photo waits for no generator
    edit = known.render(pose=moved(person))
    assert flat.generator.asked == ["parse", "encode", "paint"] and edit.changed.any()
    known.render(pose=moved(person, by=(-31, -60)))
    assert flat.generator.asked[3:] == ["parse", "paint"]
    assert edit.photo.shape == person.photo.shape
    # A borrowed shirt has the other one's colour where nothing is carried.
    other = flat.set_person(other_person.photo, pose=other_person.pose, parsing=other_person.parsing)
    dressed = known.render(styles={"upper_clothes": [(other, 1.0)]}, detail=False)
    worn = dressed.photo[known.parsing == 3].mean(0)
    assert np.abs(worn - other.code.styles[3]).max() < np.abs(worn - known.code.styles[3]).max()


def test_what_needs_pytorch_says_so(flat, editor):
    assert isinstance(editor.generator, TorchGenerator) and editor.model is editor.generator.model
    assert editor.generator.backend == "torch cpu float32"
    with pytest.raises(InputError, match="this needs PyTorch, and the network is run by numpy"):
        _ = flat.model


def test_the_backend_that_ships_answers_as_the_seam_says(editor, known, person):
    generator: Generator = editor.generator
    frame = known.frame
    code = generator.encode(frame)
    assert code.styles.dtype == np.float32 and np.array_equal(code.styles, known.code.styles)
    pose = known.in_frame(moved(person))
    parsed = generator.parse(frame, pose, (frame.parsing, np.ones(frame.parsing.shape, bool)))
    assert parsed.probabilities.shape == (8, 256, 176) and parsed.probabilities.dtype == np.float32
    assert np.allclose(parsed.probabilities.sum(0), 1, atol=1e-5)
    wanted = parsed.probabilities.argmax(0).astype(np.uint8)
    carried = Carrying(frame.image, (frame.parsing > 0).astype(np.float32))
    made = generator.paint(frame, code, wanted, pose, parsed, carried)
    assert made.image.shape == made.own.shape == (256, 176, 3) and made.gate.shape == (256, 176)
    assert made.image.min() >= 0 and made.image.max() <= 255 and made.gate.min() >= 0 and made.gate.max() <= 1


class Blurred:
    """An analyzer's backend without a module of its own: it sees what the one that ships sees in a blurred picture."""

    backend = "blurred"

    def __init__(self, network) -> None:
        self._network, self.shapes = network, []

    def __call__(self, images: torch.Tensor) -> Analysis:
        self.shapes.append(tuple(images.shape))
        return self._network(torch.nn.functional.avg_pool2d(images, 3, 1, 1))


def test_another_backend_analyses_too(editor, person):
    analyzer = Analyzer(Blurred(editor.analyzer.network))
    assert analyzer.backend == "blurred" and editor.analyzer.backend == "torch cpu float32"
    found = Editor(Flat(), analyzer).analyze(person.photo)
    assert [shape[:2] for shape in analyzer.network.shapes] == [(1, 3), (1, 3), (2, 3), (1, 3)]
    assert np.nanmax(np.abs(found.pose[:, :2] - editor.analyze(person.photo).pose[:, :2])) < 12


# ---- the backends that are there


@pytest.fixture(scope="module")
def asked(editor, drawn_frame):
    """What all backends are asked: the person in the frame, a pose, the map and pixels that were carried."""
    frame = drawn_frame
    pose = frame.pose.copy()
    pose[JOINT["right_wrist"], :2] += (-10, -40)
    carried = Carrying(frame.image, (frame.parsing > 0).astype(np.float32))
    return frame, pose, (frame.parsing, np.ones(frame.parsing.shape, bool)), carried


@pytest.fixture(scope="module")
def drawn_frame(editor):
    drawn = draw_person()
    return editor.set_person(drawn.photo, pose=drawn.pose, parsing=drawn.parsing).frame


def _answers(generator: Generator, asked, wanted=None):
    """Styles, map and picture; the picture on a given map, so that one label does not decide about it."""
    frame, pose, carried_map, carried = asked
    code, parsed = generator.encode(frame), generator.parse(frame, pose, carried_map)
    wanted = parsed.probabilities.argmax(0).astype(np.uint8) if wanted is None else wanted
    return code.styles, parsed.probabilities, wanted, generator.paint(frame, code, wanted, pose, parsed, carried)


@pytest.mark.parametrize(
    ("name", "backend", "labels", "levels"),
    [("onnxruntime", "onnxruntime cpu float32", 0.999, 3), ("bfloat16", "torch cpu bfloat16", 0.995, 6)],
)
def test_the_backends_agree(editor, asked, name, backend, labels, levels):
    other = backends.generator(PISE.from_pretrained(), backends.resolved(name, "cpu"), "cpu")
    assert other.backend == backend
    styles, maps, wanted, picture = _answers(editor.generator, asked)
    found = _answers(other, asked, wanted)
    assert np.abs(found[0] - styles).max() < 0.02
    assert (found[1].argmax(0) == maps.argmax(0)).mean() >= labels
    assert np.abs(found[3].image - picture.image).max() <= levels
    again = _answers(other, asked, wanted)
    assert np.array_equal(again[3].image, found[3].image) and np.array_equal(again[1], found[1])


def test_without_what_is_carried_they_agree_as_well(editor, asked):
    frame, pose, _, _ = asked
    other = OnnxGenerator(PISE.from_pretrained())
    for generator in (editor.generator, other):
        code, parsed = generator.encode(frame), generator.parse(frame, pose, None)
        made = generator.paint(frame, code, frame.parsing, None, None, None)
        if generator is editor.generator:
            expected = parsed, made
    assert np.abs(parsed.probabilities - expected[0].probabilities).max() < 1e-3
    assert np.abs(made.image - expected[1].image).max() <= 3


def test_networks_of_other_makes_run_in_onnx_runtime(asked):
    torch.manual_seed(0)
    for config in (RELEASE_EDITING_CONFIG, PAPER_CONFIG):
        model = PISE(replace(config, width=4)).eval()
        frame, pose, carried_map, _ = asked
        other, ours = OnnxGenerator(copy.deepcopy(model)), TorchGenerator(model)
        codes = ours.encode(frame), other.encode(frame)
        assert np.allclose(codes[0].styles, codes[1].styles, atol=1e-3)
        if config.parsing_generator:
            maps = [generator.parse(frame, pose, carried_map).probabilities for generator in (ours, other)]
            assert np.allclose(*maps, atol=1e-3)
        else:
            with pytest.raises(InputError, match="edit regions and styles only"):
                other.parse(frame, pose, carried_map)
        made = [
            generator.paint(frame, code, frame.parsing, None, None, None).image
            for generator, code in zip((ours, other), codes, strict=True)
        ]
        assert np.abs(made[0] - made[1]).mean() < 0.5


def test_a_network_that_would_export_wrongly_is_refused():
    with pytest.raises(InputError, match="run by torch alone"):
        OnnxGenerator(PISE(replace(RELEASE_CONFIG, width=4)))


@pytest.mark.parametrize("name", ["onnxruntime", "bfloat16"])
def test_analyzers_agree_at_every_size(editor, person, name):
    other = Analyzer.from_pretrained(backend=name)
    found, expected = Editor(Flat(), other).analyze(person.photo), editor.analyze(person.photo)
    assert (found.parsing == expected.parsing).mean() > (0.999 if name == "onnxruntime" else 0.99)
    off = np.abs(found.pose[:, :2] - expected.pose[:, :2]).max() * expected.framing.scale
    assert off < (0.25 if name == "onnxruntime" else 1)
    assert other.backend == {"onnxruntime": "onnxruntime cpu float32", "bfloat16": "torch cpu bfloat16"}[name]


def test_a_copy_begins_its_graphs_anew(asked):
    frame, pose, carried_map, _ = asked
    first = OnnxGenerator(PISE.from_pretrained())
    maps = first.parse(frame, pose, carried_map)
    second = pickle.loads(pickle.dumps(first))
    assert np.array_equal(second.parse(frame, pose, carried_map).probabilities, maps.probabilities)


def test_a_backend_is_chosen_by_name_or_by_what_is_there(monkeypatch):
    assert [backends.resolved(name, "cpu") for name in ("torch", "bfloat16", "onnxruntime")] == [
        "torch", "bfloat16", "onnxruntime",
    ]  # fmt: skip
    monkeypatch.setattr(backends, "has_bfloat16", lambda device: False)
    assert backends.resolved("auto", "cpu") == "onnxruntime" and backends.resolved("auto", "cuda") == "torch"
    monkeypatch.setattr(backends, "has_bfloat16", lambda device: True)
    assert backends.resolved("auto", "cpu") == "bfloat16"
    with pytest.raises(InputError, match="no backend 'fast'; choose one of torch, bfloat16"):
        backends.resolved("fast", "cpu")
    with pytest.raises(InputError, match="not on 'cuda'; use device cpu"):
        backends.resolved("onnxruntime", "cuda")


def test_what_a_processor_has_is_asked_of_it(monkeypatch):
    for known, has in (({"avx512_bf16": True}, True), ({"amx_bf16": True}, True), ({"avx2": True}, False)):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda known=known: known, raising=False)
        assert backends.has_bfloat16("cpu") is has
    monkeypatch.delattr(torch.cpu, "get_capabilities")
    assert not backends.has_bfloat16("cpu")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))
    assert not backends.has_bfloat16("cuda")


def test_without_onnx_runtime_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr(onnx_graph.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install onnx onnxruntime"):
        Editor.from_pretrained(device="cpu", backend="onnxruntime")
    monkeypatch.setattr(backends, "has_bfloat16", lambda device: False)
    assert backends.resolved("auto", "cpu") == "torch"


def test_a_document_names_the_backend_that_it_was_saved_with(known, tmp_path):
    document = Document.of(known, "drawn")
    document.save(tmp_path / "drawn.pise")
    assert read(tmp_path / "drawn.pise").backend == "torch cpu float32"


def test_the_command_line_takes_a_backend_by_name(person, tmp_path, capsys):
    write_image(tmp_path / "photo.png", person.photo)
    arguments = ["edit", str(tmp_path / "photo.png"), "--recolour", "upper_clothes=navy", "--device", "cpu"]
    arguments += ["--out", str(tmp_path / "out.png")]
    assert main([*arguments, "--backend", "onnxruntime"]) == 0 and (tmp_path / "out.png").exists()
    assert main([*arguments, "--backend", "fast"]) == 2
    assert "error: there is no backend 'fast'; choose one of" in capsys.readouterr().err


def test_all_passes_are_made_in_one_thread(editor, person):
    """Whoever asks: what oneDNN has prepared is kept once for every thread."""
    made, errors = set(), []
    networks = editor.model.parsing_generator, editor.model.image_generator, editor.analyzer.network
    hooks = [n.register_forward_hook(lambda *_: made.add(threading.get_ident())) for n in networks]

    def ask(number: int) -> None:
        try:
            known = editor.set_person(person.photo, pose=person.pose)
            assert known.render(pose=moved(person, by=(-20 - number, -60))).changed.any()
        except BaseException as error:
            errors.append(error)

    asking = [threading.Thread(target=ask, args=(number,)) for number in range(3)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    for hook in hooks:
        hook.remove()
    assert not errors and len(made) == 1 and threading.get_ident() not in made


def test_what_is_made_in_one_thread_answers_and_raises_as_elsewhere():
    @in_one_thread
    def halved(number: int) -> tuple[int, bool, bool]:
        if number % 2:
            raise ValueError("odd")
        return number // 2, torch.is_grad_enabled(), halved_again(number) == number // 2

    @in_one_thread
    def halved_again(number: int) -> int:
        return number // 2

    assert halved(8) == (4, False, True)  # and it asks itself without waiting for itself
    with pytest.raises(ValueError, match="odd"):
        halved(3)
    assert torch.is_grad_enabled()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that forks")
def test_a_process_that_was_forked_off_has_a_thread_of_its_own():
    code = (
        "import os, sys\n"
        "from pise_core.model.one_thread import in_one_thread\n"
        "answer = in_one_thread(lambda: 3)\n"
        "assert answer() == 3\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    os._exit(answer())\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=300).returncode == 3
