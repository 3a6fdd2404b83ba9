"""Rendered pairs on disk: what ``synthesize people`` writes, and how to read it. Needs numpy alone.

A folder holds ``format.json`` and shards ``shard-00000``, ``shard-00001``, ... of ``SHARD_PAIRS`` people each (the last
one may hold fewer). A person has two pictures, the *source* (0) and the *target* (1). With n people in a shard and
pictures of H x W, a shard holds these arrays as ``.npy`` files, which are mapped and not read, so that opening is
instant and any pair can be had at once:

========== ==================== ========================================================================================
file       array                content
========== ==================== ========================================================================================
image      (n, 2, H, W, 3) u8   RGB, as a camera would have stored it: light, shadows, blur, noise, JPEG
joints     (n, 2, 18, 3) f32    x, y, score in pixels of the picture (pixel centres at +0.5), as ``skeleton.JOINTS``;
                                score 1: seen, 0.5: hidden behind something; ``nan, nan, 0``: outside the picture
regions    (n, 2, H, W) u8      ``regions.REGIONS``; what the person holds is background (0)
held       (n, 2, H, W) u8      1 where a bag, a bottle or another thing that is carried is seen, else 0
alpha      (n, 2, H, W) u8      the person's share of the pixel with all that is worn and held, 0..255
depth      (n, 2, H, W) u16     distance from the camera's plane in millimetres; 0 where nobody is
layers     (n, 2, H, W) u8      index into ``LAYERS`` of what is nearest; 0 where nobody is
order      (n, 2, 64) u8        the indices of the layers in the picture, back to front, then zeros
========== ==================== ========================================================================================

and ``people.json``, a list of n descriptions (``index``, garments, poses, views). Where the command was run with
``--layers``, ``stacks/IIIIIII-P.npz`` (person's index, picture 0 or 1) lies beside the shards:
``colours`` (L, H, W, 4) u8, RGB and alpha of each layer *without what covers it*, in the order of ``order``, and
``background`` (H, W, 3) u8; all before blur, noise and JPEG. Laid over one another with straight alpha they give
``clean`` (H, W, 3) u8, but for seams and for what goes through something else; layers reach a little below their
neighbours, so that no slit opens when one of them is moved.

Each person depends on (seed, index) alone: the same command writes the same bytes, in one process or in many.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pise_core.errors import InputError
from pise_core.files import making, replacing, write_file

SHARD_PAIRS = 50
#: Layers at most in one picture.
MAX_LAYERS = 64
_VERSION = 1

#: Pieces of the body that move on their own.
SEGMENTS = (
    "head", "torso",
    "right_upper_arm", "right_forearm", "right_hand", "left_upper_arm", "left_forearm", "left_hand",
    "right_thigh", "right_shin", "right_foot", "left_thigh", "left_shin", "left_foot",
)  # fmt: skip
#: What lies on them, from the skin outwards.
KINDS = (
    "skin", "hair", "glasses", "tights", "shoes", "trousers", "skirt", "top", "dress", "outerwear", "headwear", "held",
)  # fmt: skip
#: ``background``, then ``kind/segment``: a sleeve's lower half is ``top/left_forearm``, a skirt ``skirt/torso``.
LAYERS = ("background", *(f"{kind}/{segment}" for kind in KINDS for segment in SEGMENTS))
LAYER = {name: index for index, name in enumerate(LAYERS)}

_ARRAYS = {
    "image": "|u1",
    "joints": "<f4",
    "regions": "|u1",
    "held": "|u1",
    "alpha": "|u1",
    "depth": "<u2",
    "layers": "|u1",
    "order": "|u1",
}


@dataclass(frozen=True)
class Picture:
    """One rendered picture; arrays as in the module's table, without the first two axes. Don't write to them."""

    image: np.ndarray
    joints: np.ndarray
    regions: np.ndarray
    held: np.ndarray
    alpha: np.ndarray
    depth: np.ndarray
    layers: np.ndarray
    order: np.ndarray


@dataclass(frozen=True)
class Pair:
    """The same person twice. ``about`` describes them: ``index``, ``garments``, ``poses`` and ``views``."""

    source: Picture
    target: Picture
    about: dict[str, Any]


@dataclass(frozen=True)
class Stack:
    """A picture taken apart, before blur, noise and JPEG.

    Attributes:
        names: of the layers, back to front (names of ``LAYERS``).
        colours: (L, H, W, 4) uint8, RGB and straight alpha of each layer without what covers it.
        background: (H, W, 3) uint8, with the person's shadow.
        clean: (H, W, 3) uint8, the picture.
    """

    names: tuple[str, ...]
    colours: np.ndarray
    background: np.ndarray
    clean: np.ndarray


class People:
    """The pairs of a folder that ``synthesize people`` wrote, or is still writing: finished shards count.

    Raises:
        InputError: if the folder holds no such pairs, or is of another version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        try:
            settings = json.loads((self.folder / "format.json").read_text())
        except (OSError, ValueError):
            raise InputError(
                f"{self.folder} holds no rendered people; make some: "
                f"python -m pise_core synthesize people --count 200 --out {self.folder} --seed 0"
            ) from None
        if settings["version"] != _VERSION:
            raise InputError(f"{self.folder} was written in format {settings['version']}, this reads {_VERSION}")
        #: (H, W) of the pictures.
        self.size: tuple[int, int] = tuple(settings["size"])
        self._shards = [Shard(path) for path in sorted(self.folder.glob("shard-?????"))]
        self._starts = np.cumsum([0, *(len(shard) for shard in self._shards)])
        if not len(self):
            raise InputError(f"{self.folder} holds no finished shard yet; run synthesize people again")

    def __len__(self) -> int:
        """How many people, each with two pictures."""
        return int(self._starts[-1])

    def __getitem__(self, number: int) -> Pair:
        """A pair by its place in the folder, 0 to ``len(self) - 1``."""
        if not 0 <= number < len(self):
            raise IndexError(number)
        shard = int(np.searchsorted(self._starts, number, side="right")) - 1
        return self._shards[shard][number - int(self._starts[shard])]

    def about(self, number: int) -> dict[str, Any]:
        """What was drawn for a pair, without its pictures."""
        shard = int(np.searchsorted(self._starts, number, side="right")) - 1
        return self._shards[shard].about(number - int(self._starts[shard]))

    def picture(self, number: int) -> Picture:
        """A picture by its number: 2 i is person i's source, 2 i + 1 their target; 0 to ``2 * len(self) - 1``."""
        pair = self[number // 2]
        return pair.target if number % 2 else pair.source

    def pairs(self, rng: np.random.Generator) -> Iterator[Pair]:
        """Pairs drawn at random for ever; half of them the other way round (target as source)."""
        while True:
            pair = self[int(rng.integers(len(self)))]
            yield Pair(pair.target, pair.source, pair.about) if rng.random() < 0.5 else pair

    def stack(self, number: int) -> Stack:
        """The layers of the picture ``number`` (as in ``picture``).

        Raises:
            InputError: if the folder was written without ``--layers``.
        """
        path = stack_path(self.folder, self[number // 2].about["index"], number % 2)
        if not path.exists():
            raise InputError(f"{self.folder} was written without layers; run synthesize people with --layers")
        with np.load(path) as arrays:
            order = arrays["order"]
            return Stack(tuple(LAYERS[i] for i in order), arrays["colours"], arrays["background"], arrays["clean"])


class Shard:
    """One shard: arrays that are mapped when first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._about = json.loads((folder / "people.json").read_text())
        self._arrays: dict[str, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self._about)

    def about(self, row: int) -> dict[str, Any]:
        """What was drawn for a pair."""
        return self._about[row]

    def __getitem__(self, row: int) -> Pair:
        if not self._arrays:
            self._arrays = {name: np.load(self.folder / f"{name}.npy", mmap_mode="r") for name in _ARRAYS}
        source, target = (
            Picture(**{name: np.asarray(array[row, side]) for name, array in self._arrays.items()}) for side in (0, 1)
        )
        return Pair(source, target, self._about[row])


def stack_path(folder: Path, index: int, side: int) -> Path:
    """Where the layers of a person's source (0) or target (1) lie."""
    return Path(folder) / "stacks" / f"{index:07d}-{side}.npz"


def shard_path(folder: Path, number: int) -> Path:
    return Path(folder) / f"shard-{number:05d}"


def write_format(folder: Path, size: tuple[int, int], settings: dict[str, Any]) -> None:
    """Begin a folder, or go on with one.

    Args:
        folder: made if it is not there.
        size: (H, W) of the pictures.
        settings: whatever else the pictures depend on (the seed, ...).

    Raises:
        InputError: if the folder was begun with other settings: shards of two kinds must not mix.
    """
    text = json.dumps({"version": _VERSION, "size": list(size), **settings}, sort_keys=True) + "\n"
    path = Path(folder) / "format.json"
    Path(folder).mkdir(parents=True, exist_ok=True)
    if path.exists():
        if path.read_text() != text:
            raise InputError(
                f"{folder} was begun with other settings ({path.read_text().strip()}); take another folder"
            )
        return
    write_file(path, text)


def write_shard(folder: Path, number: int, pairs: Sequence[Pair]) -> Path:
    """Write a shard; it appears under its name when it is whole. One that is already there stays."""
    path = shard_path(folder, number)
    if path.exists():
        return path
    try:
        with making(path) as partial:
            for name, dtype in _ARRAYS.items():
                rows = [[getattr(pair.source, name), getattr(pair.target, name)] for pair in pairs]
                np.save(partial / f"{name}.npy", np.asarray(rows, dtype))
            about = json.dumps([pair.about for pair in pairs], sort_keys=True) + "\n"
            (partial / "people.json").write_text(about)
    except InputError:  # another process was faster; its shard is the same
        if not path.exists():
            raise
    return path


def write_stack(folder: Path, index: int, side: int, stack: Stack) -> None:
    """Write the layers of one picture."""
    path = stack_path(folder, index, side)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial, partial.open("wb") as file:
        np.savez_compressed(
            file,
            order=np.array([LAYER[name] for name in stack.names], np.uint8),
            colours=stack.colours,
            background=stack.background,
            clean=stack.clean,
        )


def sheet(folder: Path, columns: int = 16, rows: int = 4) -> np.ndarray:
    """(H, W, 3) uint8: the first pictures of a data set, beside one another."""
    people = People(folder)
    count = min(columns * rows, 2 * len(people))
    blank = np.full((*people.size, 3), 255, np.uint8)
    tiles = [people.picture(i).image for i in range(count)] + [blank] * (-count % columns)
    return np.concatenate([np.concatenate(tiles[i : i + columns], 1) for i in range(0, len(tiles), columns)])
