"""Training of PISE in the paper's stages, by one of the recipes."""

import json
import logging
import math
from pathlib import Path

import numpy as np
import torch

from pise_core.errors import InputError
from pise_core.framing import FRAME_SIZE
from pise_core.model.network import PISE, PISEConfig
from pise_core.model.weights import save_model
from pise_core.synthesis.dataset import People
from pise_core.training.data.batches import Batch
from pise_core.training.data.sources import Rendered, open_source
from pise_core.training.generator.recipes import SMALL_BATCH, Optimization, Recipe
from pise_core.training.generator.sheets import pairs_sheet, sheet, write_picture
from pise_core.training.generator.trainer import Trainer
from pise_core.training.interruption import Interruption
from pise_core.training.kept import Kept
from pise_core.training.loop import Budget, Curve, Log, Saves, load_checkpoint, open_board, save_checkpoint
from pise_core.training.prefetch import Ahead
from pise_core.training.processes import join, leave
from pise_core.training.run_record import differences, digest_of_people, digest_of_prepared, surroundings

_log = logging.getLogger(__name__)

#: Half of the frame, in multiples of 16.
SMALL_FRAME = (FRAME_SIZE[0] // 2, FRAME_SIZE[1] // 2 // 16 * 16 + 16)

#: Pairs of the validation split that a run is judged by on its way.
VALIDATION_PAIRS = 16

#: The share of rendered pairs, where there are any.
PEOPLE_SHARE = 0.4


def train(
    data: Path,
    out: Path,
    recipe: Recipe,
    minutes: float | None,
    stage: str = "apart",
    vgg: Path | None = None,
    init: Path | None = None,
    limit: int | None = None,
    steps: int | None = None,
    until: int | None = None,
    seed: int = 0,
    device: str = "cpu",
    log_every: int = 10,
    tensorboard: bool = False,
    init_discriminator: Path | None = None,
    people: Path | None = None,
    people_share: float = PEOPLE_SHARE,
    people_share_alone: float | None = None,
    validate_every: int = 250,
    resume: bool = False,
) -> PISE:
    """Run, or resume from ``out/generator.pt``, until the budget is used up; the averaged weights go to ``out``.

    Given ``steps``, a run on a CPU that was stopped and resumed computes to the bit what an unbroken one does. Forty
    pairs are drawn to ``pairs.png`` at the start. Every 100 steps, every few minutes, and on Ctrl-C or SIGTERM all is
    saved, and what the network makes of a few held-back photos drawn to ``sheet.png``. Where the data has a validation
    split, its losses are logged, and the weights of that step kept by the rule of ``kept.Kept``. Checkpoint and weights
    hold what the run was made of (see ``run_record``).

    Args:
        data: folder that ``prepare`` wrote.
        out: folder for checkpoints, weights, log and sheets.
        recipe: network, objective and optimization.
        minutes: wall clock of the whole run; None where ``steps`` says how long it is.
        stage: one of ``trainer.STAGES``.
        vgg: the teacher's file; None fetches torchvision's.
        init: weights to begin with; where it is a run's folder, its discriminator goes on too.
        limit: draw from so many photos, or pairs, only.
        steps: length of the whole run. It may be another when the run is resumed; where rates or frames follow the
            progress, the result is then not that of a run of so many steps from the start, and a line says so.
        until: leave the run at this step; called again it goes on.
        seed: of everything random.
        device: "cpu", "cuda".
        log_every: steps from one line of the log to the next; the first and the last step have a line, too.
        tensorboard: also write curves and sheets for TensorBoard.
        init_discriminator: a file of the discriminator to begin with.
        people: folder of rendered people that ``synthesize people`` wrote; a run goes on with those it began with.
        people_share: of the pairs that are rendered people.
        people_share_alone: the same for batches where nothing is carried; None: as ``people_share``.
        validate_every: steps from one validation to the next; 0 does without.
        resume: there must be a run in ``out`` to go on with.

    Raises:
        InputError: if data, teacher or ``init`` are missing or do not fit; if ``out`` holds a run of other settings or
            of other data.
        FloatingPointError: as soon as a loss is not finite; it names every term.
        KeyboardInterrupt: after Ctrl-C or SIGTERM, once all is saved.
    """
    if minutes is None and steps is None:
        raise InputError("give --minutes or --steps")
    recipe = recipe.resolved()
    processes = join(device)
    torch.manual_seed(seed)
    config, settings = recipe.network, recipe.optimization
    state = load_checkpoint(out / "generator.pt")
    if resume and state is None:
        raise InputError(f"{out} holds no run to go on with; leave --resume out to begin one")
    rendered = None
    if people is not None:
        count = (state or {}).get("people") or len(People(people))
        rendered = Rendered(people, people_share, count, people_share_alone)
    source = open_source(data, config, limit, recipe.objective.judged == "person", rendered)
    run = {"recipe": recipe.to_dict(), "stage": stage, "seed": seed, "processes": processes.count}
    run |= {"limit": limit, "samples": len(source)}
    run |= {"people": rendered and rendered.count, "people_share": rendered and rendered.share}
    run["people_share_alone"] = rendered and rendered.share_alone
    run["data"] = digest_of_prepared(data)
    if rendered is not None and rendered.count is not None:
        run["people_data"] = digest_of_people(rendered.folder, rendered.count)
    length = f"{steps} steps" if steps else f"{minutes:g} minutes"
    step, spent = 0, 0.0
    if state is None:
        trainer = Trainer(recipe, stage, processes, vgg, init, init_discriminator)
        run["vgg"] = trainer.teacher_digest
        notes = trainer.notes
    else:
        _expect_same(out, state, run)
        trainer = Trainer(recipe, stage, processes, vgg)
        run["vgg"] = trainer.teacher_digest
        _expect_same(out, state, run)
        try:
            trainer.load_state_dict(state)
            step, spent = state["step"], state["spent"]
        except (ValueError, RuntimeError, KeyError):
            raise InputError(f"{out} holds a run of another version; --init {out} begins with its weights") from None
        notes = [f"goes on from step {step}", *_other_length(state.get("length", length), length, settings)]
        notes += differences(state.get("surroundings", {}), surroundings(processes.device))
    if processes.agree(step) != step:
        raise InputError(f"--out {out} must be a folder that all machines share")
    budget = Budget(minutes, spent, steps)
    run["length"] = length
    run["surroundings"] = surroundings(processes.device)
    validation = source.validation(VALIDATION_PAIRS) if validate_every else []
    books = None
    if processes.main:
        books = _Books(out, trainer, source.held_back(6), step, log_every, tensorboard)
        for note in notes:
            _log.info(note)
        if not step:
            pairs = pairs_sheet(source, np.random.default_rng(seed), config)
            write_picture(out / "pairs.png", pairs)
        books.log(parameters=sum(p.numel() for p in trainer.model.parameters()), **run)

    def draw(step: int, small: bool) -> Batch:
        # A resumed run sees what an unbroken one would.
        rng = np.random.default_rng((seed, step))
        size = settings.batch * (SMALL_BATCH if small else 1) * processes.count
        frame = SMALL_FRAME if small else FRAME_SIZE
        return source.batch(rng, size, frame, config.detail_path, processes.part(size))

    def progress() -> float:
        """As the main process has it, infinite where the run is to be left."""
        used = budget.used(step)
        return processes.agree(math.inf if interruption.asked and used < 1 else used)

    with Ahead(draw) as batches, Interruption() as interruption:
        while (used := progress()) < 1 and (until is None or step < until):
            batch = batches.take(step, used < settings.small_share)
            # With minutes this is a guess, which is wrong once, when frames become larger.
            soon = budget.used(step + 1)
            if soon < 1 and step + 1 != until:
                batches.foresee(step + 1, soon < settings.small_share)
            torch.manual_seed(seed * 1_000_003 + step)
            terms = trainer.step(step, used, batch.to(processes.device))
            step += 1
            if books:
                books.curve.add(step, budget.spent, terms)
            if validation and step % validate_every == 0:
                measured = trainer.validate(validation)
                if books:
                    books.validated(step, measured, run)
            if books and books.saves.due(step):
                books.checkpoint(step, budget.spent, run)
        if books:
            if used == 1:
                books.curve.end()
            books.checkpoint(step, budget.spent, run)
    leave(processes)
    if used == math.inf:
        raise KeyboardInterrupt(f"interrupted at step {step}; the same command goes on from there")
    return trainer.outcome


class _Books:
    """What the main process writes."""

    def __init__(self, out: Path, trainer: Trainer, shown: list, step: int, log_every: int, tensorboard: bool):
        out.mkdir(parents=True, exist_ok=True)
        self.out, self.trainer, self.shown = out, trainer, shown
        self.log = Log(out, step, open_board(out, step) if tensorboard else None)
        self.curve, self.saves, self.kept = Curve(self.log, log_every), Saves(100), Kept(out, step)

    def validated(self, step: int, measured: dict[str, float], run: dict) -> None:
        """Log what the networks came to, and keep their weights by the rule."""
        self.log(step=step, **{f"validation/{name}": value for name, value in measured.items()})
        made_of, result = json.dumps(run, sort_keys=True), json.dumps(measured)

        def save(path: Path) -> None:
            save_model(path, self.trainer.outcome, run=made_of, step=str(step), validation=result)

        self.kept.add(step, measured["loss"], save)

    def checkpoint(self, step: int, spent: float, run: dict) -> None:
        save_checkpoint(self.out / "generator.pt", **self.trainer.state_dict(), step=step, spent=spent, **run)
        averaged = self.trainer.outcome
        save_model(self.out / "pise.safetensors", averaged, run=json.dumps(run, sort_keys=True), step=str(step))
        if self.shown:
            whole = self.trainer.recipe.objective.judged == "picture"
            picture = sheet(averaged, self.shown, self.trainer.processes.device, whole)
            write_picture(self.out / "sheet.png", picture)
            if self.log.board is not None:
                self.log.board.add_image("sheet", picture, step, dataformats="HWC")
        if self.log.board is not None:
            self.log.board.flush()


#: Settings whose values say nothing to anybody.
_SAID = {
    "data": "the content of --data is another",
    "people_data": "the content of --people is another",
    "vgg": "the weights of --vgg are others",
}


def _expect_same(out: Path, state: dict, run: dict) -> None:
    """A run goes on as it began, on the same data and by the same teacher, or not at all; only its length may change.

    Raises:
        InputError: naming what differs.
    """
    if "recipe" not in state:  # checkpoints of before there were recipes
        return
    kept = [name for name in run if name in state]  # older checkpoints have fewer
    # What a setting is where nobody set it: checkpoints of before it was there are of runs that did without.
    usual = {"recipe": Recipe("", PISEConfig()).to_dict()}
    before = flat(usual) | flat({name: state[name] for name in kept})
    now = flat(usual) | flat({name: run[name] for name in kept})
    names = [name for name in before | now if before.get(name) != now.get(name)]
    if names:
        shown = {name: _SAID.get(name, f"{name} {before.get(name)} -> {now.get(name)}") for name in names}
        raise InputError(
            f"{out} holds a run of other settings ({', '.join(shown.values())}); give those again, or another --out "
            f"(--init {out} begins with its weights)"
        )


def _other_length(before: str, now: str, settings: Optimization) -> list[str]:
    """What changes in a run that goes on for longer, or less long, than it was begun for: a line, or none."""
    follows = settings.schedule != "constant" or 0 < settings.small_share < 1
    if before == now or not follows:
        return []
    return [
        f"begun for {before}, and now for {now}: rates and frames follow the length, so this does not become what "
        f"{now} from the start make; for that, begin with --steps and stop early by --until, or train with "
        "--schedule constant --small-share 0"
    ]


def flat(settings: dict, prefix: str = "") -> dict:
    """Nested settings under dotted names."""
    found = {}
    for name, value in settings.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return found
