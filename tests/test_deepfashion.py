"""``prepare deepfashion`` on drawn people under the archive's own names, with lists of the real form."""

import json
import os
import zipfile
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
from PIL import Image

from pise_core.cli.main import main
from pise_core.errors import InputError
from pise_core.model.config import LABELS
from pise_core.pose import visible
from pise_core.regions import REGION
from pise_core.skeleton import JOINT
from pise_core.training.data.deepfashion_files import PICTURES as JPG
from pise_core.training.data.deepfashion_files import Files, flat_name
from pise_core.training.data.deepfashion_lists import read_split
from pise_core.training.data.label_tables import TABLES, load_table
from pise_core.training.data.prepare_deepfashion import make_maps
from pise_core.training.data.prepared_folder import load_samples
from tests.conftest import draw_person

SHARED = os.environ.get("PISE_SHARED_DATA")
LISTS = Path(SHARED) / "deepfashion_lists" if SHARED else None

#: A CIHP label for each of our regions.
CIHP = np.array([0, 2, 13, 5, 6, 9, 14, 16], np.uint8)
PICTURES = {
    "train": ["MEN/Denim/id_00000080/01_1_front", "MEN/Denim/id_00000080/01_7_additional"],
    "test": [
        "WOMEN/Blouses_Shirts/id_00000001/02_1_front",
        "WOMEN/Blouses_Shirts/id_00000001/02_3_back",
        "WOMEN/Dresses/id_00000002/02_1_front",
    ],
}
FLAT = {
    "train": ["fashionMENDenimid0000008001_1front", "fashionMENDenimid0000008001_7additional"],
    "test": [
        "fashionWOMENBlouses_Shirtsid0000000102_1front",
        "fashionWOMENBlouses_Shirtsid0000000102_3back",
        "fashionWOMENDressesid0000000202_1front",
    ],
}


class Given(NamedTuple):
    archive: Path
    lists: Path
    maps: Path
    out: Path

    def prepare(self, *more: str, source: Path | None = None) -> int:
        command = ["prepare", "deepfashion", str(source or self.archive), "--lists", str(self.lists)]
        return main([*command, "--maps", str(self.maps), "--out", str(self.out), *more])


def draw_archive(folder: Path, width: int = 256, spelling: str = "fashion") -> Given:
    """Everybody 176 wide in the middle, each elsewhere. The last test picture has no joints, as some of the published
    ones have not."""
    given = Given(folder / "img", folder / "lists", folder / "maps", folder / "out")
    given.lists.mkdir(parents=True)
    given.maps.mkdir()
    margin = (width - 176) // 2
    for split, pictures in PICTURES.items():
        lines = ["name:keypoints_y:keypoints_x"]
        for number, picture in enumerate(pictures):
            box = (30 + 8 * number, 24, 126 + 12 * number, 236 + 4 * number)
            green = 90 if split == "test" else 160
            drawn = draw_person(176, 256, box, shirt=(40 + 60 * number, green, 200 - 50 * number))
            path = given.archive / f"{picture}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            sides = ((0, 0), (margin, margin))
            photo = np.pad(drawn.photo, (*sides, (0, 0)), constant_values=255)
            Image.fromarray(photo).save(path, quality=60 + number, comment=b"kept")
            flat = FLAT[split][number]
            cv2.imwrite(str(given.maps / f"{flat}.png"), CIHP[np.pad(drawn.parsing, sides)])
            x, y = (drawn.pose[:, axis].astype(int).tolist() for axis in (0, 1))
            x[JOINT["left_ear"]] = y[JOINT["left_ear"]] = -1
            if number == 2:
                x = y = [-1] * 18
            lines.append(f"{flat.replace('fashion', spelling)}.jpg:{y}:{x}")
        pairs = [f"{name.replace('fashion', spelling)}.jpg" for name in FLAT[split]]
        (given.lists / f"{spelling}-resize-annotation-{split}.csv").write_text("\n".join(lines) + "\n")
        text = f"from,to\n{pairs[0]},{pairs[1]}\n{pairs[1]},{pairs[0]}\n"
        (given.lists / f"{spelling}-resize-pairs-{split}.csv").write_text(text)
    return given


def keep_joints(given: Given, split: str, number: int, kept: list[str]) -> None:
    """Leave a picture these joints only."""
    path = given.lists / f"fashion-resize-annotation-{split}.csv"
    lines = path.read_text().splitlines()
    name, *rows = lines[number + 1].split(":")
    there = [name in kept for name in JOINT]
    rows = [[v if ok else -1 for v, ok in zip(json.loads(row), there, strict=True)] for row in rows]
    lines[number + 1] = f"{name}:{rows[0]}:{rows[1]}"
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture
def given(tmp_path) -> Given:
    return draw_archive(tmp_path)


def test_names_are_flattened_as_the_lists_do_it():
    for split, pictures in PICTURES.items():
        assert [flat_name(f"img/{picture}.jpg") for picture in pictures] == FLAT[split]
    assert flat_name("fasionWOMENShortsid0000074801_2side.jpg") == "fashionWOMENShortsid0000074801_2side"
    assert (
        flat_name("img\\MEN\\Tees_Tanks\\id_00007301\\04_7_additional.jpg")
        == "fashionMENTees_Tanksid0000730104_7additional"
    )
    assert flat_name("img/MEN/readme.txt") is None
    assert flat_name("img/cover.jpg") is None


@pytest.mark.parametrize(("width", "spelling"), [(256, "fashion"), (176, "fasion")])
def test_pictures_maps_joints_and_pairs(tmp_path, capsys, width, spelling):
    given = draw_archive(tmp_path, width, spelling)
    assert given.prepare() == 0
    said = capsys.readouterr().out
    assert "test: 2 pairs\n  1 pictures have fewer than 6 joints" in said and f": {FLAT['test'][2]}\n" in said
    for split, pictures in PICTURES.items():
        for flat, picture in zip(FLAT[split], pictures, strict=True):
            assert (given.out / "images" / f"{flat}.jpg").read_bytes() == (
                given.archive / f"{picture}.jpg"
            ).read_bytes()
    drawn = draw_person(176, 256, (30, 24, 126, 236), shirt=(40, 90, 200))
    sample = load_samples(given.out, "test")[0]
    assert sample.name == FLAT["test"][0]
    assert sample.image.shape == (256, width, 3)
    assert sample.parsing is not None
    margin = (width - 176) // 2
    assert np.array_equal(sample.parsing[:, margin : margin + 176], drawn.parsing)
    assert (visible(sample.pose) == [name != "left_ear" for name in JOINT]).all()
    nose = np.floor(drawn.pose[JOINT["nose"], :2]) + 0.5
    assert np.array_equal(sample.pose[JOINT["nose"], :2], nose + (margin, 0))
    assert [s.name for s in load_samples(given.out, "test")] == FLAT["test"][:2]
    pairs = json.loads((given.out / "pairs.json").read_text())
    assert pairs == {split: [FLAT[split][:2], FLAT[split][1::-1]] for split in ("train", "test")}
    dataset = json.loads((given.out / "dataset.json").read_text())
    few = {"train": {}, "test": {FLAT["test"][2]: [None] * 18}}
    assert dataset == {"labels": "studio", "few_joints": few, "left_out": {"train": [], "test": []}}


def test_a_zip_file_a_part_of_the_archive_and_flattened_copies_do_too(given, tmp_path):
    with zipfile.ZipFile(tmp_path / "img.zip", "w") as file:
        for path in given.archive.rglob("*.jpg"):
            file.write(path, f"In-shop/img/{path.relative_to(given.archive)}")
    flat = tmp_path / "flat"
    flat.mkdir()
    for path in given.archive.rglob("*.jpg"):
        (flat / f"{flat_name(str(path))}.jpg").write_bytes(path.read_bytes())
    for source in (tmp_path / "img.zip", flat, tmp_path):
        assert given.prepare(source=source) == 0
        assert len(list((given.out / "images").iterdir())) == 5
    (given.lists / "fashion-resize-pairs-train.csv").unlink()
    assert given.prepare("--split", "test", source=given.archive / "WOMEN") == 0
    assert json.loads((given.out / "pairs.json").read_text())["train"] == []


def test_every_missing_file_is_named(given, capsys):
    (given.archive / f"{PICTURES['train'][1]}.jpg").unlink()
    (given.maps / f"{FLAT['test'][0]}.png").unlink()
    assert given.prepare() == 2
    said = capsys.readouterr().err
    assert f"picture {FLAT['train'][1]}.jpg" in said and f"map {FLAT['test'][0]}.png" in said
    assert (given.out / "missing.txt").read_text().count("\n") == 2
    assert not (given.out / "samples.json").exists()


def test_a_parser_makes_the_maps_that_are_missing(given, capsys):
    (given.maps / f"{FLAT['test'][1]}.png").unlink()
    seen = []

    def labels(picture: np.ndarray) -> np.ndarray:
        seen.append(picture)
        return np.full(picture.shape[:2], 4, np.uint8)

    names = [*FLAT["train"], *FLAT["test"], "fashionMENPantsid0000000001_1front"]
    assert make_maps(Files(given.archive, JPG), names, given.maps, labels) == 1
    assert len(seen) == 1
    picture = np.asarray(Image.open(given.archive / f"{PICTURES['test'][1]}.jpg"), np.int16)
    assert np.abs(seen[0] - picture).mean() < 1  # decoders differ in rounding
    assert make_maps(Files(given.archive, JPG), names, given.maps, labels) == 0
    assert given.prepare() == 0
    made = cv2.imread(str(given.out / "parsing" / f"{FLAT['test'][1]}.png"), cv2.IMREAD_UNCHANGED)
    assert (made == TABLES["cihp-studio"].regions[4]).all()
    assert given.prepare("--parse") == 2
    assert "--table cihp-studio merges others" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("fashion-resize-pairs-train.csv", None, "fashion-resize-pairs-train.csv is missing"),
        ("fashion-resize-pairs-test.csv", "a,b\n", "does not begin with the line from,to"),
        ("fashion-resize-pairs-test.csv", "from,to\nfashionX.jpg,../../x.jpg\n", "line 2: expected names like"),
        ("fashion-resize-pairs-test.csv", "from,to\nfashionX.jpg\n", "line 2: expected names like"),
        ("fashion-resize-pairs-test.csv", "from,to\nfashionX.jpg,fashionY.jpg\n", "lacks: fashionX, fashionY"),
        (
            "fashion-resize-annotation-test.csv",
            "name:keypoints_y:keypoints_x\nfashionX.jpg:[1, 2]:[3, 4]\n",
            "line 2: expected two lists of 18 whole numbers",
        ),
    ],
)
def test_damaged_lists_are_reported(given, capsys, file, text, message):
    (given.lists / file).unlink()
    if text is not None:
        (given.lists / file).write_text(text)
    assert given.prepare() == 2
    assert message in capsys.readouterr().err


def test_pictures_and_maps_that_do_not_fit_are_reported(given, capsys):
    path = given.archive / f"{PICTURES['train'][0]}.jpg"
    kept = path.read_bytes()
    Image.new("RGB", (750, 1101)).save(path)
    assert given.prepare() == 2
    assert "is 750x1101; the lists are for pictures of 256x256 (img, not img_highres)" in capsys.readouterr().err
    path.write_bytes(kept)
    cv2.imwrite(str(given.maps / f"{FLAT['train'][0]}.png"), np.full((256, 256), 20, np.uint8))
    assert given.prepare() == 2
    assert f"{FLAT['train'][0]}.png in {given.maps} holds the label 20, the table goes to 19" in capsys.readouterr().err
    assert given.prepare(source=given.lists) == 2
    assert "holds no picture like" in capsys.readouterr().err
    assert main(["prepare", "deepfashion", str(given.archive), "--out", str(given.out)]) == 2
    assert "--lists and --maps" in capsys.readouterr().err


def test_tables_by_name_and_from_a_file(tmp_path):
    assert load_table("cihp-pgn").regions[[2, 5, 6, 9, 13, 15, 17, 18]].tolist() == [1, 2, 3, 3, 5, 6, 7, 4]
    for name, table in TABLES.items():
        assert table.order == name.split("-")[1]
        assert len(table.regions) >= {"regions": 8, "pascal": 7}.get(name.split("-")[0], 18)
    assert load_table("atr-studio").regions[6] == REGION["pants"]
    # For maps that are merged already, in any order.
    assert all(load_table(f"regions-{order}").regions.tolist() == list(range(8)) for order in LABELS)
    own = tmp_path / "own.json"
    own.write_text(json.dumps({"order": "pgn", "regions": [0, 7, 1]}))
    assert load_table(str(own)).merge(np.array([[2, 1, 0]])).tolist() == [[1, 7, 0]]
    for text in ('{"order": "pgn", "regions": [0, 8]}', '{"order": "x", "regions": [0]}', "[]", "{"):
        own.write_text(text)
        with pytest.raises(InputError, match="is no table"):
            load_table(str(own))
    assert load_table("lip") is TABLES["lip-studio"]
    with pytest.raises(InputError, match="cihp-studio"):
        load_table("chip")


@pytest.mark.skipif(LISTS is None, reason="PISE_SHARED_DATA is not set: no published lists")
def test_the_published_lists():
    assert LISTS is not None
    split = read_split(LISTS, "test")
    assert len(split.pairs) == 8570
    assert len(split.joints) == 4038
    # No pair has a picture that is left out for want of joints.
    assert min((split.joints[name][:, 1] >= 0).sum() for pair in split.pairs for name in pair) >= 6
    with pytest.raises(InputError, match="annotation-train.csv is missing"):
        read_split(LISTS, "train")
