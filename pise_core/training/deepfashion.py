"""DeepFashion's In-shop pictures with the lists of PATN, which the paper trains and tests on.

The lists name pictures by a flattened path: ``img/WOMEN/Blouses_Shirts/id_00000001/02_1_front.jpg`` is
``fashionWOMENBlouses_Shirtsid0000000102_1front.jpg``. Some write ``fasion``; both are read, ``fashion`` is written.
Joints are whole pixels of the 176 middle columns, -1 where missing; pictures come 256x256 (40 columns more on either
side) or cut to 176x256, and their files are copied as they are.

Written: ``images/NAME.jpg``, ``parsing/NAME.png`` and ``samples.json`` as for street photos (see ``prepare``), further
``pairs.json`` (``{"train": [[from, to], ...], "test": [...]}``) and ``dataset.json`` (the order of regions, and which
pictures have too few joints to be samples).
"""

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from pise_core.errors import InputError
from pise_core.pose import JOINT_COUNT, empty_pose, to_rows, visible
from pise_core.training.label_tables import LabelTable

SPLITS = ("train", "test")
HEIGHT, WIDTH, WIDE = 256, 176, 256
#: White columns on either side of the wide pictures.
MARGIN = (WIDE - WIDTH) // 2
#: With fewer joints nobody can be told from the pose; no pair of the published lists has such a picture.
_FEWEST_JOINTS = 6
#: So many names fit into one line.
_NAMES_SHOWN = 8


def flat_name(path: str) -> str | None:
    """The lists' name, without ``.jpg``, of a picture of the archive or of a flattened copy; None for other files."""
    parts = PurePosixPath(path.replace("\\", "/"))
    if parts.suffix.lower() != ".jpg":
        return None
    if re.fullmatch(r"fash?ion(WO)?MEN[\w-]+\.jpg", parts.name, re.IGNORECASE):
        return _one_spelling(parts.name)
    found = re.search(r"(?:^|/)((?:WO)?MEN)/([^/]+)/id_(\d+)/(\d+)_(\d+)_([^/]+)\.jpg$", str(parts), re.IGNORECASE)
    if found is None:
        return None
    people, category, person, outfit, view, kind = found.groups()
    return f"fashion{people}{category}id{person}{outfit}_{view}{kind.replace('_', '')}"


def _one_spelling(name: str) -> str:
    name = name.strip()
    name = name[:-4] if name.lower().endswith(".jpg") else name
    return "fashion" + name.removeprefix("fasion") if name.startswith("fasion") else name


class Archive:
    """The pictures of a folder or a zip file, by their flattened names.

    Raises:
        InputError: if there is nothing, or no picture in it is named as DeepFashion's are.
    """

    def __init__(self, source: Path):
        self.source = source
        if source.is_dir():
            self._zip = None
            paths: Iterable[str] = (path.relative_to(source).as_posix() for path in source.rglob("*.jpg"))
            # A folder of one part only (img/WOMEN, say) still tells by its own name what is below it.
            named = ((path, flat_name(f"{source.resolve().name}/{path}")) for path in paths)
        else:
            try:
                self._zip = zipfile.ZipFile(source)
            except FileNotFoundError:
                raise InputError(f"there is no folder or file {source}") from None
            except (OSError, zipfile.BadZipFile):
                raise InputError(f"{source} is neither a folder nor a zip file") from None
            named = ((path, flat_name(path)) for path in self._zip.namelist())
        self._paths = {name: path for path, name in named if name is not None}
        if not self._paths:
            raise InputError(f"{source} holds no picture like img/WOMEN/Dresses/id_00000001/02_1_front.jpg")

    def __contains__(self, name: str) -> bool:
        return name in self._paths

    def read(self, name: str) -> bytes:
        """The picture's file, byte for byte."""
        path = self._paths[name]
        return (self.source / path).read_bytes() if self._zip is None else self._zip.read(path)


class Split(NamedTuple):
    """One split of the lists; names without ``.jpg``."""

    joints: dict[str, np.ndarray]  # (18, 2) int: x, y in the 176 middle columns; -1 where missing
    pairs: list[tuple[str, str]]


def read_split(folder: Path, split: str) -> Split:
    """The annotation and the pairs of one split.

    Raises:
        InputError: if a list is missing or damaged, or a picture of a pair has no joints listed.
    """
    annotation, pairs = (_list_file(folder, kind, split) for kind in ("annotation", "pairs"))
    joints = {}
    for number, row in enumerate(_rows(annotation, ":", ("name", "keypoints_y", "keypoints_x")), 2):
        try:
            y, x = (np.array(json.loads(row[column])) for column in ("keypoints_y", "keypoints_x"))
            points = np.stack([x, y], 1)
            if points.shape != (JOINT_COUNT, 2) or points.dtype.kind != "i":
                raise ValueError
        except (ValueError, TypeError):
            raise InputError(f"{annotation.name}, line {number}: expected two lists of 18 whole numbers") from None
        joints[_one_spelling(row["name"])] = points
    listed = [(_one_spelling(row["from"]), _one_spelling(row["to"])) for row in _rows(pairs, ",", ("from", "to"))]
    unknown = sorted({name for pair in listed for name in pair} - joints.keys())
    if unknown:
        raise InputError(f"{pairs.name} has pairs of pictures that {annotation.name} lacks: {first_few(unknown)}")
    return Split(joints, listed)


def _list_file(folder: Path, kind: str, split: str) -> Path:
    """``fashion-resize-pairs-test.csv``, in the spellings that are about."""
    names = [f"{word}{middle}-{kind}-{split}.csv" for word in ("fashion", "fasion") for middle in ("-resize", "")]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise InputError(f"{folder / names[0]} is missing (or {', '.join(names[1:])}); --split leaves a split out")


def _rows(path: Path, delimiter: str, columns: Sequence[str]) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, delimiter=delimiter)
        if not set(columns) <= set(reader.fieldnames or ()):
            raise InputError(f"{path.name} does not begin with the line {delimiter.join(columns)}")
        rows = list(reader)
    for number, row in enumerate(rows, 2):
        names = [row[column] for column in columns if not column.startswith("keypoints")]
        if not all(re.fullmatch(r"fash?ion[\w-]+\.jpg", name or "") for name in names):
            raise InputError(f"{path.name}, line {number}: expected names like fashionMENPantsid0000161101_1front.jpg")
    return rows


def make_maps(archive: Archive, names: Iterable[str], maps: Path, labels: Callable[[np.ndarray], np.ndarray]) -> int:
    """Let a parser make the maps that aren't there yet; may be interrupted and called again.

    Args:
        archive: of the pictures; those that it lacks are passed over.
        names: of all pictures.
        maps: folder to complete; made where it isn't there.
        labels: the parser: (H, W, 3) uint8 RGB -> (H, W) uint8.

    Returns:
        How many were made.
    """
    maps.mkdir(parents=True, exist_ok=True)
    there, made = _maps_in(maps), 0
    for name in names:
        if name in there or name not in archive:
            continue
        picture = cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            raise InputError(f"{name}.jpg in {archive.source} is not a picture")
        _, data = cv2.imencode(".png", labels(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)))
        # Never half a file under its name, whenever the run is interrupted.
        unfinished = maps / f"{name}.part"
        unfinished.write_bytes(data.tobytes())
        unfinished.replace(maps / f"{name}.png")
        made += 1
        if made % 100 == 0:
            print(f"{made} maps made", flush=True)
    return made


def _maps_in(folder: Path) -> dict[str | None, Path]:
    return {flat_name(str(p.relative_to(folder).with_suffix(".jpg"))): p for p in sorted(folder.rglob("*.png"))}


def prepare(archive: Archive, found: dict[str, Split], maps: Path, table: LabelTable, out: Path) -> dict[str, int]:
    """Write the folder that is described above.

    Args:
        archive: of the pictures.
        found: the splits to prepare, by name; the other is left empty.
        maps: folder of a parser's label maps: PNG of one channel, named as the pictures are, flattened or not.
        table: how its labels merge.
        out: folder to write.

    Returns:
        Split -> number of pairs.

    Raises:
        InputError: if anything that the lists name is missing (all names go to ``out/missing.txt``) or does not fit.
            Nothing else is written then.
    """
    names = [name for split in found.values() for name in split.joints]
    by_name = _maps_in(maps)
    missing = [f"picture {name}.jpg" for name in names if name not in archive]
    missing += [f"map {name}.png" for name in names if name not in by_name]
    out.mkdir(parents=True, exist_ok=True)
    if missing:
        (out / "missing.txt").write_text("\n".join(missing) + "\n")
        raise InputError(f"{len(missing)} files are missing, listed in {out / 'missing.txt'}: {first_few(missing)}")
    (out / "missing.txt").unlink(missing_ok=True)
    for folder in ("images", "parsing"):
        (out / folder).mkdir(exist_ok=True)
    samples: dict[str, dict[str, list]] = {split: {} for split in SPLITS}
    left_out: dict[str, list[str]] = {split: [] for split in SPLITS}
    for split, content in found.items():
        for name, joints in content.joints.items():
            size = _copy(archive, name, out / "images" / f"{name}.jpg")
            _merge(by_name[name], size, table, out / "parsing" / f"{name}.png")
            pose = _pose(joints, size[0])
            if visible(pose).sum() < _FEWEST_JOINTS:
                left_out[split].append(name)
            else:
                samples[split][name] = to_rows(pose)
    pairs = {split: found[split].pairs if split in found else [] for split in SPLITS}
    for file, content in (
        ("samples.json", samples),
        ("pairs.json", pairs),
        ("dataset.json", {"labels": table.order, "too_few_joints": left_out}),
    ):
        (out / file).write_text(json.dumps(content))
    return {split: len(content) for split, content in pairs.items()}


def _copy(archive: Archive, name: str, path: Path) -> tuple[int, int]:
    """Copy a picture; its (W, H)."""
    data = archive.read(name)
    try:
        size = Image.open(io.BytesIO(data)).size
    except (UnidentifiedImageError, OSError):
        raise InputError(f"{name}.jpg in {archive.source} is not a picture") from None
    if size not in ((WIDE, HEIGHT), (WIDTH, HEIGHT)):
        raise InputError(
            f"{name}.jpg is {size[0]}x{size[1]}; the lists are for pictures of {WIDE}x{HEIGHT} (img, not "
            f"img_highres) or their {WIDTH} middle columns"
        )
    path.write_bytes(data)
    return size


def _merge(source: Path, size: tuple[int, int], table: LabelTable, path: Path) -> None:
    """Write the regions of a map of labels; where only one of map and picture has the margins, they are made even."""
    labels = cv2.imread(str(source), cv2.IMREAD_UNCHANGED)
    if labels is None:
        raise InputError(f"{source} is not a picture")
    try:
        regions = table.merge(labels)
    except InputError as error:
        raise InputError(f"{source.name}: {error}") from None
    if regions.shape == (HEIGHT, WIDTH) and size[0] == WIDE:
        regions = np.pad(regions, ((0, 0), (MARGIN, MARGIN)))
    elif regions.shape == (HEIGHT, WIDE) and size[0] == WIDTH:
        regions = regions[:, MARGIN:-MARGIN]
    if regions.shape != size[::-1]:
        raise InputError(f"{source.name} is {labels.shape[1]}x{labels.shape[0]}, its picture {size[0]}x{size[1]}")
    cv2.imwrite(str(path), regions)


def _pose(joints: np.ndarray, width: int) -> np.ndarray:
    """(18, 2) of the lists -> (18, 3) in pixels of a picture of that width, pixel centres at +0.5."""
    pose = empty_pose()
    there = (joints >= 0).all(1)
    pose[there, :2] = joints[there] + 0.5
    pose[there, 0] += (width - WIDTH) / 2
    pose[there, 2] = 1
    return pose


def first_few(names: Sequence[str]) -> str:
    """Names for a message of one line."""
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
