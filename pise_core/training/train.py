"""``python -m pise_core train``: the analyzer, or the generator in one of its stages."""

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from pise_core.pise import SHIPPED_CONFIG, PISEConfig
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
    generator = parser.add_argument_group("generator")
    generator.add_argument("--stage", choices=train_generator.STAGES, default="apart")
    generator.add_argument("--paper", action="store_true", help="the paper's network: no colour path, no detail path")
    generator.add_argument("--width", type=int, default=SHIPPED_CONFIG.width, help="64 is the paper's")
    generator.add_argument("--vgg", type=Path, default=None, help="VGG-19 weights (safetensors); default: from the hub")
    generator.add_argument("--adversarial", type=float, default=0.0, help="weight of eq. 12")
    generator.add_argument("--limit", type=int, default=None, help="train on so many photos only")


def run(args: argparse.Namespace) -> int:
    if args.threads:
        torch.set_num_threads(args.threads)
    given = {k: v for k, v in (("batch", args.batch), ("rate", args.rate)) if v is not None}
    common = {"seed": args.seed, "device": args.device, **given}
    if args.network == "analyzer":
        network = train_analyzer.train(args.data, args.out, args.minutes, **common)
        print(train_analyzer.score_crops(network, load_samples(args.data, "test"), args.device))
        return 0
    config = PISEConfig(width=args.width) if args.paper else replace(SHIPPED_CONFIG, width=args.width)
    train_generator.train(
        args.data,
        args.out,
        args.minutes,
        config,
        args.stage,
        args.vgg,
        weights=LossWeights(adversarial=args.adversarial),
        limit=args.limit,
        **common,
    )
    return 0
