"""``python -m pise_core train``: the analyzer, the generator by one of the recipes and in one of its stages, or the
networks that know bodies behind arms, streets behind bodies, and arms or legs in their own frames."""

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from pise_core.detection.limbs import NETWORKS
from pise_core.errors import InputError
from pise_core.model.config import ABLATIONS, PAPER_CONFIG, PRINTED, PISEConfig
from pise_core.training.amodal import run as train_amodal
from pise_core.training.analyzer import held_run as train_held
from pise_core.training.analyzer import run as train_analyzer
from pise_core.training.arguments import above_zero, natural, positive, share
from pise_core.training.background import run as train_background
from pise_core.training.data.prepared_folder import load_samples
from pise_core.training.data.sources import Rendered
from pise_core.training.generator import run as train_generator
from pise_core.training.generator.losses import (
    ADVERSARIAL,
    DEEP_PERCEPTUAL,
    DEEP_STYLE,
    SHALLOW_PERCEPTUAL,
    SHALLOW_STYLE,
    LossWeights,
)
from pise_core.training.generator.losses import PRINTED as PRINTED_LOSSES
from pise_core.training.generator.recipes import RECIPES, SCHEDULES, Recipe
from pise_core.training.generator.summary import summary
from pise_core.training.generator.trainer import PRECISIONS, STAGES
from pise_core.training.limbs import run as train_limbs
from pise_core.training.processes import join, leave, usable_device

#: What the analyzer is trained with; everything else is the generator's.
_OF_ANALYZER = (
    *("network", "data", "out", "minutes", "steps", "until", "batch", "rate", "seed", "device", "threads", "init"),
    *("validate_every", "resume", "people", "people_share", "backbone", "no_pseudo", "gentle"),
    *("joints_alone", "held_alone"),
)
#: What all small networks are trained with.
_OF_SMALL = (
    *("network", "data", "out", "minutes", "steps", "until", "batch", "rate", "seed", "threads", "validate_every"),
    "resume",
)
#: What the network for hidden backgrounds is trained with, that for hidden bodies, and those for limbs.
_OF_BACKGROUND = (*_OF_SMALL, "init")
_OF_AMODAL = (*_OF_SMALL, "people", "people_share")
_OF_LIMBS = (*_OF_SMALL, "people", "init")
#: What the generator is not trained with.
_NOT_OF_GENERATOR = ("backbone", "no_pseudo", "gentle", "joints_alone", "held_alone")
_LIMBS = {network.kind.name: network for network in NETWORKS}
_LAYERS = {"shallow": (SHALLOW_PERCEPTUAL, SHALLOW_STYLE), "deep": (DEEP_PERCEPTUAL, DEEP_STYLE)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("network", choices=["analyzer", "generator", "amodal", "arms", "legs", "background"])
    parser.add_argument("--data", type=Path, default=Path("prepared"), help="folder that prepare wrote")
    parser.add_argument("--out", type=Path, help="checkpoints, weights, log and sample sheets go here")
    parser.add_argument(
        "--minutes", type=above_zero, default=None, help="wall clock of the whole run, over all resumptions"
    )
    parser.add_argument("--steps", type=positive, default=None, help="length of the whole run, instead of minutes")
    parser.add_argument(
        "--until",
        type=positive,
        default=None,
        help="leave a run of --steps at this step; called again it goes on, and computes what it would have anyhow",
    )
    parser.add_argument(
        "--people", type=Path, default=None, metavar="DIR", help="rendered people that synthesize people wrote, too"
    )
    parser.add_argument(
        "--people-share", type=share, default=None, help="how many of what is learned from are rendered (0 to 1)"
    )
    parser.add_argument(
        "--people-share-alone",
        type=share,
        default=None,
        help="the same for a generator's batches in which nothing is carried (default: as --people-share)",
    )
    parser.add_argument(
        "--validate-every",
        type=natural,
        default=250,
        help="steps from one validation to the next (default: 250; 0: none). Its losses go to log.jsonl; the newest "
        "three weights and the best stay in OUT/kept",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="there must be a run in --out; what differs from how it was begun is said, or refused, as without this",
    )
    parser.add_argument("--batch", type=positive, default=None)
    parser.add_argument("--rate", type=above_zero, default=None, help="peak learning rate")
    parser.add_argument("--seed", type=natural, default=0)
    parser.add_argument("--device", default="auto", help="where to compute: auto (default), cpu, cuda, cuda:1, ...")
    parser.add_argument("--threads", type=positive, default=None, help="CPU threads")
    parser.add_argument(
        "--init",
        type=Path,
        default=None,
        metavar="PATH",
        help="what to begin with: a run's folder, discriminator included, or a file of weights",
    )
    analyzer = parser.add_argument_group("analyzer")
    analyzer.add_argument(
        "--backbone", type=Path, default=None, help="torchvision's SqueezeNet 1.1 (.pth); default: from the hub"
    )
    analyzer.add_argument(
        "--no-pseudo", action="store_true", help="don't let the network label the photos that nobody annotated"
    )
    analyzer.add_argument(
        "--gentle",
        action="store_true",
        help="change what --init gives only a little: its sizes and outputs, its ImageNet part and the statistics of "
        "its norms stay, and the peak rate is lower",
    )
    analyzer.add_argument(
        "--joints-alone",
        action="store_true",
        help="as --gentle, and learn only the layers that are the joints' own: what is said of regions stays the same",
    )
    analyzer.add_argument(
        "--held-alone",
        action="store_true",
        help="learn only the layers that say where bags and other held things are: joints and regions stay the same, "
        "and held.safetensors, which goes beside the analyzer's weights, is written, too",
    )
    generator = parser.add_argument_group("generator")
    generator.add_argument(
        "--recipe",
        choices=list(RECIPES),
        default="shipped",
        help="network, losses and optimizer; what follows overrides",
    )
    generator.add_argument(
        "--stage",
        choices=STAGES,
        help="parsing: the parsing generator alone; image: the image generator alone, on true maps; apart: both of "
        "these in one run (default); joint: end to end, the image made on the generated map (default of release)",
    )
    generator.add_argument("--dry-run", action="store_true", help="print what would be done, and do nothing")
    generator.add_argument(
        "--paper",
        action="store_true",
        help="the paper's network on 256x256, no colour or detail path, instead of the recipe's",
    )
    generator.add_argument("--ablation", choices=ABLATIONS, help="the network changed as in the paper's section 4.3")
    generator.add_argument(
        "--printed",
        type=_places,
        default=(),
        metavar="PLACE,...",
        help="follow the paper's print to the letter there: all, or some of "
        f"{', '.join((*PRINTED, *PRINTED_LOSSES))} (docs/paper.md)",
    )
    generator.add_argument("--width", type=positive, default=None, help="64 is the paper's, 16 the shipped recipe's")
    generator.add_argument(
        "--set",
        action="append",
        default=[],
        type=_field_of({name: value for name, value in asdict(PISEConfig()).items() if name != "printed"}),
        metavar="FIELD=VALUE",
        help="a field of PISEConfig, such as matching=target; may be repeated",
    )
    generator.add_argument(
        "--loss",
        action="append",
        default=[],
        type=_field_of(asdict(LossWeights())),
        metavar="TERM=WEIGHT",
        help="weight of a loss term, such as adversarial=0.1 for eq. 12; 0 leaves it out; may be repeated",
    )
    generator.add_argument("--adversarial", choices=ADVERSARIAL, help="eq. 12: as a log loss, or least squares")
    generator.add_argument(
        "--layers", choices=list(_LAYERS), help="of VGG-19, for eq. 10 and 11: up to conv3_1, or all"
    )
    generator.add_argument(
        "--vgg", type=Path, default=None, help="VGG-19 (.safetensors or .pth); default: from the hub"
    )
    generator.add_argument("--precision", choices=list(PRECISIONS), help="of convolutions")
    generator.add_argument("--ema", type=share, default=None, help="decay of the weights' moving average; 0: none")
    generator.add_argument(
        "--schedule", choices=SCHEDULES, help="of the rate: a cosine over the length of the run, or constant"
    )
    generator.add_argument(
        "--small-share", type=share, default=None, help="share of the run that frames are of half size (first)"
    )
    generator.add_argument(
        "--init-discriminator",
        type=Path,
        default=None,
        metavar="FILE",
        help="what the discriminator begins with: convert's file of latest_net_D.pth, or a run's generator.pt",
    )
    generator.add_argument("--limit", type=positive, default=None, help="train on so many photos only")
    generator.add_argument("--log-every", type=positive, default=10, help="steps between lines of log.jsonl")
    generator.add_argument("--tensorboard", action="store_true", help="curves and sheets for TensorBoard, too")


def _places(text: str) -> tuple[str, ...]:
    """Names of ``--printed``."""
    allowed = (*PRINTED, *PRINTED_LOSSES)
    names = allowed if text == "all" else tuple(text.split(","))
    if unknown := [name for name in names if name not in allowed]:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: choose all, or some of {', '.join(allowed)}")
    return names


def _field_of(defaults: dict[str, str | int | float | bool]):
    """A parser of ``FIELD=VALUE``, the value of the type of that field's default."""

    def parse(text: str) -> tuple[str, str | int | float | bool]:
        name, equals, value = text.partition("=")
        if not equals or name not in defaults:
            raise argparse.ArgumentTypeError(f"{text!r} is not FIELD=VALUE; the fields are: {', '.join(defaults)}")
        usual = defaults[name]
        try:
            if isinstance(usual, bool):
                return name, {"true": True, "false": False}[value.lower()]
            return name, type(usual)(value)
        except (KeyError, ValueError):
            kind = {bool: "true or false", int: "a whole number", float: "a number"}[type(usual)]
            raise argparse.ArgumentTypeError(f"{name} takes {kind}, not {value!r}") from None

    return parse


def resolve(args: argparse.Namespace) -> Recipe:
    """The recipe that was asked for, with everything that overrides it.

    Raises:
        InputError: if the settings contradict each other.
    """
    recipe = RECIPES[args.recipe]
    network = replace(PAPER_CONFIG, width=recipe.network.width) if args.paper else recipe.network
    changes = ABLATIONS[args.ablation] if args.ablation else {}
    for name, value in (("width", args.width), *args.set):
        if value is None:
            continue
        if changes.get(name, value) != value:
            raise InputError(f"{name} is given as {changes[name]} and as {value}; leave one of them out")
        changes = changes | {name: value}
    given = {"batch": args.batch, "rate": args.rate, "precision": args.precision, "average": args.ema}
    given |= {"small_share": args.small_share, "schedule": args.schedule}
    asked = {"adversarial": args.adversarial}
    if args.layers:
        asked |= dict(zip(("perceptual", "style"), _LAYERS[args.layers], strict=True))
    try:
        in_network = tuple(name for name in args.printed if name in PRINTED)
        in_losses = tuple(name for name in args.printed if name in PRINTED_LOSSES)
        network = replace(network, printed=in_network, **changes)
        weights = replace(recipe.objective.weights, **dict(args.loss))
        objective = replace(recipe.objective, weights=weights, printed=in_losses, **_given(asked))
        optimization = replace(recipe.optimization, **_given(given))
    except ValueError as error:
        raise InputError(str(error)) from None
    return Recipe(recipe.name, network, objective, optimization).resolved()


def _given(options: dict) -> dict:
    return {name: value for name, value in options.items() if value is not None}


def run(args: argparse.Namespace) -> int:
    _expect_own_options(args)
    if args.network == "amodal" and args.people is None:
        raise InputError("training amodal needs --people, a folder that synthesize people --layers wrote")
    if args.network in _LIMBS and args.people is None:
        raise InputError(f"training {args.network} needs --people, a folder that synthesize people wrote")
    if args.people is None and args.people_share is not None:
        raise InputError("--people-share needs --people")
    if args.people is None and args.people_share_alone is not None:
        raise InputError("--people-share-alone needs --people")
    if args.threads:
        torch.set_num_threads(args.threads)
    if args.network == "analyzer":
        return _analyzer(args)
    if args.network == "amodal":
        return _amodal(args)
    if args.network in _LIMBS:
        return _limbs(args)
    if args.network == "background":
        return _background(args)
    recipe = resolve(args)
    stage = args.stage or recipe.usual_stage
    if args.dry_run:
        processes = join(args.device)
        length = {"minutes": args.minutes, "steps": args.steps, "seed": args.seed, "device": processes.device}
        if processes.main:
            print(summary(args.data, recipe, stage, args.vgg, args.limit, length, processes, _rendered(args)))
        leave(processes)
        return 0
    train_generator.train(
        args.data,
        _out(args),
        recipe,
        args.minutes,
        stage,
        args.vgg,
        args.init,
        limit=args.limit,
        steps=args.steps,
        until=args.until,
        seed=args.seed,
        device=args.device,
        log_every=args.log_every,
        tensorboard=args.tensorboard,
        init_discriminator=args.init_discriminator,
        validate_every=args.validate_every,
        resume=args.resume,
        people=args.people,
        people_share_alone=args.people_share_alone,
        **_given({"people_share": args.people_share}),
    )
    return 0


def _expect_own_options(args: argparse.Namespace) -> None:
    """An option of another network would be left aside in silence, ``--dry-run`` among them.

    Raises:
        InputError: naming those.
    """
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    usual = vars(parser.parse_args([args.network]))
    own = {"analyzer": _OF_ANALYZER, "amodal": _OF_AMODAL, "background": _OF_BACKGROUND}
    own |= dict.fromkeys(_LIMBS, _OF_LIMBS)
    of_other = _NOT_OF_GENERATOR if args.network == "generator" else usual.keys() - set(own[args.network])
    given = sorted(f"--{name.replace('_', '-')}" for name in of_other if getattr(args, name) != usual[name])
    if given:
        raise InputError(f"train {args.network} does not take {', '.join(given)}; leave that out")


def _rendered(args: argparse.Namespace) -> Rendered | None:
    share = train_generator.PEOPLE_SHARE if args.people_share is None else args.people_share
    return None if args.people is None else Rendered(args.people, share, share_alone=args.people_share_alone)


def _out(args: argparse.Namespace) -> Path:
    if args.out is None:
        raise InputError("training needs --out, a folder for checkpoints, weights, log and sample sheets")
    return args.out


def _small(args: argparse.Namespace) -> dict[str, Any]:
    """What runs of all small networks take (``course.Course``)."""
    if args.minutes is None and args.steps is None:
        raise InputError(f"training {args.network} needs --minutes or --steps")
    return {
        "seed": args.seed,
        "steps": args.steps,
        "until": args.until,
        "validate_every": args.validate_every,
        "resume": args.resume,
        **_given({"batch": args.batch, "rate": args.rate, "people_share": args.people_share}),
    }


def _analyzer(args: argparse.Namespace) -> int:
    device = str(usable_device(args.device))
    common = _small(args) | {"device": device, "init": args.init, "people": args.people}
    if args.held_alone:
        others = {"--gentle": args.gentle, "--joints-alone": args.joints_alone, "--backbone": args.backbone}
        if given := [name for name, value in others.items() if value]:
            raise InputError(f"--held-alone changes no other layer; leave {', '.join(given)} out")
        network = train_held.train(args.data, _out(args), args.minutes, **common)
    else:
        common |= {"pseudo": not args.no_pseudo, "gentle": args.gentle, "joints_alone": args.joints_alone}
        network = train_analyzer.train(args.data, _out(args), args.minutes, args.backbone, **common)
    print(train_analyzer.score_crops(network, load_samples(args.data, "validation"), device))
    return 0


def _amodal(args: argparse.Namespace) -> int:
    train_amodal.train(args.people, _out(args), args.minutes, args.data, **_small(args))
    return 0


def _limbs(args: argparse.Namespace) -> int:
    train_limbs.train(
        _LIMBS[args.network], args.people, _out(args), args.minutes, args.data, init=args.init, **_small(args)
    )
    return 0


def _background(args: argparse.Namespace) -> int:
    train_background.train(args.data, _out(args), args.minutes, init=args.init, **_small(args))
    return 0
