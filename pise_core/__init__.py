"""PISE: person image synthesis and editing, for photos of one's own."""

import importlib
from typing import TYPE_CHECKING, Any

from pise_core.version import __version__ as __version__

if TYPE_CHECKING:
    from pise_core.document import Document
    from pise_core.editor import Editor
    from pise_core.errors import HubUnreachable, InputError, NobodyFound
    from pise_core.images import read_photo
    from pise_core.model.network import PISE, PISEConfig
    from pise_core.parsing_files import read_parsing
    from pise_core.person import Edit, Person
    from pise_core.pose_files import read_pose, write_pose

__all__ = [
    "PISE",
    "Document",
    "Edit",
    "Editor",
    "HubUnreachable",
    "InputError",
    "NobodyFound",
    "PISEConfig",
    "Person",
    "read_parsing",
    "read_photo",
    "read_pose",
    "write_pose",
]

_MODULES = {
    "Document": "document",
    "Editor": "editor",
    "Edit": "person",
    "Person": "person",
    "PISE": "model.network",
    "PISEConfig": "model.network",
    "HubUnreachable": "errors",
    "InputError": "errors",
    "NobodyFound": "errors",
    "read_parsing": "parsing_files",
    "read_photo": "images",
    "read_pose": "pose_files",
    "write_pose": "pose_files",
}


def __getattr__(name: str) -> Any:
    # Imported on first use: torch takes seconds, and the command line answers mistakes without it.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
