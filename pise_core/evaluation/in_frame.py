"""Tasks in the 256x176 frame: the networks themselves, without the steps that finish a photo.

**identity**: a person's own pose and own map through the network. **articulated**: a test photo with its limbs turned
is the source, the real photo the truth (``training.articulation``; nothing hidden). The picture is made on the
network's own map or on the true one, as the row says. **half_body**: as articulated, but the source ends at the waist
and the truth is the whole person. Pants and legs, which the picture shows, are nowhere in the source: what stands in
for their style code decides (section 4.3 of the paper).
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from pise_core.evaluation.entries import COPY, WARP, Entry, Made, on_given_map, timed
from pise_core.evaluation.scoring import Example
from pise_core.evaluation.warp_baseline import on_grey
from pise_core.training.data.articulation import Framed, Pair, above_the_waist, articulated_pair, frame_sample
from pise_core.training.data.batches import collate
from pise_core.training.data.prepared_folder import Sample
from pise_core.warping.parts import assign_parts
from pise_core.warping.warp import carry


def identity(samples: Sequence[Sample], entries: Sequence[Entry], seed: int) -> Iterator[Example]:
    """An example per annotated photo; ``seed`` plays no part."""
    for sample in samples:
        framed = frame_sample(sample)
        owner = assign_parts(framed.parsing, framed.pose)
        own = carry(framed.image, framed.parsing, owner, framed.pose, framed.pose, rim=1)
        yield example_of(sample.name, Pair(framed, framed, own), on_given_map(entries), given=True)


def articulated(samples: Sequence[Sample], entries: Sequence[Entry], seed: int) -> Iterator[Example]:
    """An example per annotated photo; the same turns for the same ``seed``."""
    rng = np.random.default_rng(seed)
    for sample in samples:
        yield example_of(sample.name, articulated_pair(frame_sample(sample), rng, hide=False), entries)


def half_body(samples: Sequence[Sample], entries: Sequence[Entry], seed: int) -> Iterator[Example]:
    """An example per annotated photo; the same turns for the same ``seed``."""
    rng = np.random.default_rng(seed)
    for sample in samples:
        pair = above_the_waist(articulated_pair(frame_sample(sample), rng, hide=False))
        yield example_of(sample.name, pair, entries)


def example_of(name: str, pair: Pair, entries: Sequence[Entry], given: bool = False) -> Example:
    """What every entry makes of a pair. ``given``: all on the true map."""
    made: dict[str, Made] = {}
    for entry in entries:
        (picture, parsing), seconds = timed(lambda c=entry: _generate(c, pair, given or c.true_map))
        made[entry.name] = Made(picture, seconds, parsing)
    made[COPY] = Made(_cut_out(pair.source), parsing=pair.source.parsing)
    made[WARP] = Made(on_grey(pair.carried), parsing=pair.carried.parsing)
    return Example(name, "", pair.target.pose, pair.target.parsing, made, _cut_out(pair.target))


@torch.no_grad()
def _generate(entry: Entry, pair: Pair, given: bool) -> tuple[np.ndarray, np.ndarray]:
    """Picture (H, W, 3) uint8 on grey, and the map (H, W) uint8: the true one where it is ``given``."""
    model, convention, detail = entry.editor.model, entry.editor.convention, entry.detail
    batch = collate([pair], detail=detail, config=model.config).to(convention.device)
    inputs = (batch.source_image, batch.source_parsing, batch.source_pose, batch.target_pose)
    parsing, logits = pair.target.parsing, None
    if not given:
        # Carried pixels are then held against that map, too.
        logits = model.generate_parsing(*inputs[1:], batch.carried_parsing)
        parsing = convention.probabilities(logits, pair.source.parsing, pair.target.pose).argmax(0).astype(np.uint8)
        batch = collate([pair], detail=detail, wanted=[parsing], config=model.config).to(convention.device)
    made = convention.picture(model(*inputs, convention.wanted(parsing, logits), carry=batch.carry).image)
    picture = (made[0].permute(1, 2, 0).clamp(-1, 1).cpu().numpy() + 1) * 127.5
    return _on_grey(np.rint(picture).astype(np.uint8), parsing), parsing


def _cut_out(framed: Framed) -> np.ndarray:
    return _on_grey(framed.image, framed.parsing)


def _on_grey(image: np.ndarray, parsing: np.ndarray) -> np.ndarray:
    return np.where((parsing > 0)[..., None], image, np.uint8(128))
