"""A photo and everything that is asked of it: edits and their history, references, and the ``.pise`` file."""

from pise_core.document.document import Document
from pise_core.document.edits import Edits, Motion
from pise_core.document.references import Reference
from pise_core.document.renderer import Rendered

__all__ = ["Document", "Edits", "Motion", "Reference", "Rendered"]
