"""``python -m pise_core train``: the analyzer, or the generator in one of its stages."""

import argparse
from dataclasses import asdict, replace
from pathlib import Path

import torch

from pise_core.config import ABLATIONS, SHIPPED_CONFIG, PISEConfig
from pise_core.errors import InputError
from pise_core.training import train_analyzer, train_generator
from pise_core.training.losses import LossWeights
from pise_core.training.samples import load_samples


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("network", choices=["analyzer", "generator"])
    parser.add_argument("--data", type=Path, default=Path("prepared"), help="folder that prepare wrote")
    parser.add_argument("--out", type=Path, required=True, help="checkpoints, weights, log and sample sheets go here")
    parser.add_argument(
        "--minutes", type=float, required=True, help="wall clock of the whole run, over all resumptions"
    )
    parser.add_argument("--batch", type=int, default=None)
    parser.add_argument("--rate", type=float, default=None, help="peak learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=None, help="CPU threads")
    analyzer = parser.add_argument_group("analyzer")
    analyzer.add_argument(
        "--backbone", type=Path, default=None, help="torchvision's SqueezeNet 1.1 (.pth); default: from the hub"
    )
    generator = parser.add_argument_group("generator")
    generator.add_argument("--stage", choices=train_generator.STAGES, default="apart")
    generator.add_argument("--paper", action="store_true", help="the paper's network: no colour path, no detail path")
    generator.add_argument("--ablation", choices=ABLATIONS, help="the paper's network as in its section 4.3")
    generator.add_argument("--width", type=int, default=SHIPPED_CONFIG.width, help="64 is the paper's")
    generator.add_argument(
        "--set",
        action="append",
        default=[],
        type=_field_of(asdict(PISEConfig())),
        metavar="FIELD=VALUE",
        help="a field of PISEConfig, such as matching=target; may be repeated",
    )
    generator.add_argument("--init", type=Path, default=None, help="pise.safetensors to begin with")
    generator.add_argument(
        "--small-share", type=float, default=0.45, help="share of the time that frames are of half size (first)"
    )
    generator.add_argument("--steps", type=int, default=None, help="stop after so many, if the minutes last")
    generator.add_argument("--vgg", type=Path, default=None, help="VGG-19 weights (safetensors); default: from the hub")
    generator.add_argument(
        "--loss",
        action="append",
        default=[],
        type=_field_of(asdict(LossWeights())),
        metavar="TERM=WEIGHT",
        help="weight of a loss term, such as adversarial=0.1 for eq. 12; 0 leaves it out; may be repeated",
    )
    generator.add_argument("--limit", type=int, default=None, help="train on so many photos only")


def _field_of(defaults: dict[str, str | int | float | bool]):
    """A parser of ``FIELD=VALUE``, the value of the type of that field's default."""

    def parse(text: str) -> tuple[str, str | int | float | bool]:
        name, _, value = text.partition("=")
        try:
            if isinstance(defaults[name], bool):
                return name, {"true": True, "false": False}[value.lower()]
            return name, type(defaults[name])(value)
        except (KeyError, ValueError):
            raise argparse.ArgumentTypeError(
                f"{text!r} is not FIELD=VALUE; the fields are: {', '.join(defaults)}; flags are true or false"
            ) from None

    return parse


def run(args: argparse.Namespace) -> int:
    if args.threads:
        torch.set_num_threads(args.threads)
    given = {k: v for k, v in (("batch", args.batch), ("rate", args.rate)) if v is not None}
    common = {"seed": args.seed, "device": args.device, **given}
    if args.network == "analyzer":
        network = train_analyzer.train(args.data, args.out, args.minutes, args.backbone, **common)
        print(train_analyzer.score_crops(network, load_samples(args.data, "test"), args.device))
        return 0
    try:
        base = ABLATIONS[args.ablation or "full"] if args.paper or args.ablation else SHIPPED_CONFIG
        config = replace(base, width=args.width, **dict(args.set))
    except ValueError as error:
        raise InputError(str(error)) from None
    train_generator.train(
        args.data,
        args.out,
        args.minutes,
        config,
        args.stage,
        args.vgg,
        args.init,
        steps=args.steps,
        small_share=args.small_share,
        weights=replace(LossWeights(), **dict(args.loss)),
        limit=args.limit,
        **common,
    )
    return 0
