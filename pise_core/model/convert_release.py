"""``python -m pise_core convert``: a checkpoint of the authors' release becomes a weights file of ours.

The release (github.com/Zhangjinso/PISE) saves bare dictionaries of tensors: ``latest_net_G.pth`` for pose transfer,
another for texture transfer and region editing, ``latest_net_D.pth`` for the discriminator. Which one it is follows
from the names inside. Nothing in the file is executed.
"""

import argparse
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from pise_core.errors import InputError
from pise_core.model.config import LABELS, POSE_COLUMNS, RELEASE_CONFIG, RELEASE_EDITING_CONFIG, PISEConfig
from pise_core.model.discriminator import Discriminator
from pise_core.model.network import PISE
from pise_core.model.weights import check_finite, save_model, write_tensors

#: Our blocks and layers under the names they have in the release. The longest prefix counts.
_GENERATOR = {
    **{f"parsing_generator.down.{i}": f"parnet.conv{i + 1}" for i in range(4)},
    **{f"parsing_generator.deform.{i}": f"parnet.deform{i + 3}" for i in range(2)},
    **{f"parsing_generator.up.{i}": f"parnet.up{i + 1}" for i in range(4)},
    "parsing_generator.out.conv": "parnet.parout.conv1",
    **{f"image_generator.style_encoder.body.{i}": f"Zencoder.block{i}" for i in range(6)},
    "image_generator.style_encoder.body.6": "Zencoder.get_code.0",
    **{f"image_generator.layout_encoder.body.{i}": f"parenc.block{i}" for i in range(4)},
    **{f"image_generator.layout_encoder.body.{i + 4}": f"parenc.deform{i + 3}" for i in range(2)},
    **{f"image_generator.layout_encoder.body.{i + 6}": f"parenc.block{i + 4}" for i in range(2)},
    "image_generator.matching.features": "imgenc.vgg",
    "image_generator.per_region.norm": "efb.norm",
    "image_generator.per_region.gamma": "efb.conv_gamma",
    "image_generator.per_region.beta": "efb.conv_beta",
    "image_generator.before": "res",
    "image_generator.spatial.gamma": "getMatrix.get_gamma",
    "image_generator.spatial.beta": "getMatrix.get_beta",
    "image_generator.spatial.query": "theta",
    "image_generator.spatial.key": "phi",
    "image_generator.after": "res1",
    "image_generator.up1": "dec.block0",
    "image_generator.refine1": "dec.block1",
    "image_generator.up2": "dec.block2",
    "image_generator.refine2": "dec.block3",
    "image_generator.out.norm": "dec.out.model.0",
    "image_generator.out.conv": "dec.out.conv1",
}
_DISCRIMINATOR = {"body.0": "block0", **{f"body.{i}": f"encoder{i - 1}" for i in range(1, 4)}, "out": "conv"}
_LAYERS = {"norm1": "model.0", "conv1": "model.2", "norm2": "model.3", "conv2": "model.5", "shortcut": "shortcut.0"}
_GATED = {"feature": "gated_conv", "gate": "mask_conv"}
_JUDGING = {"conv1": "model.1", "conv2": "model.3", "shortcut": "shortcut.1"}
#: Registered twice in the release: the last convolution of an output block.
_TWINS = {f"{block}.model.3.": f"{block}.conv1." for block in ("parnet.parout", "parnet.makout", "dec.out")}
#: In the files, but without a say in any picture: a mask head, two scalars, VGG beyond what is compared, and in the
#: editing network the whole spatial-aware block.
_UNUSED = (
    "parnet.makout.",
    "efb.blending_",
    *(f"imgenc.vgg.{layer}." for layer in (12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34)),
)
_UNUSED_IN_EDITING = ("getMatrix.", "theta.", "phi.", "res1.")
#: Names under which training programs keep a network; of several, the first.
_WRAPPERS = (
    "net_G", "netG", "generator", "gen", "model_G", "G", "params_ema", "ema", "ema_model", "g_ema", "G_ema",
    "state_dict", "model_state_dict", "state", "model", "params", "network", "net", "weights", "net_D", "netD",
    "discriminator", "model_D", "D",
)  # fmt: skip
#: Of these, the names that stand for the generator where several networks lie side by side, each under its own.
_GENERATORS = _WRAPPERS[: _WRAPPERS.index("state_dict")]
#: What else programs call a dictionary of tensors: the wrapper's name with this behind it.
_BEHIND = "_state_dict"
#: So many tensors are a network: what lies among them is kept beside it.
_NETWORK = 10
#: What the release's initialization leaves of VGG-19 where a run began from scratch: orthogonal, of this gain.
_RANDOM_GAIN = 0.02

#: Twice as many as the release's own networks have where their width is read.
MOST_CHANNELS = 512


def _unwrapped(found: Any, name: str) -> dict[str, Tensor]:
    """The tensors of a network, by the release's names, out of what training programs wrap about them: dictionaries
    within dictionaries, with the optimizer beside.

    Raises:
        InputError: if no network is in it; what is there is named.
    """
    for _ in range(4):
        if not isinstance(found, dict) or not found:
            break
        tensors = {k: v for k, v in found.items() if isinstance(k, str) and isinstance(v, Tensor)}
        if len(tensors) == len(found) or len(tensors) >= _NETWORK:
            return _unprefixed(tensors)
        if {"state", "param_groups"} <= found.keys():
            raise InputError(f"{name} holds the state of an optimizer, and no network")
        wrapped = {str(key).removesuffix(_BEHIND): value for key, value in found.items() if isinstance(value, dict)}
        wrapped |= {str(key): value for key, value in found.items() if isinstance(value, dict)}
        inner = [key for key in _WRAPPERS if wrapped.get(key)]
        if not inner:
            break
        found = wrapped[inner[0]]
    keys = ", ".join(str(key)[:40] for key in list(found)[:6]) if isinstance(found, dict) else type(found).__name__
    raise InputError(f"{name} holds no named tensors of a network but {keys or 'nothing'}")


def _unprefixed(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same without what every name begins with: names of wrappers, not of the network's own parts."""
    while True:
        heads = {key.partition(".")[0] for key in tensors}
        ours = [name for name in _GENERATORS if name in heads]
        if len(heads) > 1 and ours:  # the generator beside the discriminator and losses, as Lightning saves them
            tensors = {key: value for key, value in tensors.items() if key.startswith(f"{ours[0]}.")}
        elif len(heads) != 1 or not heads <= {"module", *_WRAPPERS, "_orig_mod"}:
            return tensors
        tensors = {key.partition(".")[2]: value for key, value in tensors.items()}


def _loaded(path: Path) -> Any:
    """What a file of torch holds, or one of safetensors, to which people convert such files."""
    try:
        with safe_open(str(path), "pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError):
        return torch.load(path, map_location="cpu", weights_only=True)


class Checkpoint:
    """Tensors by the names of the release, and an account of which were used: good for one conversion.

    Args:
        tensors: as found in the file.
        name: of the file, for messages.

    Raises:
        InputError: if twins differ.
    """

    def __init__(self, tensors: dict[str, Tensor], name: str):
        self.name = name
        self.tensors: dict[str, Tensor] = {}
        for key, value in tensors.items():
            while key.startswith("module."):  # of parallel training
                key = key.removeprefix("module.")
            for twin, original in _TWINS.items():
                if key.startswith(twin):
                    key = original + key[len(twin) :]
            if key in self.tensors and not torch.equal(self.tensors[key], value):
                raise InputError(f"{name} is damaged: it holds two different tensors for {key}")
            self.tensors[key] = value
        self._used: set[str] = set()
        self._missing: list[str] = []

    @classmethod
    def read(cls, path: Path) -> "Checkpoint":
        """
        Raises:
            InputError: if the file is missing, or holds anything but named tensors.
        """
        if not path.is_file():
            raise InputError(f"there is no file {path}")
        try:
            found = _loaded(path)
        except Exception as error:  # A damaged file fails in as many ways as it can be damaged
            strange = re.search(r"Unsupported (?:global|class)[^:]*: GLOBAL ([\w.]+)", str(error))
            if strange:
                raise InputError(
                    f"{path.name} holds a Python object ({strange[1]}) beside or instead of plain tensors, and is not "
                    "opened; save the network's state_dict() alone"
                ) from None
            raise InputError(f"{path.name} is not a PyTorch checkpoint of plain tensors, or it is damaged") from None
        tensors = _unwrapped(found, path.name)
        size = path.stat().st_size
        for key, value in tensors.items():
            # A view of little can be declared to be of any size.
            if value.layout != torch.strided or value.is_quantized or value.numel() * value.element_size() > size:
                raise InputError(f"{path.name} is damaged: {key} is no plain tensor")
        check_finite(tensors, path.name)
        return cls(tensors, path.name)

    def take(self, name: str, shape: torch.Size) -> Tensor:
        """The tensor of that name; one that is missing is noted, and stands as zeros until :meth:`check`."""
        if name not in self.tensors:
            self._missing.append(name)
            return torch.zeros(shape)
        self._used.add(name)
        value = self.tensors[name]
        if not shape and value.numel() == 1:
            value = value.reshape(())
        if value.shape != shape:
            raise InputError(f"{self.name}: {name} is {tuple(value.shape)}, expected {tuple(shape)}")
        return value.float() if value.is_floating_point() else value

    def weight(self, name: str, shape: torch.Size, transposed: bool) -> Tensor:
        """A layer's weight; spectral normalization, where there is any, is folded in as it counts in evaluation."""
        if f"{name}_orig" not in self.tensors:
            return self.take(name, shape)
        weight = self.take(f"{name}_orig", shape)
        # Transposed convolutions have their outputs in the second dimension.
        matrix = (weight.transpose(0, 1) if transposed else weight).flatten(1).double()
        u = self.take(f"{name}_u", matrix.shape[:1]).double()
        v = self.take(f"{name}_v", matrix.shape[1:]).double()
        return (weight / (u @ matrix @ v)).float()

    def channels(self, name: str, least: int = 1) -> int:
        """The first dimension of a tensor, from which the width of the network follows.

        Raises:
            InputError: if it is none of such a network.
        """
        value = self.tensors[name]
        if value.ndim == 0 or not least <= len(value) <= MOST_CHANNELS:
            raise InputError(f"{self.name}: {name} is {tuple(value.shape)}, which no network of the release has")
        return len(value)

    def check(self, unused: tuple[str, ...] = ()) -> None:
        """
        Raises:
            InputError: if a tensor was missing, or is there and means nothing to us; all of them are named.
        """
        extra = [name for name in self.tensors if name not in self._used and not name.startswith(unused)]
        findings = ("lacks", self._missing), ("also has", extra)
        said = [f"{finding} {', '.join(sorted(names))}" for finding, names in findings if names]
        if said:
            raise InputError(f"{self.name} is not of the known release: it {' and '.join(said)}")


def _release_name(name: str, blocks: dict[str, str], layers: dict[str, str]) -> str:
    """The release's name of one of our tensors."""
    prefix = max((p for p in blocks if name.startswith(f"{p}.")), key=len)
    rest = name[len(prefix) + 1 :].split(".")
    return ".".join([blocks[prefix], *(layers.get(word, word) for word in rest)])


def convert_generator(
    checkpoint: Checkpoint, labels: str = "pgn", pose_columns: str = "stretched"
) -> tuple[PISE, dict[str, str]]:
    """A network with the weights of a generator checkpoint, and notes for its metadata.

    Args:
        checkpoint: ``latest_net_G.pth`` for pose transfer or for editing.
        labels: the order of regions that it was trained on, "pgn" or "spl8" (see ``conventions``).
        pose_columns: "stretched" for the released weights, "aligned" for those trained since April 2021.

    Raises:
        InputError: if the file is no such checkpoint; missing and unknown tensors are named.
    """
    if "Zencoder.get_code.0.weight" not in checkpoint.tensors:
        raise InputError(f"{checkpoint.name} is no network of the release: it lacks Zencoder.get_code.0.weight")
    editing = not any(name.startswith("parnet.") for name in checkpoint.tensors)
    config = _configuration(checkpoint, RELEASE_EDITING_CONFIG if editing else RELEASE_CONFIG)
    model = PISE(replace(config, labels=labels, pose_columns=pose_columns))
    tensors: dict[str, Tensor] = {}
    # Editing compares nothing with VGG's features: a file may come without.
    without_vgg = editing and not any(name.startswith("imgenc.") for name in checkpoint.tensors)
    for name, wanted in model.state_dict().items():
        if without_vgg and name.startswith("image_generator.matching."):
            tensors[name] = torch.zeros_like(wanted)
            continue
        if name.endswith(("per_region.weight", "per_region.bias")):
            leaf = name.rpartition(".")[2]
            rows = [checkpoint.take(f"efb.fc_mu{j}.{leaf}", wanted.shape[1:]) for j in range(len(wanted))]
            tensors[name] = torch.stack(rows)
            continue
        theirs = _release_name(name, _GENERATOR, _LAYERS | _GATED)
        module = model.get_submodule(name.rpartition(".")[0])
        if name.endswith(".weight"):
            tensors[name] = checkpoint.weight(theirs, wanted.shape, isinstance(module, nn.ConvTranspose2d))
        else:
            tensors[name] = checkpoint.take(theirs, wanted.shape)
    checkpoint.check((*_UNUSED, *(_UNUSED_IN_EDITING if editing else ())))
    check_finite(tensors, checkpoint.name)  # spectral normalization may divide by zero
    model.load_state_dict(tensors, assign=True)
    source = "authors' release, editing" if editing else "authors' release, pose transfer"
    return model.eval(), {"source": source, "vgg": vgg_of(model)}


def _configuration(checkpoint: Checkpoint, config: PISEConfig) -> PISEConfig:
    width = checkpoint.channels("Zencoder.get_code.0.weight", least=4) // 4
    first = checkpoint.tensors.get("parenc.block0.model.2.weight_orig")
    channels = 37 if first is None or first.ndim != 4 else first.shape[1]
    if channels not in (19, 37):
        raise InputError(f"{checkpoint.name}: the layout encoder takes {channels} channels; 37 and 19 are known")
    return replace(config, width=width, layout_pose=channels == 37)


def vgg_of(model: PISE) -> str:
    """What the matching encoder knows: "trained"; "random", where its first layer is what the release's orthogonal
    initialization makes of it; "none", where the file held none and zeros stand for it."""
    weight = model.image_generator.matching.features["0"].get_parameter("weight").detach()
    if not weight.any():
        return "none"
    spread = torch.linalg.svdvals(weight.flatten(1))
    return "random" if (spread / _RANDOM_GAIN - 1).abs().max() < 0.02 else "trained"


def convert_discriminator(checkpoint: Checkpoint) -> Discriminator:
    """The discriminator with the weights of ``latest_net_D.pth``; spectral normalization stays, to go on training.

    Raises:
        InputError: if the file is no such checkpoint; missing and unknown tensors are named.
    """
    if "block0.model.1.bias" not in checkpoint.tensors:
        raise InputError(f"{checkpoint.name} is no discriminator of the release: it lacks block0.model.1.bias")
    model = Discriminator(checkpoint.channels("block0.model.1.bias"))
    spectral = {"parametrizations.weight.original": "weight_orig"}
    spectral |= {f"parametrizations.weight.0._{vector}": f"weight_{vector}" for vector in "uv"}
    tensors = {}
    for name, wanted in model.state_dict().items():
        theirs = _release_name(name, _DISCRIMINATOR, _JUDGING)
        for ours, old in spectral.items():
            theirs = theirs.replace(ours, old)
        tensors[name] = checkpoint.take(theirs, wanted.shape)
    checkpoint.check()
    model.load_state_dict(tensors)
    return model.eval()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoint", type=Path, help="latest_net_G.pth or latest_net_D.pth of the authors' release")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.safetensors", help="weights file to write")
    parser.add_argument(
        "--labels",
        choices=[name for name in LABELS if name != "studio"],
        default="pgn",
        help="the order of regions it was trained on: pgn is the merge of PGN's labels that the authors published "
        "(default), spl8 what was seen in their label files",
    )
    parser.add_argument(
        "--pose-columns",
        choices=POSE_COLUMNS,
        default="stretched",
        help="where joints were drawn in training: stretched for the released weights (default), aligned for weights "
        "trained with their code as of April 2021 or later",
    )


def run(args: argparse.Namespace) -> int:
    if args.out.suffix != ".safetensors":
        raise InputError(f"{args.out} must end in .safetensors")
    if not args.out.parent.is_dir():
        raise InputError(f"the folder {args.out.parent} is not there")
    checkpoint = Checkpoint.read(args.checkpoint)
    if "block0.model.1.bias" in checkpoint.tensors:
        model = convert_discriminator(checkpoint)
        config = {"width": len(model.state_dict()["body.0.conv1.bias"])}
        metadata = {"format": "pt", "network": "Discriminator", "config": json.dumps(config)}
        write_tensors(args.out, model.state_dict(), metadata)
        print(f"discriminator -> {args.out}")
        return 0
    model, notes = convert_generator(checkpoint, args.labels, args.pose_columns)
    save_model(args.out, model, source=notes["source"], vgg=notes["vgg"])
    print(f"{notes['source']}, labels {args.labels}, pose columns {args.pose_columns} -> {args.out}")
    if notes["vgg"] == "random":
        print("its VGG was never trained: matching by looks counts for little, as in the run that made it")
    if notes["vgg"] == "none":
        print("it holds no VGG, and editing needs none")
    return 0
