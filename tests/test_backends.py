"""The seam between pictures and networks: whatever takes and gives arrays of the frame can paint."""

import numpy as np
import pytest
import torch

from pise_core import Editor
from pise_core.detection.analyzer import Analyzer
from pise_core.detection.network import Analysis
from pise_core.errors import InputError
from pise_core.model.generator import Carrying, Code, Framed, Generator, Painted, Parsed
from pise_core.model.torch_generator import TorchGenerator
from pise_core.regions import REGION_COUNT, one_hot
from tests.conftest import moved


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
    edit = known.render(pose=moved(person))
    assert flat.generator.asked == ["encode", "parse", "paint"] and edit.changed.any()
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
