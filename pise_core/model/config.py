"""The configurations of PISE: ours, the paper's with its ablations, and the release's, all of the same modules."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

ENCODING = ("joint", "global", "local")
SPATIAL = ("paper", "release", "off")
MATCHING = ("source", "target")
MASKS = ("share", "last")
LABELS = ("studio", "pgn", "spl8")
CANVAS = ("frame", "square")
POSE_COLUMNS = ("aligned", "stretched")
#: The largest ``width`` and ``modulation``: 16 times the paper's network. What asks for more is damaged.
LARGEST = 1024
#: Places where a network can follow the paper's print to the letter, see ``PISEConfig.printed``.
PRINTED = ("gated_convolution", "pooling", "source_code", "two_layers", "feature", "matrix")


def in_order(names: Sequence[str], allowed: tuple[str, ...]) -> tuple[str, ...]:
    """Names of places in the paper, each once and in the order of ``allowed``.

    Raises:
        ValueError: if one is none of them.
    """
    if unknown := [name for name in names if name not in allowed]:
        raise ValueError(f"printed: {', '.join(map(str, unknown))} is none of {', '.join(allowed)}")
    return tuple(name for name in allowed if name in names)


@dataclass(frozen=True)
class PISEConfig:
    """Architecture, and what the inputs must look like; stored inside the weights file.

    Attributes:
        width: scales every layer's channels; 64 is the paper's size.
        modulation: channels of scale and bias in spatial-aware normalization; it divides 4 ``width``. The paper leaves
            it open, the authors' release carries one.
        colour_path: each region's mean colour is part of its style code and the ground of its picture. Not in
            the paper.
        detail_path: the source carried part by part feeds and finishes the picture. Not in the paper.
        carried_shades: spatial-aware normalization carries the source's colours too, relative to their region's mean.
            Needs the colour path. Not in the paper.
        smooth: a fixed small blur follows the image generator's transposed convolutions, which leaves no grid in
            plain cloth. Not in the paper.
        encoding: where a region's style code comes from. "joint": its own mean, and the mean of everything where the
            source does not show it (eq. 2). "global" (Global-Enc of section 4.3): the mean of everything for every
            region. "local" (Local-Enc): its own mean, and zeros where the source does not show it.
        matching: the places that the softmax of spatial-aware normalization runs over: "source", or "target" as in
            the release.
        spatial: "paper": spatial-aware normalization by eq. 3, scale and bias read off the source code F_i. "release":
            relu3_1 of an image without ImageNet's statistics is compared in patches, after a learned layer, and scale
            and bias are read off it. "off": without, and without the residual block that follows.
        masks: how the regions of a full-size map are found in a feature map. "share": by how much of each cell they
            cover. "last", the release: by every fourth pixel, where the last region that isn't exactly 0 wins.
        soft_parsing: the generated map enters the image generator as 8 values in [0, 1], each for itself, as in the
            release. Otherwise as the one-hot map of the highest.
        normalized_inputs: the encoders begin with an instance normalization of images and maps, as in the release.
        layout_pose: the wanted pose is an input of the image generator; an early editing network went without.
        parsing_generator: there is one. The release's editing network has none and takes painted maps only.
        labels: the order of the 8 regions, see ``conventions``.
        canvas: "frame": 256x176, the person on neutral grey. "square": 256x256, on white, with white columns left and
            right of the frame.
        pose_columns: where joints lie on the square. "aligned": as the pixels do. "stretched": as the released weights
            learned it, see ``conventions``.
        printed: where the network follows the paper's print to the letter instead of the reading that the authors'
            release and the weights that ship share. "gated_convolution": eq. 1 without bias and without the
            normalization behind it. "pooling": eq. 2 divides a region's sum by the size of the whole map.
            "source_code": F_i is what the two transposed convolutions of 3.2.1 leave, without a 1x1 convolution and
            tanh. "two_layers": two fully connected layers give scale and bias of 3.2.2. "feature": F_n is what
            per-region normalization leaves, without a residual block. "matrix": the matrix of eq. 3 is multiplied as
            it is, without a softmax. Each costs quality or stability; ``docs/paper.md`` says why.
    """

    width: int = 64
    modulation: int = 1
    colour_path: bool = False
    detail_path: bool = False
    carried_shades: bool = False
    smooth: bool = False
    encoding: str = "joint"
    matching: str = "source"
    spatial: str = "paper"
    masks: str = "share"
    soft_parsing: bool = False
    normalized_inputs: bool = False
    layout_pose: bool = True
    parsing_generator: bool = True
    labels: str = "studio"
    canvas: str = "frame"
    pose_columns: str = "aligned"
    printed: tuple[str, ...] = ()

    def __post_init__(self):
        # In the paper's order, whatever the order was; files hold it as a list.
        object.__setattr__(self, "printed", in_order(self.printed, PRINTED))
        choices = {"encoding": ENCODING, "matching": MATCHING, "spatial": SPATIAL, "masks": MASKS}
        choices |= {"labels": LABELS, "canvas": CANVAS, "pose_columns": POSE_COLUMNS}
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} is one of {', '.join(allowed)}, not {str(getattr(self, name))[:40]}")
        for name in ("width", "modulation"):
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= LARGEST:
                raise ValueError(f"{name} is a whole number from 1 to {LARGEST}, not {str(value)[:40]}")
        if self.spatial != "off" and 4 * self.width % self.modulation:
            raise ValueError(
                f"modulation {self.modulation} must divide 4 times the width, {4 * self.width} channels; choose "
                "another width or modulation"
            )
        if self.carried_shades and not (self.colour_path and self.spatial == "paper"):
            raise ValueError("carried_shades needs colour_path and the paper's spatial-aware normalization")
        if "matrix" in self.printed and self.spatial != "paper":
            raise ValueError("printed: the matrix of eq. 3 is that of the paper's spatial-aware normalization")

    def to_dict(self) -> dict:
        return asdict(self)


#: The configuration of the weights that ship.
SHIPPED_CONFIG = PISEConfig(width=16, modulation=16, colour_path=True, detail_path=True, smooth=True)

#: The paper's network as it was trained there, on whole pictures of 256x256.
PAPER_CONFIG = PISEConfig(canvas="square")

#: The four models of section 4.3 and Table 2, by what is changed in a network that is whole.
ABLATIONS: dict[str, dict[str, Any]] = {
    "global-enc": {"encoding": "global"},
    "local-enc": {"encoding": "local"},
    "without-sn": {"spatial": "off"},
    "full": {},
}

#: What the authors' pose transfer network computes (repository Zhangjinso/PISE, commit e1972cc).
RELEASE_CONFIG = PISEConfig(
    matching="target",
    spatial="release",
    masks="last",
    soft_parsing=True,
    normalized_inputs=True,
    labels="pgn",
    canvas="square",
    pose_columns="stretched",
)

#: Their network for texture transfer and region editing: a given map, no spatial-aware block.
RELEASE_EDITING_CONFIG = replace(RELEASE_CONFIG, spatial="off", soft_parsing=False, parsing_generator=False)
