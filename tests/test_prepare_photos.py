"""Any folder of photos becomes samples; the street data set needs nothing but its public clone."""

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.io

from pise_core.cli.main import main
from pise_core.errors import InputError
from pise_core.images import write_image
from pise_core.label_sets import LABEL_SETS
from pise_core.pose import to_rows, visible
from pise_core.regions import REGION
from pise_core.training.data.prepared_folder import load_samples
from pise_core.training.data.street_photos import SHIPPED_LISTS, StreetPhotos
from tests.conftest import draw_person
from tests.test_training import TAGS

SHARED = os.environ.get("PISE_SHARED_DATA")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two drawn people, a wall without anybody, and a file that is no photo."""
    folder = tmp_path_factory.mktemp("own photos")
    for name, shirt in (("ann", (190, 60, 50)), ("bob", (60, 150, 70))):
        write_image(folder / f"{name}.png", draw_person(shirt=shirt).photo)
    write_image(folder / "wall.jpg", np.full((330, 220, 3), 200, np.uint8))
    (folder / "notes.txt").write_text("not a photo")
    return folder


def run(*arguments) -> int:
    return main(["prepare", "photos", *map(str, arguments)])


def test_joints_and_regions_of_any_photos_are_found(folder, tmp_path, capsys, person):
    assert run(folder, "--out", tmp_path) == 0
    assert "wall left out: nobody found" in capsys.readouterr().out
    samples = load_samples(tmp_path, "train") + load_samples(tmp_path, "validation")
    assert {sample.name for sample in samples} == {"ann", "bob"}
    for sample in samples:
        assert sample.image.shape[0] == 416
        assert visible(sample.pose).sum() >= 12
        truth = cv2.resize(person.parsing, sample.image.shape[1::-1], interpolation=cv2.INTER_NEAREST)
        assert sample.parsing is not None
        assert ((sample.parsing > 0) == (truth > 0)).mean() > 0.9


def test_joints_and_maps_of_one_s_own_go_first(folder, tmp_path, person, capsys):
    joints, maps = tmp_path / "joints.json", tmp_path / "maps"
    joints.write_text(json.dumps({"ann": to_rows(person.pose), "bob": None}))
    maps.mkdir()
    hair = int(np.flatnonzero(LABEL_SETS["cihp"] == REGION["hair"])[-1])
    cv2.imwrite(str(maps / "ann.png"), np.where(person.parsing > 0, hair, 0).astype(np.uint8))
    out = tmp_path / "out"
    assert run(folder, "--out", out, "--joints", joints, "--maps", maps, "--table", "cihp-studio") == 0
    assert "bob left out: nobody found" in capsys.readouterr().out
    (sample,) = load_samples(out, "validation")
    scale = sample.image.shape[0] / person.photo.shape[0]
    assert np.allclose(sample.pose[:, :2], person.pose[:, :2] * scale, atol=0.3)
    assert sample.parsing is not None
    assert set(np.unique(sample.parsing)) == {0, REGION["hair"]}


def test_joints_may_be_files_of_any_format(folder, tmp_path, person):
    joints = tmp_path / "joints"
    joints.mkdir()
    (joints / "ann.json").write_text(json.dumps({"people": [{"pose_keypoints_2d": person.pose.ravel().tolist()}]}))
    assert run(folder, "--out", tmp_path / "out", "--joints", joints, "--limit", 1) == 0
    (sample,) = load_samples(tmp_path / "out", "validation")
    scale = sample.image.shape[0] / person.photo.shape[0]
    assert np.allclose(sample.pose[:, :2], person.pose[:, :2] * scale, atol=0.5)


def test_the_test_photos_are_every_tenth_or_those_that_are_named(tmp_path):
    from pise_core.training.data.prepare_photos import _split

    names = [f"{i:02d}" for i in range(21)]
    assert _split(names, None)["test"] == ["00", "10", "20"]
    file = tmp_path / "split.json"
    file.write_text(json.dumps({"train": ["03"], "test": ["04", "05"]}))
    assert _split(names, file) == {"train": ["03"], "test": ["04", "05"]}
    file.write_text(json.dumps({"train": ["03"], "test": ["99"]}))
    with pytest.raises(InputError, match="not in the folder: 99"):
        _split(names, file)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--table", "cihp-studio"], "give the --maps"),
        (["--maps", ".", "--table", "cihp-pgn"], "in the order 'pgn'"),
        (["--joints", "nowhere.json"], "can't be read as joints"),
        (["--joints", "x", "--detector", "openpose"], "leave one of them out"),
        (["--lists", "."], "prepare photos doesn't take --lists"),
        (["--split-file", "nowhere.json"], "is no split"),
    ],
)
def test_mistakes_get_one_line(folder, tmp_path, arguments, message, capsys):
    assert run(folder, "--out", tmp_path / "out", *arguments) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def write_clone(folder: Path, names: list[str]) -> Path:
    """A public clone of the street photos with some photos only: no joints, no split. Real ones where the variable
    PISE_SHARED_DATA names a folder that holds them, else drawn people of the sizes of those."""
    real = None if SHARED is None else Path(SHARED) / "clothing-co-parsing"
    (folder / "photos").mkdir(parents=True)
    (folder / "annotations/pixel-level").mkdir(parents=True)
    if real is not None:
        (folder / "label_list.mat").symlink_to(real / "label_list.mat")
        for name in names:
            for file in (f"photos/{name}.jpg", f"annotations/pixel-level/{name}.mat"):
                if (real / file).exists():
                    (folder / file).symlink_to(real / file)
        return folder
    labels = np.empty((1, len(TAGS)), object)
    labels[0] = TAGS
    scipy.io.savemat(folder / "label_list.mat", {"label_list": labels})
    given = StreetPhotos(folder)
    for index, name in enumerate(names):
        width, height = given._sizes[name]
        drawn = draw_person(width, height, shirt=(40 + 30 * index % 210, 60, 200 - 30 * index % 200))
        write_image(folder / "photos" / f"{name}.jpg", drawn.photo)
        tags = np.where(drawn.parsing > 0, TAGS.index("shirt"), TAGS.index("null"))
        tags[np.isin(drawn.parsing, [REGION["face"], REGION["upper_skin"]])] = TAGS.index("skin")
        scipy.io.savemat(folder / "annotations/pixel-level" / f"{name}.mat", {"groundtruth": tags.astype(np.uint8)})
    return folder


def test_the_shipped_lists_are_whole():
    split = json.loads((SHIPPED_LISTS / "split.json").read_text())
    assert {part: len(names) for part, names in split.items()} == {"train": 1800, "test": 100}
    names = [name for part in split.values() for name in part]
    assert len(set(names)) == 1900
    assert sum(path.stat().st_size for path in SHIPPED_LISTS.iterdir()) < 500_000
    assert "Apache-2.0" in (SHIPPED_LISTS / "README.md").read_text()


@pytest.mark.skipif(SHARED is None, reason="PISE_SHARED_DATA is not set: no joints to compare with")
def test_the_shipped_joints_are_those_that_were_found(tmp_path):
    given = Path(str(SHARED)) / "clothing-co-parsing"
    shipped = StreetPhotos(write_clone(tmp_path, []))
    found = StreetPhotos(given)
    assert shipped.split == found.split
    for name in (name for part in found.split.values() for name in part):
        one, other = shipped.pose(name), found.pose(name)
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert np.array_equal(one, other, equal_nan=True)


def test_a_public_clone_is_prepared_as_it_is(tmp_path):
    split = json.loads((SHIPPED_LISTS / "split.json").read_text())
    names = split["train"][:3] + split["test"][:2]
    clone = write_clone(tmp_path / "clone", names)
    assert main(["prepare", str(clone), "--out", str(tmp_path / "out"), "--limit", "3"]) == 2  # a third test photo
    write_clone(tmp_path / "more", split["train"][:2] + split["test"][:2])
    assert main(["prepare", str(tmp_path / "more"), "--out", str(tmp_path / "out"), "--limit", "2"]) == 0
    assert [s.name for s in load_samples(tmp_path / "out", "validation")] == split["train"][:1]
    assert [s.name for s in load_samples(tmp_path / "out", "test")] == split["test"][:2]
    sample = load_samples(tmp_path / "out", "train")[0]
    assert sample.parsing is not None and visible(sample.pose).sum() >= 6


def test_photos_of_another_size_than_the_joints_are_refused(tmp_path):
    split = json.loads((SHIPPED_LISTS / "split.json").read_text())
    clone = write_clone(tmp_path / "clone", split["train"][:1])
    path = clone / "photos" / f"{split['train'][0]}.jpg"
    path.unlink()
    write_image(path, np.zeros((64, 48, 3), np.uint8))
    with pytest.raises(InputError, match="is 48x64, and its joints were found in"):
        StreetPhotos(clone).photo(split["train"][0])
    (clone / "keypoints.json").write_text("{}")
    assert StreetPhotos(clone).photo(split["train"][0]).shape == (64, 48, 3)
