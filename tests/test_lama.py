"""A large inpainting network for backgrounds: what photos make of its answer, and the network on a small graph."""

import copy
import pickle
import subprocess
import sys

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from pise_core.detection.lama import LamaInpainter
from pise_core.document import Document
from pise_core.document.file_reader import read
from pise_core.editor import Editor
from pise_core.errors import HubUnreachable, InputError
from pise_core.framing import Framing
from pise_core.inpainting.background import Background
from pise_core.inpainting.inpainted import SIDE
from pise_core.inpainting.margins import Margins, continue_beyond
from tests.conftest import ROOT, draw_person
from tests.test_parts import turned


def write_graph(path, image="image", mask="mask", side=SIDE, dtype=TensorProto.FLOAT):
    """A graph with LaMa's inputs and answer: colours in [0, 255], in the hole the mean of what is known of each row."""
    sides = ["batch", 3, side, side], ["batch", 1, side, side]
    inputs = [helper.make_tensor_value_info(*one) for one in ((image, dtype, sides[0]), (mask, dtype, sides[1]))]
    output = helper.make_tensor_value_info("output", dtype, sides[0])
    one, scale = (helper.make_tensor(name, dtype, [1], [value]) for name, value in (("one", 1.0), ("scale", 255.0)))
    nodes = [
        helper.make_node("Sub", ["one", mask], ["known"]),
        helper.make_node("Mul", [image, "known"], ["seen"]),
        helper.make_node("ReduceMean", ["seen"], ["sums"], axes=[3], keepdims=1),
        helper.make_node("ReduceMean", ["known"], ["shares"], axes=[3], keepdims=1),
        helper.make_node("Div", ["sums", "shares"], ["rows"]),
        helper.make_node("Mul", ["rows", mask], ["made"]),
        helper.make_node("Add", ["seen", "made"], ["whole"]),
        helper.make_node("Mul", ["whole", "scale"], ["output"]),
    ]
    graph = helper.make_graph(nodes, "small", inputs, [output], [one, scale])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), str(path))
    return path


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    return write_graph(tmp_path_factory.mktemp("lama") / "small.onnx")


def scene(width: int, height: int) -> tuple[np.ndarray, np.ndarray, Framing]:
    """A street of bands with grain, somebody before it, and the frame about them."""
    rng = np.random.default_rng(5)
    rows = np.linspace(40, 210, height)[:, None, None] + np.array([0, 10, 20])
    grain = cv2.GaussianBlur(rng.normal(0, 12, (height, width)).astype(np.float32), (0, 0), 0.8)[..., None]
    photo = np.clip(np.broadcast_to(rows, (height, width, 3)) + grain, 0, 255).astype(np.uint8)
    parsing = np.zeros((height, width), np.uint8)
    box = round(0.35 * width), round(0.2 * height), round(0.6 * width), round(0.95 * height)
    parsing[box[1] : box[3], box[0] : box[2]] = 5
    photo[parsing > 0] = (250, 0, 250)
    return photo, parsing, Framing.around(box, (width, height))


@pytest.mark.parametrize("size", [(220, 320), (900, 1400), (1400, 700), (60, 700)])
def test_a_photo_of_any_shape_is_continued_and_what_was_known_stays(graph, size):
    photo, parsing, framing = scene(*size)
    inpaint = LamaInpainter(graph)
    made = Background(photo, parsing, framing, inpaint=inpaint).at()
    hole = cv2.dilate(parsing, np.ones((2 * round(5 / framing.scale) + 1,) * 2, np.uint8)) > 0
    assert made.shape == photo.shape and (made[~hole] == photo[~hole]).all()
    wanted = np.linspace(40, 210, size[1])[:, None, None] + np.array([0, 10, 20])
    inside = parsing > 0
    assert np.abs(made.astype(float) - wanted)[inside].mean() < 12
    again = Background(photo, parsing, framing, inpaint=LamaInpainter(graph))
    tops = again.at(window=(slice(0, size[1] // 2), slice(0, size[0])))  # in whatever order it is asked for
    assert (again.at() == made).all() and (tops == made[: size[1] // 2]).all()


def test_a_large_photo_has_its_own_grain_in_the_hole(graph):
    """What the network answers is smaller than the photo, and smooth: grain comes from the photo."""
    photo, parsing, framing = scene(1000, 1800)

    def textured(picture, hole):
        rng = np.random.default_rng(1)
        made = LamaInpainter(graph)(picture, hole) + rng.normal(0, 4, picture.shape)
        return np.where(hole[..., None], np.clip(made, 0, 255), picture).astype(np.uint8)

    def fine(picture, place):
        grey = picture[place].astype(np.float32).mean(2)
        return (grey - cv2.GaussianBlur(grey, (0, 0), 1.5)).std()

    inside, beside = np.s_[600:1500, 420:560], np.s_[600:1500, 40:180]
    made = Background(photo, parsing, framing, inpaint=textured).at()
    assert 0.4 < fine(made, inside) / fine(photo, beside) < 1.3
    smooth = Background(
        photo, parsing, framing, inpaint=lambda p, h: cv2.GaussianBlur(LamaInpainter(graph)(p, h), (0, 0), 9)
    )
    assert fine(smooth.at(), inside) < 0.5 * fine(made, inside)


def test_an_edge_that_the_answer_lacks_is_not_left_as_a_line():
    """A piece with a black post, where the network answers with a plain wall of the same texture."""
    rng = np.random.default_rng(3)
    photo = np.clip(128 + rng.normal(0, 5, (1800, 1000, 3)), 0, 255).astype(np.uint8)
    photo[:, 60:300:40] = 0
    parsing = np.zeros((1800, 1000), np.uint8)
    parsing[300:1700, 350:650] = 5

    def plain(picture, hole):
        return np.where(hole[..., None], np.clip(128 + rng.normal(0, 2, picture.shape), 0, 255), picture).astype(
            np.uint8
        )

    made = Background(photo, parsing, Framing.around((350, 300, 650, 1700), (1000, 1800)), inpaint=plain).at()
    assert np.abs(made[350:1650, 420:600].astype(int) - 128).max() < 45


def test_a_network_is_asked_once_and_previews_show_the_same(graph):
    photo, parsing, framing = scene(900, 1400)
    asked = []

    def counting(picture, hole):
        asked.append((picture.shape, picture.dtype, hole.shape, hole.dtype))
        assert 0.05 < hole.mean() < 0.7
        return LamaInpainter(graph)(picture, hole)

    large = Background(photo, parsing, framing, inpaint=counting)
    shown = cv2.resize(large.at(), (225, 350), interpolation=cv2.INTER_AREA)
    small = cv2.resize(photo, (225, 350), interpolation=cv2.INTER_AREA)
    preview = Background(small, parsing[::4, ::4], framing.resized((225, 350)), larger=large, inpaint=counting).at()
    assert asked == [((SIDE, SIDE, 3), np.uint8, (SIDE, SIDE), bool)]
    assert np.abs(preview.astype(int) - shown).mean() < 2


def test_colours_that_are_off_all_over_leave_no_outline():
    photo, parsing, framing = scene(220, 320)
    photo[:] = 120
    photo[parsing > 0] = 255
    made = Background(photo, parsing, framing, inpaint=lambda p, h: np.full_like(p, 150)).at().astype(int)
    assert np.abs(np.diff(made[180], axis=0)).max() <= 12


def test_an_editor_shows_it_behind_people_and_says_its_name(editor, graph):
    drawn = draw_person(220, 330)
    street = np.random.default_rng(2).integers(60, 200, (330, 1, 3)).astype(np.uint8)
    street = np.where(np.arange(220)[None, :, None] % 40 < 20, street, 255 - street)
    drawn = drawn._replace(photo=np.where(drawn.parsing[..., None] > 0, drawn.photo, street))
    mine = editor.with_background(LamaInpainter(graph))
    assert mine.analyzer is editor.analyzer and mine.generator is editor.generator and editor.background_name == ""
    assert mine.background_name.startswith("small.onnx ") and len(mine.background_name) == len("small.onnx ") + 12
    people = [one.set_person(drawn.photo, pose=drawn.pose, parsing=drawn.parsing) for one in (editor, mine)]
    pose = turned(drawn.pose, ["right_elbow", "right_wrist"], "right_shoulder", 70)
    shipped, made = (person.render(pose=pose) for person in people)
    assert (made.photo != shipped.photo).any() and (made.photo[~made.changed] == drawn.photo[~made.changed]).all()
    assert (people[1].render(pose=pose).photo == made.photo).all()
    for again in (copy.copy(mine), pickle.loads(pickle.dumps(mine.inpainter))):
        assert getattr(again, "background_name", None) or again.name == mine.background_name


def test_from_pretrained_takes_a_file(graph):
    editor = Editor.from_pretrained(device="cpu", background=graph)
    assert editor.inpainter is not None and editor.background_name.startswith("small.onnx")


class Painting(LamaInpainter):
    """In LaMa's place: what is hidden becomes yellow, and is remembered."""

    def __init__(self, graph):
        super().__init__(graph)
        self.hidden = []

    def __call__(self, picture, hole):
        self.hidden.append(hole)
        return np.where(hole[..., None], np.array((240, 220, 0), np.uint8), picture)


def yellow(photo):
    photo = photo.astype(int)
    return (photo[..., :2].min(2) > photo[..., 2] + 120).mean()


def test_it_continues_a_photo_that_grows(editor, graph):
    drawn, inpaint = draw_person(220, 330), Painting(graph)
    mine = editor.with_background(inpaint)
    known = mine.set_person(drawn.photo, pose=drawn.pose, parsing=drawn.parsing)
    grown = Document.of(known).grow((40, 0, 0, 30))
    assert np.array_equal(grown.photo[:330, 40:], drawn.photo)
    # Its colours are made to meet the photo's, and go their own way from there.
    assert yellow(grown.photo[:300, :15]) > 0.95 and yellow(grown.photo[350:, 60:]) > 0.95
    assert (grown.photo == Document.of(known).grow((40, 0, 0, 30)).photo).all()
    shipped = Document.of(editor.set_person(drawn.photo, pose=drawn.pose, parsing=drawn.parsing)).grow((40, 0, 0, 30))
    assert yellow(shipped.photo) == 0
    # It is shown neither what is beyond the photo nor who is in it.
    assert inpaint.hidden[-1].mean() > (1 - 220 * 330 / (260 * 360)) + 0.1


@pytest.mark.parametrize("size", [(220, 330), (1000, 1500)])
def test_a_margin_of_a_large_photo_has_its_grain(size):
    photo, parsing, framing = scene(*size)

    def textured(picture, hole):
        rng = np.random.default_rng(1)
        made = 128 + rng.normal(0, 6, picture.shape)
        return np.where(hole[..., None], np.clip(made, 0, 255), picture).astype(np.uint8)

    grown = continue_beyond(photo, Margins(right=size[0] // 3), parsing > 0, framing.scale, textured)
    assert (grown[:, : size[0]] == photo).all()
    made = grown[:, size[0] + 20 :].astype(np.float32)
    assert np.abs(made.mean() - 128) < 12
    assert (made - cv2.GaussianBlur(made, (0, 0), 1.5)).std() > 1.5


def test_places_are_healed_by_it_where_the_background_is(editor, graph):
    drawn, inpaint = draw_person(220, 330), Painting(graph)
    mine = editor.with_background(inpaint)
    document = Document.of(mine.set_person(drawn.photo, pose=drawn.pose, parsing=drawn.parsing))
    marked = np.zeros(drawn.parsing.shape, bool)
    marked[20:60, 10:50] = True
    assert not drawn.parsing[marked].any()
    document.retouch(marked)
    assert document.render(preview=True) and len(inpaint.hidden) == 1  # what lies behind the person; previews are quick
    made = document.render().photo
    assert len(inpaint.hidden) == 2 and yellow(made[30:50, 20:40]) > 0.95
    assert np.array_equal(made[~marked], drawn.photo[~marked])
    document.render()
    assert len(inpaint.hidden) == 2


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda path: None, "there is no file"),
        (lambda path: path.write_bytes(b"no graph"), "no ONNX graph"),
        (lambda path: write_graph(path, mask="hole"), "no inpainting network"),
        (lambda path: write_graph(path, side=64), "no inpainting network"),
        (lambda path: write_graph(path, dtype=TensorProto.DOUBLE), "no inpainting network.*float32"),
    ],
)
def test_other_files_are_refused_in_one_line(tmp_path, made, message):
    path = tmp_path / "other.onnx"
    made(path)
    with pytest.raises(InputError, match=message) as refused:
        Editor.from_pretrained(device="cpu", background=path)
    assert "\n" not in str(refused.value)


def test_without_a_network_it_is_told_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(HubUnreachable, match="lama_fp32.onnx.*use the background that ships"):
        Editor.from_pretrained(device="cpu", background="lama")


def test_without_onnx_runtime_the_message_says_what_to_install(monkeypatch, graph):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(InputError, match="pip install onnxruntime"):
        LamaInpainter(graph).load()


def test_an_answer_that_is_no_number_is_refused(tmp_path):
    """Everything is hidden: this graph then divides by nothing."""
    inpaint = LamaInpainter(write_graph(tmp_path / "small.onnx"))
    with pytest.raises(InputError, match="no picture"):
        inpaint(np.zeros((SIDE, SIDE, 3), np.uint8), np.ones((SIDE, SIDE), bool))


def test_a_graph_that_fails_on_a_picture_is_refused_in_one_line(tmp_path):
    """It reads well: only the picture tells that its answer can't have that shape."""
    graph = onnx.load(write_graph(tmp_path / "small.onnx"))
    graph.graph.initializer.append(helper.make_tensor("shape", TensorProto.INT64, [2], [7, 11]))
    graph.graph.node[-1].output[0] = "picture"
    graph.graph.node.append(helper.make_node("Reshape", ["picture", "shape"], ["output"]))
    graph.graph.output[0].type.tensor_type.ClearField("shape")
    onnx.save(graph, str(tmp_path / "wrong.onnx"))
    inpaint = LamaInpainter(tmp_path / "wrong.onnx")
    with pytest.raises(InputError, match="wrong.onnx .*can't be run on a picture") as refused:
        inpaint(np.zeros((SIDE, SIDE, 3), np.uint8), np.zeros((SIDE, SIDE), bool))
    assert "\n" not in str(refused.value)


def test_a_document_knows_a_network_with_a_long_name_again(editor, person, tmp_path):
    mine = editor.with_background(LamaInpainter(write_graph(tmp_path / f"{'long-' * 20}.onnx")))
    known = mine.set_person(person.photo, pose=person.pose, parsing=person.parsing)
    Document.of(known).save(tmp_path / "saved.pise")
    assert read(tmp_path / "saved.pise").background == mine.background_name


def test_the_command_line_takes_it(graph, photo_path, tmp_path):
    def run(*arguments):
        command = [sys.executable, "-m", "pise_core", *map(str, arguments)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)

    recipe = tmp_path / "recipe.json"
    recipe.write_text('{"recolour": {"upper_clothes": "#204080"}}')
    batch = ("batch", photo_path, "--recipe", recipe, "--out", tmp_path / "out", "--device", "cpu")
    assert run(*batch, "--background", graph).returncode == 0
    header, line = (tmp_path / "out" / "report.csv").read_text().splitlines()
    assert header.endswith(",background") and "small.onnx " in line.rpartition(",")[2]
    refused = run(*batch, "--background", "lamma")
    assert refused.returncode == 2 and "--background is lama or" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
