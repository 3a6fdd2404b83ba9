"""Files as other programs write them, kind by kind, on the command line, over the API and on the page: each time the
pose, the map or the photo that is in them, or the same one line."""

import io
import json
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from app.api.endpoints import Programs, Upload
from app.state.detectors import BUILT_IN
from app.state.session import Session
from pise_core.cli import main as cli
from pise_core.errors import InputError
from pise_core.images import encode_parsing, read_image, write_image
from pise_core.label_sets import LABEL_SETS
from pise_core.parsing_files import read_parsing
from pise_core.regions import PALETTE, REGION
from pise_core.skeleton import JOINT
from pise_core.warping.retarget import retarget
from tests.colour_profiles import grey_profile, in_space, linear, profile
from tests.conftest import ROOT, run, sent
from tests.pose_files_of_others import COCO, FILES, annotation, body25, canvas, coco, flat, openpose, rows, scaled
from tests.test_parsing_files import VOC, encoded, png, with_palette


class PoseCase(NamedTuple):
    """A file of a pose: its kind in letters, what it is, its text, joints that it lacks, another shape of picture."""

    kind: str
    name: str
    text: str
    missing: tuple[str, ...] = ()
    fitted: bool = False


def pose_cases(own: np.ndarray) -> list[PoseCase]:
    """Files that hold one pose (18, 3), that of a picture of 220x330; its neck is the middle of the shoulders."""
    large = own * (528 / 220, 768 / 330, 1)
    less = own.copy()
    less[JOINT["left_wrist"]] = np.nan
    unsure = rows(own)
    unsure[JOINT["left_wrist"]][2] = 0.04
    body, small = openpose(rows(own))["people"][0], openpose(scaled(rows(own), 0.2))["people"][0]
    nobody = openpose([[0.0, 0.0, 0.0]] * 18)["people"][0]
    size = canvas((220, 330))
    wide = [[x + 500, y + 20, s] for x, y, s in rows(own)]
    shares = [[x / 220, y / 330, s] for x, y, s in coco(own)]
    kept = [n for n in range(17) if n != COCO.index("left_wrist")]

    def told(kind, name, content, *rest):
        return PoseCase(kind, name, content if isinstance(content, str) else json.dumps(content), *rest)

    return [
        told("A", "shares of ComfyUI", FILES["comfyui as shares"](large)),
        told("A", "from -1 to 1", FILES["openpose from -1 to 1"](large)),
        told("A", "MediaPipe", FILES["mediapipe"](large)),
        told("A", "Ultralytics' text", f"0 0.5 0.5 0.9 0.9 {' '.join(f'{v:.6f}' for v in flat(shares))}\n"),
        told("C", "wide, by size", {"size": [1600, 400], "keypoints": wide}, (), True),
        told("C", "wide, by width and height", {"width": 1200, "height": 360, "keypoints": wide}, (), True),
        told("C", "a square canvas", openpose(wide, **canvas((1000, 1000))), (), True),
        told("D", "a bystander first", {"people": [small, body], **size}),
        told("D", "an empty one first", {"people": [nobody, small, body, None], **size}),
        told("D", "under numbers", {"people": {"3": small, "7": body}, **size}),
        told("E", "NaN", {"size": [220, 330], "keypoints": [[float("nan")] * 3 if n == 7 else r
             for n, r in enumerate(rows(own))]}, ("left_wrist",)),
        told("E", "an unlikely one", {"size": [220, 330], "keypoints": unsure}, ("left_wrist",)),
        told("E", "minus one without scores", {"size": [220, 330], "keypoints": [[-1, -1] if n == 7 else r[:2]
             for n, r in enumerate(rows(own))]}, ("left_wrist",)),
        told("E", "an unsure one left out", [[{"keypoints": [coco(own)[n][:2] for n in kept], "labels": kept,
             "scores": [0.9] * 16}]], ("left_wrist",)),
        told("F", "BODY_25", openpose(body25(own))),
        told("F", "COCO annotations", {"images": [{"id": 7, "width": 220, "height": 330}],
             "annotations": [annotation(coco(own))]}),
        told("F", "AlphaPose", FILES["alphapose"](own)),
        told("F", "rtmlib", FILES["rtmlib"](own)),
        told("G", "a mark before", "\ufeff" + json.dumps(openpose(rows(own), **size))),
        told("G", "JSON in a string", json.dumps(json.dumps(openpose(rows(own), **size)))),
        told("G", "a line for each picture", "\n".join([json.dumps(openpose(rows(own), **size))] * 2)),
        told("G", "within output", {"data": {"output": [openpose(rows(own), canvas_width=None, canvas_height=None)]}}),
    ]  # fmt: skip


#: Of nobody, or in an order that is not known: what the line says.
REFUSED = {
    "an empty list": ({"people": []}, "shows nobody"),
    "animals alone": ({"people": [], "animals": [flat([[9, 9, 1]] * 17)]}, "animal"),
    "a hand": ({"keypoints": [[9, 9, 1]] * 21}, "a hand"),
    "MPII": ({"keypoints": [[9 * n, 9 * n, 1] for n in range(16)]}, "MPII"),
}


@pytest.fixture(scope="module")
def wanted(person):
    """The drawn person with the right forearm up, the neck between the shoulders; every joint is sure."""
    pose = person.pose.astype(np.float64).copy()
    elbow, wrist = JOINT["right_elbow"], JOINT["right_wrist"]
    pose[wrist, :2] = pose[elbow, :2] + (-15, -45)
    pose[JOINT["neck"], :2] = pose[[JOINT["right_shoulder"], JOINT["left_shoulder"]], :2].mean(0)
    pose[:, 2] = 0.9
    return pose


@pytest.fixture(scope="module")
def found(editor, photo_path):
    """The person as the command line finds them."""
    return editor.set_person(read_image(photo_path))


def command(photo_path, weights, out, *arguments):
    line = ["edit", photo_path, *arguments, "--out", out, "--weights", weights, "--device", "cpu"]
    assert cli.main([*map(str, line)]) == 0
    return read_image(out)


CASES = [(case.kind, case.name) for case in pose_cases(np.ones((18, 3)))]


@pytest.mark.parametrize("which", range(len(CASES)), ids=[f"{kind}: {name}" for kind, name in CASES])
def test_poses(which, wanted, found, photo_path, weights, studio, session, tmp_path):
    case = pose_cases(wanted)[which]
    truth = wanted.astype(np.float32)
    truth[[JOINT[name] for name in case.missing]] = np.nan, np.nan, 0
    # Over the API and on the page a pose is fitted to the person.
    own = session.document.person.pose
    said = Programs(studio).load_pose(session, case.text)["keypoints"]
    fitted = retarget(own, truth)
    there = np.isfinite(fitted[:, 0])
    assert [row is not None for row in said] == there.tolist()
    assert max(np.hypot(*(np.array(row[:2]) - fitted[n, :2])) for n, row in enumerate(said) if row) < 3.3
    session.document.undo()
    page = run(studio.load_pose(session, {"text": case.text}))
    assert page["pose"]["pose"]["rows"] == said
    # The command line takes a pose of the photo's shape as it is.
    (tmp_path / "pose.json").write_bytes(case.text.encode())
    picture = command(photo_path, weights, tmp_path / "out.png", "--pose", tmp_path / "pose.json")
    right = found.render(pose=retarget(found.pose, truth) if case.fitted else truth).photo
    assert np.abs(picture.astype(int) - right).mean() < 0.5
    assert np.abs(picture.astype(int) - found.photo).mean() > 0.5


@pytest.mark.parametrize("name", REFUSED)
def test_files_of_nobody(name, photo_path, studio, session, tmp_path, capsys):
    content, said = REFUSED[name]
    text = json.dumps(content)
    (tmp_path / "pose.json").write_text(text)
    with pytest.raises(InputError, match=said):
        Programs(studio).load_pose(session, text)
    with pytest.raises(InputError, match=said):
        run(studio.load_pose(session, {"text": text}))
    line = ["edit", photo_path, "--pose", tmp_path / "pose.json", "--out", tmp_path / "out.png"]
    assert cli.main([*map(str, line)]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert session.document.edits.none and not (tmp_path / "out.png").exists()


# ---- maps


def of_parser(table, parsing):
    """The map in a parser's labels, in each region the last label that is it."""
    last = {int(region): label for label, region in enumerate(LABEL_SETS[table])}
    return np.array([last.get(region, 0) for region in range(8)], np.uint8)[parsing]


def soft(parsing):
    large = Image.fromarray(PALETTE[np.kron(parsing, np.ones((4, 4), np.uint8))])
    return encoded(large.resize(parsing.shape[::-1], Image.Resampling.LANCZOS))


def said_of(table):
    return lambda parsing: encoded(of_parser(table, parsing))


#: Kind and name -> the file of a map (H, W), and the table that is told with it.
MAPS = {
    "B: renumbered": (lambda m: encoded(with_palette(m, PALETTE, [7, 3, 5, 0, 1, 6, 2, 4])), "regions"),
    "B: quantized": (lambda m: encoded(Image.fromarray(PALETTE[m]).quantize(8)), "regions"),
    "B: renumbered by a GIF": (lambda m: encoded(with_palette(m, PALETTE, [9, 2, 1, 0, 7, 6, 5, 4]), "GIF"), "regions"),
    "B: another's colours, renumbered": (lambda m: encoded(with_palette(m, VOC, [7, 3, 5, 0, 1, 6, 2, 4])), "regions"),
    "H: colours": (lambda m: encoded(PALETTE[m]), "regions"),
    "H: colours of a layer": (
        lambda m: encoded(np.dstack([PALETTE[m], np.where(m > 0, 120, 0).astype(np.uint8)])), "regions",
    ),
    "H: twice the size": (lambda m: encoded(PALETTE[np.kron(m, np.ones((2, 2), np.uint8))]), "regions"),
    "H: soft edges": (soft, "regions"),
    "H: 16 bits with alpha": (lambda m: png(np.dstack([m, np.full(m.shape, 65535)]), 16, 4), "regions"),
    "L: LIP": (said_of("lip"), "lip"),
    "L: ATR": (said_of("atr"), "atr"),
    "L: CIHP": (said_of("cihp"), "cihp"),
    "L: FASHN": (said_of("fashn"), "fashn"),
}  # fmt: skip
BAD_MAPS = {
    "labels of a parser without its table": (lambda m: encoded(of_parser("atr", m)), "say whose"),
    "smoothed": (lambda m: encoded(Image.fromarray(m).resize((440, 660), Image.Resampling.BILINEAR)), "smoothed"),
    "another shape": (lambda m: encoded(PALETTE[m[:150]]), "same size, or shape"),
    "a mask": (lambda m: encoded(m > 0), "mask"),
}


@pytest.fixture(scope="module")
def longer(known):
    """The map with the right sleeve down to the wrist, and without a dress."""
    parsing = known.parsing.copy()
    parsing[(parsing == REGION["upper_skin"]) & (np.arange(220)[None] < 90)] = REGION["upper_clothes"]
    assert set(np.unique(parsing)) >= {0, 1, 2, 3, 5, 6, 7}
    return parsing


@pytest.fixture(scope="module")
def lengthened(longer, photo_path, weights, tmp_path_factory):
    """What the command line makes of it."""
    folder = tmp_path_factory.mktemp("map")
    (folder / "ours.png").write_bytes(encode_parsing(longer))
    return command(photo_path, weights, folder / "out.png", "--parsing", folder / "ours.png")


@pytest.mark.parametrize("name", MAPS)
def test_maps(name, longer, lengthened, photo_path, weights, studio, session, tmp_path):
    make, table = MAPS[name]
    data = make(longer)
    told = Programs(studio).set_regions(session, Upload(str(sent(data))), table)
    shown = read_parsing(Programs(studio).regions(session))
    assert (shown != longer).mean() < 0.005
    assert bool(told["note"]) == (name == "H: soft edges")
    (tmp_path / "map.png").write_bytes(data)
    more = () if table == "regions" else ("--table", table)
    picture = command(photo_path, weights, tmp_path / "out.png", "--parsing", tmp_path / "map.png", *more)
    assert np.abs(picture.astype(int) - lengthened).mean() < (0.5 if name == "H: soft edges" else 0.01)


@pytest.mark.parametrize("name", BAD_MAPS)
def test_maps_that_would_be_others(name, longer, photo_path, studio, session, tmp_path, capsys):
    make, said = BAD_MAPS[name]
    (tmp_path / "map.png").write_bytes(make(longer))
    with pytest.raises(InputError, match=said):
        Programs(studio).set_regions(session, Upload(str(sent(make(longer)))))
    line = ["edit", photo_path, "--parsing", tmp_path / "map.png", "--out", tmp_path / "out.png"]
    assert cli.main([*map(str, line)]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1 and session.document.edits.none


# ---- photos


def as_png(values, icc):
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG", icc_profile=icc)
    return buffer.getvalue()


#: The file of a photo (H, W, 3) in sRGB, how far off it may come back, of 255.
PHOTOS = {
    "I: linear, called something else": (lambda p: as_png(in_space(p, "sRGB", 1.0), profile("sRGB", 1.0)), 8),
    "I: Display P3": (lambda p: as_png(in_space(p, "Display P3", 2.2), profile("Display P3", 2.2)), 4),
    "I: Adobe RGB": (lambda p: as_png(in_space(p, "Adobe RGB", 2.2), profile("Adobe RGB", 2.2)), 4),
    "I: grey": (
        lambda p: as_png(np.round(linear(p[..., 1] / 255) ** (1 / 1.8) * 255).astype(np.uint8), grey_profile(1.8)), 4,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PHOTOS)
def test_photos(name, person, studio, tmp_path):
    make, off = PHOTOS[name]
    truth = person.photo if name != "I: grey" else person.photo[..., 1:2].repeat(3, 2)
    (tmp_path / "photo.png").write_bytes(make(person.photo))
    out = tmp_path / "out.png"
    assert cli.main(["edit", str(tmp_path / "photo.png"), "--out", str(out)]) == 0
    pictures = [read_image(out)]
    program, page = Session(), Session()
    Programs(studio).open_file(program, Upload(str(sent(make(person.photo)))))
    run(studio.open_upload(page, sent(make(person.photo)), BUILT_IN, BUILT_IN))
    for session in (program, page):
        assert session.document is not None
        pictures.append(session.document.photo)
        session.close()
    for picture in pictures:
        assert np.abs(picture.astype(int) - truth).max() <= off


@pytest.mark.parametrize("turns", (1, 2, 3))
def test_people_who_lie_or_stand_on_their_heads(turns, editor, studio, weights, tmp_path):
    photo = read_image(ROOT / "app/examples/people/person-1.png")
    points = editor.analyze(photo).pose[:, :2]
    for turn in range(turns):  # counterclockwise
        width = photo.shape[1] if turn % 2 == 0 else photo.shape[0]
        points = np.stack([points[:, 1], width - points[:, 0]], 1)
    write_image(tmp_path / "turned.png", np.ascontiguousarray(np.rot90(photo, turns)))
    line = ["analyze", tmp_path / "turned.png", "--out", tmp_path / "seen", "--weights", weights, "--device", "cpu"]
    assert cli.main([*map(str, line)]) == 0
    found = [json.loads((tmp_path / "seen/turned/pose.json").read_text())["keypoints"]]
    program, page = Session(), Session()
    data = (tmp_path / "turned.png").read_bytes()
    found.append(Programs(studio).open_file(program, Upload(str(sent(data))))["keypoints"])
    found.append(run(studio.open_upload(page, sent(data), BUILT_IN, BUILT_IN))["pose"]["pose"]["rows"])
    for session in (program, page):
        session.close()
    for keypoints in found:
        off = [np.hypot(*(np.array(row[:2]) - points[n])) for n, row in enumerate(keypoints) if row is not None]
        assert len(off) >= 16 and np.nanmax(off) < 0.02 * max(photo.shape)
