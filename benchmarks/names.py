"""Where things lie in the builds that can be measured: the project as it is, and as it was before it had rooms."""

try:  # as it is
    from app.state.detectors import BUILT_IN
    from app.state.session import Session
    from app.view.studio import Studio
    from pise_core.model.network import PISE, Carry
    from pise_core.model.vgg import VGGSlice
    from pise_core.skeleton import JOINT
    from pise_core.training.data.sources import open_source
    from pise_core.training.generator.recipes import RECIPES
    from pise_core.training.generator.trainer import Trainer
except ModuleNotFoundError:  # up to 683fe59
    from app.actions import Studio  # pyright: ignore[reportMissingImports]
    from app.detectors import BUILT_IN  # pyright: ignore[reportMissingImports]
    from app.session import Session  # pyright: ignore[reportMissingImports]
    from pise_core.networks.vgg import VGGSlice  # pyright: ignore[reportMissingImports]
    from pise_core.pise import PISE, Carry  # pyright: ignore[reportMissingImports]
    from pise_core.training.recipes import RECIPES  # pyright: ignore[reportMissingImports]
    from pise_core.training.sources import open_source  # pyright: ignore[reportMissingImports]
    from pise_core.training.trainer import Trainer  # pyright: ignore[reportMissingImports]

    from pise_core.pose import JOINT  # pyright: ignore[reportAttributeAccessIssue]

try:  # as the studio's process begins
    from app.state.memory import few_pools, keep_freed

    few_pools()
    keep_freed()
except ImportError:  # it left memory as it was
    pass

__all__ = ["BUILT_IN", "JOINT", "PISE", "RECIPES", "Carry", "Session", "Studio", "Trainer", "VGGSlice", "open_source"]
