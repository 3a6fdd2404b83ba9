"""Who makes the pictures of DeepFashion's pairs: networks, folders of pictures made before, and those who make none.

All pictures are (256, 176, 3) uint8: the middle columns, as the paper's own scores have it.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from pise_core.errors import InputError
from pise_core.evaluation.entries import Entry
from pise_core.framing import FRAME_SIZE, Framing
from pise_core.images import read_image
from pise_core.training.data.articulation import Framed
from pise_core.training.data.batches import collate
from pise_core.training.data.deepfashion_lists import first_few
from pise_core.training.data.deepfashion_pairs import DeepFashion, true_pair
from pise_core.training.data.prepare_deepfashion import MARGIN

#: Source and target, by name -> picture.
Maker = Callable[[str, str], np.ndarray]

#: How files of results are called. The first is our way, and GFLA's but for its ending; the authors of PISE say it as
#: the third does.
_NAMES = ("{}_2_{}", "{}_2_{}_vis", "{}_{}_vis", "{}_{}")
_SUFFIXES = (".png", ".webp", ".jpg", ".jpeg")


def file_name(source: str, target: str) -> str:
    return f"{_NAMES[0].format(source, target)}.png"


def network(entry: Entry, data: DeepFashion) -> Maker:
    """Pictures by a network, told what it is used to (``conventions``).

    On a square canvas it paints the whole picture. In the frame it paints the person alone, and its picture is laid
    over the source's background, as the editor does it.

    Raises:
        InputError: if it can't do pose transfer, or can't be told these maps.
    """
    model, convention = entry.editor.model, entry.editor.convention
    config, square = model.config, model.config.canvas == "square"
    if model.parsing_generator is None:
        raise InputError(f"the weights of {entry.name!r} edit regions and styles only, no poses; leave them out")
    if data.order != "studio" and not (square and data.order == config.labels and not entry.detail):
        raise InputError(
            f"{entry.name!r} can't be told maps in the order {data.order!r}; prepare the data once more, with "
            f"--table cihp-studio or the like, and score these weights on that"
        )

    def whole(source: Framed, target: Framed) -> np.ndarray:
        pair, detail = true_pair(source, target, entry.detail), entry.detail
        told = {"detail": detail, "config": config, "whole": True, "order": data.order}
        batch = collate([pair], **told).to(convention.device)
        inputs = (batch.source_image, batch.source_parsing, batch.source_pose, batch.target_pose)
        wanted = None
        if detail:
            # Carried pixels are held against the network's own map: the true one is not known in use.
            logits = model.generate_parsing(*inputs[1:], batch.carried_parsing)
            own = convention.probabilities(logits, source.parsing, target.pose).argmax(0).astype(np.uint8)
            batch = collate([pair], wanted=[own], **told).to(convention.device)
            wanted = convention.wanted(own, logits)
        made = convention.picture(model(*inputs, wanted, carry=batch.carry).image)
        values = (made[0].float().permute(1, 2, 0).clamp(-1, 1).cpu().numpy() + 1) * 127.5
        return np.rint(values).astype(np.uint8)

    def over_the_background(source: Framed, target: Framed) -> np.ndarray:
        framing = Framing((FRAME_SIZE[1], FRAME_SIZE[0]), 1.0, 0.0, 0.0)
        person = entry.editor.set_person(source.image, pose=source.pose, parsing=source.parsing, framing=framing)
        return person.render(pose=target.pose, detail=entry.detail).photo

    paint = whole if square else over_the_background

    @torch.no_grad()
    def make(source: str, target: str) -> np.ndarray:
        return paint(data.framed(source), data.framed(target))

    return make


def folder(path: Path, pairs: Sequence[tuple[str, str]]) -> Maker:
    """Pictures that were made before, by anybody: ``SOURCE_2_TARGET.png``, or as other projects call them.

    Of pictures 256 wide the middle columns are taken.

    Raises:
        InputError: if the folder is not there, or the picture of a pair is missing; while making: if one is no picture
            or of another size.
    """
    if not path.is_dir():
        raise InputError(f"there is no folder {path}")
    ranks = {suffix: rank for rank, suffix in enumerate(_SUFFIXES)}
    files = [file for file in sorted(path.iterdir()) if file.suffix.lower() in ranks]
    files.sort(key=lambda file: -ranks[file.suffix.lower()])
    by_name = {file.stem.replace("fasion", "fashion"): file for file in files}
    found: dict[tuple[str, str], Path] = {}
    for pair in pairs:
        names = [name for form in _NAMES if (name := form.format(*pair)) in by_name]
        if names:
            found[pair] = by_name[names[0]]
    missing = [file_name(*pair) for pair in pairs if pair not in found]
    if missing:
        raise InputError(f"{path} lacks the pictures of {len(missing)} of {len(pairs)} pairs: {first_few(missing)}")

    def make(source: str, target: str) -> np.ndarray:
        file = found[source, target]
        picture = read_image(file)
        height, width = FRAME_SIZE
        if picture.shape[:2] == (height, width + 2 * MARGIN):
            picture = picture[:, MARGIN:-MARGIN]
        if picture.shape[:2] != FRAME_SIZE:
            raise InputError(
                f"{file} is {picture.shape[1]}x{picture.shape[0]}; pictures are 176x256, or 256x256 with margins"
            )
        return picture

    return make
