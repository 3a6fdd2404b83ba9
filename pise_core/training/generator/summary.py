"""What a training run would be, in words: ``train ... --dry-run``."""

from dataclasses import fields
from pathlib import Path

from torch import nn

from pise_core.errors import InputError
from pise_core.training.data.people_pairs import MixedPairs
from pise_core.training.data.sources import Rendered, open_source
from pise_core.training.generator.recipes import SMALL_BATCH, Recipe
from pise_core.training.generator.teacher import load_teacher
from pise_core.training.generator.trainer import needs_teacher, new_discriminator, new_model
from pise_core.training.processes import Processes


def summary(
    data: Path,
    recipe: Recipe,
    stage: str,
    vgg: Path | None,
    limit: int | None,
    length: dict,
    processes: Processes,
    rendered: Rendered | None = None,
) -> str:
    """The resolved configuration and the parameter counts, a line each. Reads the data and a given teacher's file, so
    that what is wrong with them is found out, and says it in their place; writes nothing and fetches nothing.

    Args:
        data, recipe, stage, vgg, limit: as for ``train_generator.train``.
        length: minutes, steps and the like, to be printed.
        processes: that would train together.
        rendered: people to learn from, too.

    Raises:
        InputError: if the stage is not for this network.
    """
    recipe = recipe.resolved()
    objective, settings = recipe.objective, recipe.optimization
    model = new_model(recipe, stage)
    lines = [f"recipe {recipe.name}, stage {stage}", *_section("stage", _of_stage(recipe, stage))]
    lines += _section("data", {"folder": data, **_described(data, recipe, limit, rendered)})
    lines += _section("network", recipe.network.to_dict())
    whole = recipe.to_dict()
    weights = whole["objective"].pop("weights")
    lines += _section("objective", whole["objective"] | {"teacher": _teacher(recipe, stage, vgg)})
    lines += _section("loss weights", weights)
    lines += _section("optimization", {"optimizer": "Adam", **whole["optimization"]})
    batch = settings.batch * processes.count
    pairs = f"{SMALL_BATCH * batch} on half-size frames, then {batch}" if settings.small_share else batch
    lines += _section("run", {**length, "processes": processes.count, "pairs a step": pairs})
    parts = {"parsing_generator": model.parsing_generator, **dict(model.image_generator.named_children())}
    counts = {name: count_parameters(part) for name, part in parts.items() if part is not None}
    lines += _section("parameters", {k: f"{v:,}" for k, v in counts.items() if v})
    lines.append(f"  generator: {count_parameters(model):,}")
    if objective.weights.adversarial:
        lines.append(f"  discriminator: {count_parameters(new_discriminator(recipe)):,}")
    return "\n".join(lines)


def _of_stage(recipe: Recipe, stage: str) -> dict:
    """What learns, on which maps, and by which terms of the losses."""
    weights = recipe.objective.weights
    of_map = ["cross", *(["parsing_l1"] if weights.parsing_l1 else [])]
    of_picture = [f.name for f in fields(weights) if f.name != "parsing_l1" and getattr(weights, f.name)]
    learns = {"parsing": "parsing generator", "image": "image generator"}.get(
        stage, "parsing generator and image generator"
    )
    made_on = {"parsing": "no picture is made", "joint": "the generated map"}.get(stage, "the true map")
    terms = {"parsing": of_map, "image": of_picture}.get(stage, of_map + of_picture)
    return {"learns": learns, "picture made on": made_on, "losses": terms}


def _described(data: Path, recipe: Recipe, limit: int | None, rendered: Rendered | None) -> dict:
    try:
        source = open_source(data, recipe.network, limit, recipe.objective.judged == "person", rendered)
    except InputError as error:
        return {"missing": error}
    kind = type(source).__name__
    described = {"kind": kind, "to draw from": len(source), "held back for sheets": len(source.held_back(6))}
    if isinstance(source, MixedPairs) and rendered is not None:
        described |= {"rendered people": source.count, "their share": rendered.share}
        if rendered.share_alone is not None:
            described["their share where nothing is carried"] = rendered.share_alone
    return described


def _teacher(recipe: Recipe, stage: str, vgg: Path | None) -> str:
    if not needs_teacher(recipe, stage):
        return "none in this stage"
    if vgg is None:
        return "torchvision's, from the hub"
    try:
        load_teacher(vgg, recipe.objective.layers, recipe.objective.statistics)
    except InputError as error:
        return f"missing: {error}"
    return str(vgg)


def count_parameters(module: nn.Module) -> int:
    """How many numbers a module learns or keeps frozen; buffers do not count."""
    return sum(p.numel() for p in module.parameters())


def _section(title: str, values: dict) -> list[str]:
    shown = {k: " ".join(map(str, v)) if isinstance(v, list) else v for k, v in values.items()}
    return [title, *(f"  {name}: {value}" for name, value in shown.items())]
