"""True pairs of DeepFashion, from the folder that ``prepare deepfashion`` wrote.

Everybody stands in the 176 middle columns of a picture, and these are the frame; what an original picture has beside
them is white margin. The first picture of a pair is the source, the second the target.
"""

import json
from pathlib import Path

import cv2
import numpy as np

from pise_core.errors import InputError
from pise_core.framing import FRAME_SIZE, Framing
from pise_core.model.config import LABELS, PISEConfig
from pise_core.parsing_files import read_parsing
from pise_core.pose import from_rows, visible
from pise_core.regions import REGION_COUNT
from pise_core.training.data.articulation import Framed, Pair
from pise_core.training.data.batches import DROPPED, SILENT, Batch, collate
from pise_core.training.data.deepfashion_lists import SPLITS, first_few
from pise_core.training.data.prepare_deepfashion import FEWEST_JOINTS
from pise_core.warping.parts import assign_parts
from pise_core.warping.warp import Carried, carry


class DeepFashion:
    """A prepared folder; pictures are read when they are asked for.

    Attributes:
        order: of the regions in its maps, a name of ``config.LABELS``.

    Raises:
        InputError: if the folder is not one that ``prepare deepfashion`` wrote.
    """

    def __init__(self, folder: Path):
        self.folder = Path(folder)
        try:
            samples, pairs, dataset = (
                json.loads((self.folder / name).read_text(encoding="utf-8"))
                for name in ("samples.json", "pairs.json", "dataset.json")
            )
            self.order: str = dataset["labels"]
            self._pairs = {split: [(str(source), str(target)) for source, target in pairs[split]] for split in SPLITS}
            poses = {split: {**samples[split], **dataset["few_joints"][split]} for split in SPLITS}
            self._names = {split: list(poses[split]) for split in SPLITS}
            self._poses = poses["train"] | poses["test"]
        except FileNotFoundError as error:
            raise InputError(
                f"{error.filename} is missing; run: python -m pise_core prepare deepfashion ... --out {folder}"
            ) from None
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{folder} is damaged ({error!r}); run prepare deepfashion again") from None
        if self.order not in LABELS:
            raise InputError(f"{folder} holds maps in an order {self.order!r}, which nobody knows; prepare it again")

    def names(self, split: str) -> list[str]:
        """All pictures of a split, also those that are in no pair."""
        return self._names[split]

    def pairs(self, split: str, limit: int | None = None, needed: bool = True) -> list[tuple[str, str]]:
        """(source, target) names, in the order of the list.

        Raises:
            InputError: if there is none though it is ``needed``, or one shows a picture that the folder lacks.
        """
        pairs = self._pairs[split][:limit]
        if needed and not pairs:
            raise InputError(f"{self.folder} holds no pairs of the split {split!r}; prepare that split, too")
        unknown = sorted({name for pair in pairs for name in pair} - self._poses.keys())
        if unknown:
            raise InputError(f"pairs.json names pictures without a pose, prepare again: {first_few(unknown)}")
        return pairs

    def picture(self, name: str, size: tuple[int, int] = FRAME_SIZE, border: int = 255) -> np.ndarray:
        """(H, W, 3) uint8 RGB: the middle columns, in a frame of ``size``; ``border`` is what lies beside them.

        Raises:
            InputError: if the file is gone.
        """
        path = self.folder / "images" / f"{name}.jpg"
        found = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if found is None:
            raise InputError(f"{path} is missing or damaged; run prepare deepfashion again")
        image = cv2.cvtColor(found, cv2.COLOR_BGR2RGB)
        return _framing(image, size).crop(image, border)

    def framed(self, name: str, size: tuple[int, int] = FRAME_SIZE, border: int = 255) -> Framed:
        """The same with its map and its joints."""
        parsing = read_parsing(self.folder / "parsing" / f"{name}.png")
        framing = _framing(parsing, size)
        pose = framing.to_frame(from_rows(self._poses[name]))
        return Framed(self.picture(name, size, border), framing.crop(parsing, labels=True), pose)


def _framing(image: np.ndarray, size: tuple[int, int]) -> Framing:
    height, width = image.shape[:2]
    scale = size[0] / height
    return Framing((width, height), scale, (size[1] - scale * width) / 2, 0.0, size)


def true_pair(source: Framed, target: Framed, detail: bool) -> Pair:
    """Two pictures of one person, the first carried to the second's pose where the detail path wants it (regions must
    be in the order of ``regions.REGIONS`` then) and both poses tell enough."""
    if detail and min(visible(framed.pose).sum() for framed in (source, target)) >= FEWEST_JOINTS:
        owner = assign_parts(source.parsing, source.pose)
        return Pair(source, target, carry(source.image, source.parsing, owner, source.pose, target.pose, rim=1))
    nothing = np.zeros(source.parsing.shape, bool)
    empty = Carried(source.image, nothing.astype(np.uint8), nothing.astype(np.float32), nothing, nothing)
    return Pair(source, target, empty)


class DeepFashionPairs:
    """The pairs of a prepared folder as a source of batches (``sources.PairSource``).

    On the square canvas, where networks paint whole pictures, source and target keep what is around the person, as the
    authors have it. In the frame the source is cut out, and ``surroundings`` says whether the target is.

    Raises:
        InputError: if the folder is not prepared, or its maps are in an order that the configuration can't learn from.
    """

    def __init__(self, data: Path, config: PISEConfig, limit: int | None = None, surroundings: bool = True):
        self._data, self._config = DeepFashion(data), config
        self._pairs, self._shown = self._data.pairs("train", limit), self._data.pairs("test", needed=False)
        order = self._data.order
        if config.detail_path and (order, config.labels) != ("studio", "studio"):
            raise InputError("the detail path knows our own regions only: prepare with a -studio table, labels=studio")
        if order not in ("studio", config.labels):
            raise InputError(f"{data} holds maps in the order {order!r}; train with --set labels={order}")
        square = config.canvas == "square"
        self._border = 255 if square else 127
        self._told = {"config": config, "order": order, "whole": square, "surroundings": surroundings or square}

    def __len__(self) -> int:
        return len(self._pairs)

    def batch(
        self, rng: np.random.Generator, size: int, frame: tuple[int, int], detail: bool, part: slice = slice(None)
    ) -> Batch:
        """See ``sources.PairSource``. The detail path is silent for a quarter of the batches."""
        chosen = rng.integers(0, len(self._pairs), size)
        drop = np.where(rng.random(size) < DROPPED, rng.integers(1, REGION_COUNT, size), -1)
        detail = bool(detail and rng.random() > SILENT)
        pairs = [self._pair(self._pairs[index], frame, detail) for index in chosen[part]]
        return collate(pairs, drop[part], detail, **self._told)

    def validation(self, count: int) -> list[Batch]:
        """None: the lists have no third split, and test pairs are for the end."""
        return []

    def held_back(self, count: int) -> list[Batch]:
        """Pairs of the test list, evenly spread; none where that split was not prepared."""
        shown, detail = self._shown[:: max(1, len(self._shown) // count)][:count], self._config.detail_path
        return [collate([self._pair(pair, FRAME_SIZE, detail)], detail=detail, **self._told) for pair in shown]

    def _pair(self, names: tuple[str, str], frame: tuple[int, int], detail: bool) -> Pair:
        source, target = (self._data.framed(name, frame, self._border) for name in names)
        return true_pair(source, target, detail)
