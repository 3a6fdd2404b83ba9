"""Three recipes: ours, the paper's and the release's. A recipe fixes network, objective and optimization."""

from dataclasses import asdict, dataclass, field, replace

from pise_core.model.config import PAPER_CONFIG, RELEASE_CONFIG, SHIPPED_CONFIG, PISEConfig
from pise_core.training.generator.losses import DEEP_PERCEPTUAL, DEEP_STYLE, LossWeights, Objective

SCHEDULES = ("cosine", "constant")
#: A batch is so many times larger on frames of half size.
SMALL_BATCH = 4
#: VGG-19's own width: only there can the network carry its very weights.
VGG_WIDTH = 64


@dataclass(frozen=True)
class Optimization:
    """How the networks learn.

    Attributes:
        batch: pairs a step and process, on full frames.
        rate: learning rate of the generators, at its peak.
        critic_rate: the discriminator's, as a share of that.
        betas: of Adam.
        schedule: "cosine": warm-up, then down to a hundredth at the end. "constant".
        clip: largest norm of the generators' gradient; 0 leaves it as it is.
        average: decay of the moving average of the weights (EMA), which is what is written; 0 writes the last ones.
        precision: of convolutions, "fp32", "bf16" or "fp16".
        small_share: share of the run, at its start, on half-size frames with ``SMALL_BATCH`` times the batch.
        initial: "torch": its layers' own. "orthogonal": as the release begins, gain 0.02, no bias.
        spectral_norm: encoders and decoder of the image generator are spectrally normalized while they learn.
        critic_first: the discriminator learns before the generators in each step, else after them.
    """

    batch: int = 4
    rate: float = 1e-3
    critic_rate: float = 0.5
    betas: tuple[float, float] = (0.5, 0.99)
    schedule: str = "cosine"
    clip: float = 5.0
    average: float = 0.998
    precision: str = "bf16"
    small_share: float = 0.45
    initial: str = "torch"
    spectral_norm: bool = False
    critic_first: bool = False


@dataclass(frozen=True)
class Recipe:
    """Everything that a run's result depends on beside its data, stage, seed and length."""

    name: str
    network: PISEConfig
    objective: Objective = field(default_factory=Objective)
    optimization: Optimization = field(default_factory=Optimization)

    @property
    def usual_stage(self) -> str:
        """The stage where nobody asks for one: the release trains end to end only."""
        return "joint" if self.name == "release" else "apart"

    def resolved(self) -> "Recipe":
        """The same as it will be done: a network of another width learns VGG's features instead of having them, and one
        that has them does not learn them."""
        if self.objective.matching == "distilled":
            return self
        if self.network.width != VGG_WIDTH:
            return replace(self, objective=replace(self.objective, matching="distilled"))
        weights = replace(self.objective.weights, distillation=0.0)
        return replace(self, objective=replace(self.objective, weights=weights))

    def to_dict(self) -> dict:
        """Nested, of numbers, words and lists."""
        return {name: _listed(value) for name, value in asdict(self).items()}


def _listed(value: object) -> object:
    if isinstance(value, dict):
        return {name: _listed(inner) for name, inner in value.items()}
    return list(value) if isinstance(value, tuple) else value


#: What the release's trainer sets; the paper is silent on all of it.
_RELEASED = Optimization(
    batch=8,
    rate=1e-4,
    critic_rate=0.1,
    betas=(0.9, 0.999),
    schedule="constant",
    clip=0.0,
    average=0.0,
    precision="fp32",
    small_share=0.0,
    initial="orthogonal",
    critic_first=True,
)
_RELEASED_WEIGHTS = LossWeights(
    parsing_l1=100.0,
    correspondence=0.0,
    reconstruction=5.0,
    perceptual=0.5,
    style=200.0,
    adversarial=2.0,
    painted=0.0,
    face=0.0,
)
#: Eq. 4-12 as printed, with the release's weights, which the paper does not print; 30 is what the release gives eq. 8
#: before it leaves that out of the sum. The 1/N of eq. 6 is not there, and eq. 12 is non-saturating, see ``losses``.
_PRINTED = Objective(
    weights=replace(_RELEASED_WEIGHTS, correspondence=30.0),
    judged="picture",
    perceptual=DEEP_PERCEPTUAL,
    style=DEEP_STYLE,
    conditional=False,
    matching="vgg",
)

RECIPES = {
    "shipped": Recipe("shipped", SHIPPED_CONFIG),
    "paper": Recipe("paper", PAPER_CONFIG, _PRINTED, _RELEASED),
    "release": Recipe(
        "release",
        RELEASE_CONFIG,
        replace(_PRINTED, weights=_RELEASED_WEIGHTS, map_values="bounded", statistics=False, adversarial="lsgan"),
        replace(_RELEASED, spectral_norm=True),
    ),
}
