"""PISE (Zhang et al., CVPR 2021): the parsing generator and the image generator, joined.

Tensors are NCHW float32; images in [-1, 1]; parsing one-hot (N, 8, H, W) in the order that ``PISEConfig.labels`` names
("studio" is that of ``regions.REGIONS``); poses as heat maps (N, 18, H, W). Height and width are multiples of 16; the
weights that ship were trained at 256x176.
"""

from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pise_core.errors import InputError
from pise_core.model.config import SHIPPED_CONFIG, PISEConfig
from pise_core.model.image_generator import ImageGenerator, SourceCode
from pise_core.model.parsing_generator import ParsingGenerator
from pise_core.model.weights import SHIPPED, fitted, read_model
from pise_core.regions import REGION_COUNT
from pise_core.skeleton import JOINT_COUNT

__all__ = ["FILE_NAME", "PISE", "SHIPPED_CONFIG", "Carry", "PISEConfig", "PISEOutput"]

FILE_NAME = "pise.safetensors"


class Carry(NamedTuple):
    """The source moved part by part to the wanted pose: the detail path's input."""

    image: Tensor  # (N, 3, H, W) in [-1, 1], 0 where nothing arrived
    trust: Tensor  # (N, 1, H, W) in [0, 1]
    parsing: Tensor  # (N, 8, H, W) one-hot where known, all zero where not


class PISEOutput(NamedTuple):
    """What the whole network answers."""

    image: Tensor  # (N, 3, H, W) in [-1, 1]
    parsing: Tensor  # (N, 8, H, W) one-hot, or soft as configured: the map that the image was made on
    style_codes: Tensor  # (N, 8, code)
    parsing_logits: Tensor | None  # (N, 8, H, W); None when the map was given
    painted: Tensor  # (N, 3, H, W): the generator's picture before carried pixels were blended in
    gate: Tensor  # (N, 1, H, W) in [0, 1]: share of carried pixels, where these are fully trusted
    matched: Tensor  # (N, C, H/4, W/4): F_n of eq. 8


class PISE(nn.Module):
    """``model(source_image, source_parsing, source_pose, target_pose)`` does pose transfer; with ``target_parsing``
    region editing; with ``style_codes`` texture transfer and interpolation."""

    def __init__(self, config: PISEConfig | None = None):
        super().__init__()
        self.config = config = config or PISEConfig()
        self.parsing_generator = ParsingGenerator(config) if config.parsing_generator else None
        self.image_generator = ImageGenerator(config)

    @classmethod
    def from_pretrained(cls, path: str | Path | None = None) -> "PISE":
        """Network and weights of a file, or of ``pise.safetensors`` in a folder; without a path, those that ship.

        Raises:
            InputError: if the file is missing, damaged, or holds another network.
        """
        file = Path(path) if path is not None else SHIPPED
        file = file / FILE_NAME if file.is_dir() or not file.suffix else file
        name, config, tensors = read_model(file)
        if name != cls.__name__:
            raise InputError(f"{file} holds a network called {name}, not {cls.__name__}")
        try:
            known = PISEConfig(**config)
            model = fitted(lambda: cls(known), tensors)
        except (TypeError, ValueError, RuntimeError, OverflowError) as error:
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise InputError(f"the weights in {file} do not fit their configuration ({reason})") from None
        return model.eval()

    def encode(self, image: Tensor, parsing: Tensor) -> SourceCode:
        """What depends on the source alone: compute it once, render many times (``forward(..., source=...)``).

        ``image``: (N, 3, H, W) in [-1, 1]; ``parsing``: (N, 8, H, W) one-hot.
        """
        return self.image_generator.encode(image, parsing)

    def generate_parsing(
        self, source_parsing: Tensor, source_pose: Tensor, target_pose: Tensor, carried: Tensor | None = None
    ) -> Tensor:
        """Logits (N, 8, H, W) of the map in the wanted pose.

        Args:
            source_parsing: (N, 8, H, W) one-hot.
            source_pose, target_pose: (N, 18, H, W) heat maps.
            carried: (N, 8, H, W), see ``Carry.parsing``.

        Raises:
            InputError: if these weights come without a parsing generator.
        """
        if self.parsing_generator is None:
            raise InputError("these weights edit regions and styles only; for another pose use others")
        return self.parsing_generator(source_parsing, source_pose, target_pose, carried)

    def forward(
        self,
        source_image: Tensor,
        source_parsing: Tensor,
        source_pose: Tensor,
        target_pose: Tensor,
        target_parsing: Tensor | None = None,
        style_codes: Tensor | None = None,
        carry: Carry | None = None,
        source: SourceCode | None = None,
    ) -> PISEOutput:
        """Generate.

        Args:
            source_image: (N, 3, H, W) in [-1, 1].
            source_parsing: (N, 8, H, W) one-hot.
            source_pose, target_pose: (N, 18, H, W) heat maps.
            target_parsing: (N, 8, H, W) one-hot (or soft, where the configuration says so); without it the parsing
                generator makes the map.
            style_codes: (N, 8, code) to use instead of the source's own.
            carry: input of the detail path; without it the path stays silent.
            source: from :meth:`encode`, when it is already known.

        Each may have a batch of one, which then serves all: one encoded source and many poses, for instance.

        Raises:
            InputError: on shapes that do not fit.
        """
        if source_image.ndim != 4 or source_image.shape[1] != 3:
            raise InputError(f"the source image must be (N, 3, H, W), not {tuple(source_image.shape)}")
        height, width = source_image.shape[2:]
        if height % 16 or width % 16 or min(height, width) < 32:
            raise InputError(f"height and width must be multiples of 16 and at least 32, not {height}x{width}")
        given = [source_image, source_parsing, source_pose, target_pose, target_parsing, style_codes, *(carry or ())]
        given += [] if source is None else [source.styles]
        count = max(len(tensor) for tensor in given if tensor is not None)
        maps = [(source_parsing, REGION_COUNT), (source_pose, JOINT_COUNT), (target_pose, JOINT_COUNT)]
        maps += [] if target_parsing is None else [(target_parsing, REGION_COUNT)]
        maps += [] if carry is None else list(zip(carry, (3, 1, REGION_COUNT), strict=True))
        for tensor, channels in (source_image, 3), *maps:
            if tuple(tensor.shape[1:]) != (channels, height, width) or len(tensor) not in (1, count):
                expected = (count, channels, height, width)
                raise InputError(f"expected a tensor of shape {expected}, got {tuple(tensor.shape)}")
        if source is not None and len(source.styles) not in (1, count):
            raise InputError(f"the encoded source is of a batch of {len(source.styles)}, and the rest of {count}")
        source = source or self.encode(source_image, source_parsing)
        if style_codes is not None:
            expected = (count, *source.styles.shape[1:])
            if style_codes.shape[1:] != expected[1:] or len(style_codes) not in (1, count):
                raise InputError(f"style codes must be of shape {expected}, not {tuple(style_codes.shape)}")
            source = source._replace(styles=style_codes)
        source = source.expand(count)
        source_image, source_parsing, source_pose, target_pose = (
            _expanded(tensor, count) for tensor in (source_image, source_parsing, source_pose, target_pose)
        )
        target_parsing = None if target_parsing is None else _expanded(target_parsing, count)
        carry = None if carry is None else Carry(*(_expanded(tensor, count) for tensor in carry))
        logits = None
        if target_parsing is None:
            logits = self.generate_parsing(
                source_parsing, source_pose, target_pose, None if carry is None else carry.parsing
            )
            # By tanh and not as a sigmoid: exact zeros count where the last region that isn't 0 wins.
            target_parsing = (torch.tanh(logits) + 1) / 2 if self.config.soft_parsing else _straight_through(logits)
        carried = None if carry is None else (carry.image, carry.trust)
        made = self.image_generator(source, source_image, source_parsing, target_parsing, target_pose, carried)
        return PISEOutput(made.image, target_parsing, source.styles, logits, made.painted, made.gate, made.matched)


def _expanded(tensor: Tensor, count: int) -> Tensor:
    """A batch of one as a batch of ``count``, without a copy; another as it is."""
    return tensor if len(tensor) == count else tensor.expand(count, *tensor.shape[1:])


def _straight_through(logits: Tensor) -> Tensor:
    """One-hot argmax whose gradient is that of the softmax, so that end-to-end training reaches the map."""
    soft = logits.softmax(1)
    hard = F.one_hot(soft.argmax(1), soft.shape[1]).permute(0, 3, 1, 2).to(soft.dtype)
    return hard + soft - soft.detach() if soft.requires_grad else hard
