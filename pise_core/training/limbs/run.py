"""Training of the networks that look at each arm, or each leg, in its own frame."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from pise_core.detection import small_networks
from pise_core.detection.analyzer import FILE_NAME as ANALYZER
from pise_core.detection.analyzer import read_network
from pise_core.detection.limbs import COARSE, NETWORKS, SIZE, Kind, LimbConfig, LimbNetwork, Logits
from pise_core.errors import InputError
from pise_core.model.weights import SHIPPED, read_model
from pise_core.synthesis.dataset import People
from pise_core.training.analyzer.run import pseudo_labelled
from pise_core.training.course import Course, learn_from_views, state_of
from pise_core.training.data.prepared_folder import load_samples
from pise_core.training.limbs.clothes import Dressed, cloth_of
from pise_core.training.limbs.samples import (
    HELD_BACK,
    Person,
    photographed,
    posed_scenes,
    rendered,
    streets_of,
    with_found_maps,
)
from pise_core.training.limbs.views import Photos, View, Views, view_of
from pise_core.training.loop import total
from pise_core.training.run_record import (
    digest_of_people,
    digest_of_prepared,
    digest_of_tensors,
    surroundings,
)  # fmt: skip

RATE, BATCH = 2e-3, 16
#: Of the views, those of photos with limbs turned, and those of photos as they are; the others are rendered people.
POSED_SHARE, PHOTO_SHARE = 0.3, 0.25
#: Photos with limbs turned.
POSED = 3000
#: Weights of the losses.
_JOINTS, _PARTS = 0.3, 3.0
#: Cells within which a joint counts as found when it is measured.
_FOUND = 3.0


class Batch(NamedTuple):
    """Views as tensors, of the shapes of :class:`View`'s arrays, each with the number of views before it."""

    colours: Tensor
    maps: Tensor
    joints: Tensor
    joints_weight: Tensor
    parts: Tensor
    parts_weight: Tensor


def batch_of(views: list[View]) -> Batch:
    """Views as tensors."""
    colours, maps, *rest = (torch.from_numpy(np.stack(arrays)) for arrays in zip(*views, strict=True))
    fast = torch.channels_last
    return Batch(colours.to(memory_format=fast), maps.to(memory_format=fast), *rest)


def losses(found: Logits, batch: Batch) -> dict[str, Tensor]:
    """Cross-entropy with the probability of each place, over the joints that are known, and with the shares of each
    cell, over cells by their weight."""
    assert found.parts is not None
    joints = -(found.joints.log_softmax(2) * batch.joints).sum(2) * batch.joints_weight
    parts = -(found.parts.log_softmax(1) * batch.parts).sum(1) * batch.parts_weight
    return {
        "joints": _JOINTS * joints.sum() / batch.joints_weight.sum().clamp(min=1),
        "parts": _PARTS * parts.sum() / batch.parts_weight.sum().clamp(min=1),
    }


class Validation:
    """People who are held back.

    Args:
        views: of them.
    """

    def __init__(self, views: list[View]):
        self._views = views

    @torch.no_grad()
    def measure(self, network: LimbNetwork) -> dict[str, float]:
        """The loss; of elbows or knees (``middles``) and of wrists or ankles (``ends``) that lie in the frame, those
        that are found there; of the cells about limbs, those that are said to be another part's (``wrong``)."""
        found, joints, cells = [], np.zeros((2, 2)), np.zeros(2)
        for start in range(0, len(self._views), 32):
            batch = batch_of(self._views[start : start + 32])
            logits = network.eval()(batch.colours, batch.maps)
            found.append(float(total(losses(logits, batch))) * len(batch.colours))
            guess, truth = (t[:, :, 1:].argmax(2).numpy() for t in (logits.joints, batch.joints))
            across = SIZE[1] // COARSE
            away = np.hypot(guess // across - truth // across, guess % across - truth % across)
            there = ((batch.joints_weight > 0) & (batch.joints[:, :, 0] == 0)).numpy()
            joints += np.stack([there.sum(0), (there & (away <= _FOUND)).sum(0)])
            assert logits.parts is not None
            wrong = (logits.parts.argmax(1) != batch.parts.argmax(1))[batch.parts_weight > 0.5]
            cells += np.array([len(wrong), int(wrong.sum())])
        middles, ends = joints[1] / np.maximum(joints[0], 1)
        return {
            "loss": sum(found) / max(len(self._views), 1),
            "middles": float(middles),
            "ends": float(ends),
            "wrong": float(cells[1] / max(cells[0], 1)),
        }


def held_back(kind: Kind, people: list[Person]) -> list[View]:
    """A view of each such limb of some people, always the same."""
    drawn = (
        view_of(kind, person, side, np.random.default_rng((number, side)), plain=True)
        for number, person in enumerate(people)
        for side in (0, 1)
    )
    return [view for view in drawn if view is not None]


def begun(network: type[LimbNetwork], init: Path | None) -> LimbNetwork:
    """A network to train: with random weights, or with those of a file, which may be of the other kind of limb.

    Raises:
        InputError: if the file is missing, damaged or holds no such weights.
    """
    if init is None:
        return network()
    name = read_model(init)[0]
    source = next((one for one in NETWORKS if one.__name__ == name), network)
    other, new = small_networks.read(init, source, LimbConfig), network()
    if other.config != new.config:
        raise InputError(f"{init} holds a network of another size; leave --init out")
    new.load_state_dict(other.state_dict())
    return new


def train(
    made: type[LimbNetwork],
    people: Path,
    out: Path,
    minutes: float | None,
    data: Path,
    batch: int = BATCH,
    rate: float = RATE,
    seed: int = 0,
    steps: int | None = None,
    until: int | None = None,
    validate_every: int = 250,
    resume: bool = False,
    init: Path | None = None,
) -> LimbNetwork:
    """Run, or resume from the checkpoint in ``out``, until the budget is used up. The best by validation stays in
    ``out/kept``.

    Args:
        made: the network that is trained.
        people: folder of rendered people; the last tenth is for validation.
        out: folder for checkpoints, weights, log, and photos with limbs turned.
        minutes: wall clock of the whole run; None where ``steps`` says how long it is.
        data: folder that ``prepare`` wrote. Where people are in photos that nobody annotated, the analyzer that ships
            says, once; it is kept in ``out``.
        batch: views a step.
        rate: peak learning rate.
        seed: of everything random.
        steps: length of the whole run.
        until: leave the run at this step; called again it goes on.
        validate_every: steps from one validation to the next; 0 does without.
        resume: there must be a run in ``out`` to go on with.
        init: file of weights to begin with, of either kind of limb; None begins with random ones.

    Returns:
        The network with the averaged weights.

    Raises:
        InputError: if ``people`` or ``data`` are missing or do not fit, ``out`` holds something else, or ``init`` is no
            file of such weights.
        FloatingPointError: as soon as a loss is not finite.
        KeyboardInterrupt: after Ctrl-C or SIGTERM, once all is saved.
    """
    if minutes is None and steps is None:
        raise InputError("give --minutes or --steps")
    folder, samples = People(people), load_samples(data, "train")
    annotated = [one for one in samples if one.parsing is not None]
    if not annotated:
        raise InputError(f"{data} holds no annotated photo to train on; prepare a folder that has some")
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    kind, checkpoint = made.kind, out / f"{made.kind.name}.pt"
    network = begun(made, init).to(memory_format=torch.channels_last)
    count = len(folder)
    made_of = {"seed": seed, "batch": batch, "rate": rate, "posed": POSED}
    made_of |= {"people": digest_of_people(people, count), "data": digest_of_prepared(data)}
    if init is not None:
        made_of["init"] = digest_of_tensors(network.state_dict())
    state = state_of(checkpoint, resume)
    if state is not None and state.get("run") != made_of:
        raise InputError(f"{out} holds a run of other people, data or settings; give another --out")
    last = int(np.ceil(HELD_BACK * count)) if validate_every else 0
    analyzer = read_network(SHIPPED / ANALYZER).eval()
    photos = [photographed(one, kind) for one in pseudo_labelled(analyzer, samples, out / "people", "cpu")]
    scenes = [photographed(one, kind) for one in posed_scenes(kind, annotated, out / "posed", POSED, seed)]
    scenes = with_found_maps(scenes, analyzer, out / "posed" / "found")
    cloths = [cloth for one in annotated if (cloth := cloth_of(one, kind)) is not None]
    dressed = Dressed(kind, folder.picture, 2 * (count - last or count), cloths, streets_of(out / "posed"))
    views = Views(
        kind,
        [
            (dressed, 1 - POSED_SHARE - PHOTO_SHARE),
            (Photos(scenes), POSED_SHARE),
            (Photos(photos), PHOTO_SHARE),
        ],
    )
    held = [rendered(folder.picture(number), kind) for number in range(2 * (count - last), 2 * count)]
    validation = Validation(held_back(kind, held)) if last else None
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.02)
    course = Course(checkpoint, network, optimizer, rate, minutes, steps, state, {"run": made_of})
    notes = {"run": json.dumps(made_of | {"surroundings": surroundings(torch.device("cpu"))}, sort_keys=True)}
    course.log(people=count, photos=len(photos), parameters=sum(p.numel() for p in network.parameters()))

    def losses_of(drawn: list[View]) -> dict[str, Tensor]:
        now = batch_of(drawn)
        return losses(network.train()(now.colours, now.maps), now)

    measure = None if validation is None else validation.measure
    file = out / kind.file_name
    return learn_from_views(course, file, notes, views.draw, seed, batch, losses_of, until, validate_every, measure)
