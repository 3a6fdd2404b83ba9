"""Worn garments against the right answer: rendered people, see ``synthesis.exchanges``; joints and maps are given.

**LPIPS** of the whole frame about the wearer, background included: what stays of old clothes beside the person counts.
**lender's skin**: pixels that are green where the lender's skin is green, and magenta where it is magenta. Rows: the
garment worn, its texture alone borrowed, and the wearer unchanged.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from pise_core.editor import Editor
from pise_core.errors import InputError
from pise_core.evaluation.image_metrics import Measures
from pise_core.evaluation.scoring import Outcome
from pise_core.person import Person
from pise_core.synthesis.dataset import Picture

if TYPE_CHECKING:  # drawing them needs optional packages
    from pise_core.synthesis.exchanges import Exchange

ROWS = ("worn", "texture alone", "unchanged")


@dataclass(frozen=True)
class Trial:
    """One exchange.

    Attributes:
        name: of its number and region.
        region: what was lent.
        lpips: by row.
        skin: how many pixels of the lender's skin are in the picture, by row.
        shown: (H, W, 3) uint8 by name, in the frame.
    """

    name: str
    region: str
    lpips: dict[str, float]
    skin: dict[str, int]
    shown: dict[str, np.ndarray]


def trials(exchanges: Iterator[tuple[int, "Exchange"]], editor: Editor, measures: Measures) -> Iterator[Trial]:
    """A trial for each exchange whose garment can be worn; where that is refused the wearer stays as they are."""
    for index, exchange in exchanges:
        wearer, lender = known(editor, exchange.wearer), known(editor, exchange.lender)
        made, again = (
            {
                "worn": worn(wearer, other, exchange.region),
                "texture alone": borrowed(wearer, other, exchange.region),
                "unchanged": wearer.photo,
            }
            for other in (lender, known(editor, exchange.other))
        )
        framed = {name: wearer.framing.crop(made[name], 127) for name in ROWS}
        truth = wearer.framing.crop(exchange.truth.image, 127)
        found = measures.distance(_tensor([framed[name] for name in ROWS]), _tensor([truth] * len(ROWS)))
        skin = {name: int(np.count_nonzero(green(made[name]) & magenta(again[name]))) for name in ROWS}
        shown = {"wearer": framed["unchanged"], "lender": lender.framing.crop(lender.photo, 127)}
        shown |= {"worn": framed["worn"], "truth": truth}
        name = f"{index} {exchange.region}"
        yield Trial(name, exchange.region, dict(zip(ROWS, map(float, found), strict=True)), skin, shown)


def known(editor: Editor, picture: Picture) -> Person:
    """A rendered person whose joints and regions are given."""
    return editor.set_person(picture.image, pose=picture.joints, parsing=picture.regions)


def worn(wearer: Person, lender: Person, region: str) -> np.ndarray:
    """(H, W, 3) uint8: the garment worn; the photo where it can't be."""
    try:
        return wearer.wear({region: lender}).photo
    except InputError:
        return wearer.photo


def borrowed(wearer: Person, lender: Person, region: str) -> np.ndarray:
    """(H, W, 3) uint8: the garment's texture alone; the photo where it can't be."""
    try:
        return wearer.render(styles={region: [(lender, 1.0)]}).photo
    except InputError:
        return wearer.photo


def green(photo: np.ndarray) -> np.ndarray:
    """(H, W) bool: pixels of the lender's skin, light and shadow and a half of something else allowed for."""
    red, green, blue = np.moveaxis(photo.astype(int), 2, 0)
    return (green > 60) & (green > 1.6 * red + 10) & (green > 1.6 * blue + 10)


def magenta(photo: np.ndarray) -> np.ndarray:
    """(H, W) bool: pixels of the skin of the lender's other picture, as in :func:`green`."""
    red, green, blue = np.moveaxis(photo.astype(int), 2, 0)
    return (red > 60) & (red > 1.6 * green + 10) & (blue > 1.3 * green + 10)


def outcome(found: list[Trial]) -> Outcome:
    """Means by row and by region; ``skin`` is the worst picture's."""

    def figures(chosen: list[Trial], row: str) -> dict[str, float]:
        lpips = float(np.mean([trial.lpips[row] for trial in chosen]))
        skin = max(trial.skin[row] for trial in chosen)
        return {"worn_lpips": lpips, "lender_skin": float(skin)}

    regions = sorted({trial.region for trial in found})
    groups = {r: {row: figures([t for t in found if t.region == r], row) for row in ROWS} for r in regions}
    each = {row: {"worn_lpips": [trial.lpips[row] for trial in found]} for row in ROWS}
    return Outcome("worn", len(found), {row: figures(found, row) for row in ROWS}, groups, each)


def _tensor(pictures: list[np.ndarray]) -> torch.Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1
