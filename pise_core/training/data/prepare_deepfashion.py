"""DeepFashion's In-shop pictures with the lists of PATN, which the paper trains and tests on, become a folder.

Pictures come 256x256 (40 columns more on either side of the lists' 176) or cut to 176x256, and their files are copied
as they are.

Written: ``images/NAME.jpg``, ``parsing/NAME.png`` and ``samples.json`` as for street photos (see ``prepare``), further
``pairs.json`` (``{"train": [[from, to], ...], "test": [...]}``) and ``dataset.json``: the order of regions
(``labels``), the poses of pictures that have too few joints to be samples but may be in pairs (``few_joints``, like
``samples.json``), and the pairs that were left out, since a picture of theirs has hardly a joint (``left_out``).
"""

import io
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from pise_core.errors import InputError
from pise_core.files import write_file
from pise_core.parsing_files import read_labels, read_parsing
from pise_core.pose import empty_pose, to_rows, visible
from pise_core.training.data import prepared_folder
from pise_core.training.data.deepfashion_files import MAPS, Files
from pise_core.training.data.deepfashion_lists import SPLITS, Split, first_few
from pise_core.training.data.label_tables import LabelTable

_log = logging.getLogger(__name__)

HEIGHT, WIDTH, WIDE = 256, 176, 256
#: White columns on either side of the wide pictures.
MARGIN = (WIDE - WIDTH) // 2
#: With fewer joints a picture is no sample, and nothing can be carried from it or to it part by part.
FEWEST_JOINTS = 6
#: With fewer than these there is no pose to go to; no pair of the published lists has such a picture.
FEWEST_IN_PAIRS = 2


class Written(NamedTuple):
    """What became of one split. Poses are rows, as ``pose.to_rows`` has them."""

    pairs: list[tuple[str, str]]
    left_out: list[tuple[str, str]]  # pairs with a picture of fewer than FEWEST_IN_PAIRS joints
    samples: dict[str, list]
    few_joints: dict[str, list]  # pictures with fewer than FEWEST_JOINTS


def make_maps(archive: Files, names: Iterable[str], maps: Path, labels: Callable[[np.ndarray], np.ndarray]) -> int:
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
    there, made = Files(maps, MAPS, needed=False), 0
    for name in names:
        if name in there or name not in archive:
            continue
        picture = cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            raise InputError(f"{name}.jpg in {archive.source} is not a picture")
        _, data = cv2.imencode(".png", labels(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)))
        write_file(maps / f"{name}.png", data.tobytes())
        made += 1
        if made % 100 == 0:
            _log.info("%d maps made", made)
    return made


def prepare(archive: Files, found: dict[str, Split], maps: Files, table: LabelTable, out: Path) -> dict[str, Written]:
    """Write the folder that is described above.

    Args:
        archive: of the pictures.
        found: the splits to prepare, by name; the other is left empty.
        maps: a parser's label maps: PNG of one channel or with a palette, named as the pictures are, flattened or not.
        table: how its labels merge.
        out: folder to write.

    Raises:
        InputError: if anything that the lists name is missing (all names go to ``out/missing.txt``, and nothing else is
            written), or no pair of a split can be kept; if a file is damaged or does not fit, and what ``out`` held
            before is no longer valid then.
    """
    written = {split: _sorted_out(split, found.get(split, Split({}, []))) for split in SPLITS}
    names = [name for split in found.values() for name in split.joints]
    missing = [f"picture {name}.jpg" for name in names if name not in archive]
    missing += [f"map {name}.png" for name in names if name not in maps]
    out.mkdir(parents=True, exist_ok=True)
    if missing:
        write_file(out / "missing.txt", "\n".join(missing) + "\n")
        raise InputError(f"{len(missing)} files are missing, listed in {out / 'missing.txt'}: {first_few(missing)}")
    (out / "missing.txt").unlink(missing_ok=True)
    prepared_folder.begin(out)
    for split, content in found.items():
        for name, joints in content.joints.items():
            size = _copy(archive, name, out / "images" / f"{name}.jpg")
            _merge(maps, name, size, table, out / "parsing" / f"{name}.png")
            pose = _pose(joints, size[0])
            enough = visible(pose).sum() >= FEWEST_JOINTS
            (written[split].samples if enough else written[split].few_joints)[name] = to_rows(pose)
    samples, pairs, few_joints, left_out = (
        {split: getattr(written[split], kind) for split in SPLITS}
        for kind in ("samples", "pairs", "few_joints", "left_out")
    )
    dataset = {"labels": table.order, "few_joints": few_joints, "left_out": left_out}
    prepared_folder.finish(out, {"samples.json": samples, "pairs.json": pairs, "dataset.json": dataset})
    return written


def _sorted_out(split: str, content: Split) -> Written:
    """Pairs between two poses, and the others; no picture yet."""
    posed = {name for name, joints in content.joints.items() if (joints >= 0).all(1).sum() >= FEWEST_IN_PAIRS}
    done = Written([], [], {}, {})
    for pair in content.pairs:
        (done.pairs if posed.issuperset(pair) else done.left_out).append(pair)
    if done.left_out and not done.pairs:
        raise InputError(
            f"every pair of the split {split!r} has a picture with fewer than {FEWEST_IN_PAIRS} joints: "
            f"{first_few([' to '.join(pair) for pair in done.left_out])}"
        )
    return done


def _copy(archive: Files, name: str, path: Path) -> tuple[int, int]:
    """Copy a picture; its (W, H)."""
    data = archive.read(name)
    size = _decoded(data, f"{name}.jpg in {archive.source}").size
    if size not in ((WIDE, HEIGHT), (WIDTH, HEIGHT)):
        raise InputError(
            f"{name}.jpg is {size[0]}x{size[1]}; the lists are for pictures of {WIDE}x{HEIGHT} (img, not "
            f"img_highres) or their {WIDTH} middle columns"
        )
    write_file(path, data)
    return size


def _decoded(data: bytes, name: str, formats: tuple[str, ...] | None = None) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(data), formats=formats)
        image.load()
    except Exception as error:  # damaged data makes decoders raise anything
        raise InputError(f"{name} is not a picture, or damaged ({error})") from None
    return image


def _merge(maps: Files, name: str, size: tuple[int, int], table: LabelTable, path: Path) -> None:
    """Write the regions of a map of labels; where only one of map and picture has the margins, they are made even."""
    try:
        regions = read_parsing(maps.read(name)) if table.plain else table.merge(read_labels(maps.read(name)))
    except InputError as error:
        raise InputError(f"{name}.png in {maps.source} {str(error).removeprefix('the picture ')}") from None
    if regions.shape == (HEIGHT, WIDTH) and size[0] == WIDE:
        regions = np.pad(regions, ((0, 0), (MARGIN, MARGIN)))
    elif regions.shape == (HEIGHT, WIDE) and size[0] == WIDTH:
        regions = regions[:, MARGIN:-MARGIN]
    if regions.shape != size[::-1]:
        raise InputError(f"{name}.png is {regions.shape[1]}x{regions.shape[0]}, its picture {size[0]}x{size[1]}")
    write_file(path, cv2.imencode(".png", regions)[1].tobytes())


def _pose(joints: np.ndarray, width: int) -> np.ndarray:
    """(18, 2) of the lists -> (18, 3) in pixels of a picture of that width, pixel centres at +0.5."""
    pose = empty_pose()
    there = (joints >= 0).all(1)
    pose[there, :2] = joints[there] + 0.5
    pose[there, 0] += (width - WIDTH) / 2
    pose[there, 2] = 1
    return pose
