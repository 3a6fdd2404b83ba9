"""What the page sends with each of its events; below this the values are trusted."""

from typing import Annotated, Any, TypeVar

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from app.state.session import EXPIRED, Session
from app.values import (
    STRICT,
    Carriers,
    Count,
    FileBytes,
    GarmentName,
    KeptEdits,
    MotionKeys,
    OneOf,
    Pose,
    PoseText,
    Quality,
    Recolours,
    RegionName,
    Says,
    ShareBox,
    Styles,
    Wear,
    refusal,
)
from pise_core.document import Document
from pise_core.document.cuts import CUTS
from pise_core.document.paint import PaintLayer, working_size
from pise_core.errors import InputError
from pise_core.label_sets import LABEL_SETS

#: A painted layer before a stroke and after it.
Stroke = tuple[PaintLayer | None, PaintLayer | None]
_Model = TypeVar("_Model", bound="Sent")


class Sent(BaseModel):
    """What every event may have; fields that nobody asked for are ignored.

    Attributes:
        seq: the order number of the request, 0 if it has none.
        after: that of the edit before this one; None if this is no edit.
        document: what the page showed when it was sent, 0 for nothing yet.
    """

    model_config = STRICT

    seq: Count = 0
    after: Annotated[int | None, Field(ge=0, lt=2**52), Says("that request is damaged; reload the page")] = None
    document: Count = 0

    @classmethod
    def of(cls: type[_Model], value: Any) -> _Model:
        """The values in what was sent; in none, if that is no JSON object.

        Raises:
            InputError: on a field that is missing or makes no sense.
        """
        try:
            return cls.model_validate(value if isinstance(value, dict) else {})
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name = str(first["loc"][0])
            raise refusal(name, first, cls.model_fields[name].metadata) from None

    def meant_for(self, session: Session) -> None:
        """Refuse what was meant for another document than that of now.

        Raises:
            InputError: if the session has another document open by now, or never had that one.
        """
        if 0 < self.document < session.first:
            raise InputError(EXPIRED)
        if self.document not in (0, session.number):
            raise InputError("another photo was opened meanwhile; that edit was for the one before, and was not made")


class Holding(Sent):
    """What held things go with was chosen."""

    held: Carriers


class Weights(Sent):
    """Other weights were chosen."""

    name: Annotated[str, Says("choose one of the weights in the menu")]


class Chosen(Sent):
    """One of several was chosen, counted from 0."""

    index: Annotated[int, Says("choose one of those on the page")]


class Posed(Sent):
    """A pose is wanted."""

    keypoints: Pose


class Placed(Posed):
    """Joints were placed by hand; ``anyway`` if they are meant although hardly any person is under them."""

    anyway: bool = False


class PoseFile(Sent):
    """The text of a file of poses; ``person`` says which one is meant, from 0, the largest if None."""

    text: PoseText
    person: Annotated[int | None, Says("which person of the file is meant is a whole number, from 0")] = None


class Painted(Sent):
    """A stroke: the packed layer with it, and as ``before`` the one without; see :class:`PaintLayer`."""

    labels: Any = None
    before: Any = None

    def stroke(self, document: Document) -> Stroke:
        """The painted layer before and after, of the photo's working size; None where nothing is painted.

        Without ``before`` the stroke is taken to be made on the current layer.

        Raises:
            InputError: if one is damaged, or of another size.
        """
        height, width = document.photo.shape[:2]
        size = working_size(width, height)
        after = PaintLayer.from_client(self.labels, size)
        if "before" not in self.model_fields_set:
            return document.painted(), after
        return None if self.before is None else PaintLayer.from_client(self.before, size), after


class Marked(Sent):
    """Places were marked, a packed layer of 0 and ``regions.UNTOUCHED``."""

    labels: Any = None

    def marked(self, document: Document) -> np.ndarray:
        """(h, w) bool of the photo's working size.

        Raises:
            InputError: if the layer is damaged, or of another size.
        """
        height, width = document.photo.shape[:2]
        size = working_size(width, height)
        layer = PaintLayer.from_client(self.labels, size)
        return np.zeros(size[::-1], bool) if layer is None else layer.labels() == 0


class Retouched(Marked):
    """Places were marked: ``remove`` what is in front there, or heal them."""

    remove: bool = False


class PaintedHeld(Marked):
    """Something held was marked over the photo; ``erase`` if nothing is held there."""

    erase: bool = False


class MapFile(Sent):
    """A file with a map of regions, and whose labels it has."""

    name: Annotated[str, Says("choose that file again")]
    table: Annotated[str, OneOf(("regions", *LABEL_SETS))]
    data: FileBytes


class Cut(Sent):
    """Another cut of what is worn is wanted."""

    change: Annotated[str, OneOf(CUTS)]


class Looks(Sent):
    """What is borrowed, recoloured and worn; None stays as it is."""

    styles: Styles | None = None
    recolour: Recolours | None = None
    wear: Wear | None = None


class Wanted(Painted, Looks):
    """A preview with other edits than those of now; what is None is as it is."""

    keypoints: Pose | None = None


class History(Sent):
    """A step through the history; ``within`` if it may not lead to another photo."""

    within: bool = False


class Travel(Sent):
    """A step of the history was chosen, 0 for the photo as it was opened."""

    position: Annotated[int, Says("there is no such step")]


class PictureFile(Sent):
    """The picture is wanted as a file, and what the page wants it for."""

    format: Annotated[str, OneOf(("png", "jpg", "webp", "ora"))]
    use: Annotated[str, OneOf(("download", "copy", "share"))]
    quality: Quality = None
    cut_out: bool = False


class Reference(Sent):
    """A reference was chosen, by its id."""

    reference: Annotated[str, Says("that reference is gone; choose another one")]


class Mix(Reference):
    """Steps from the own look of a region to a reference's are wanted."""

    region: RegionName


class Region(Sent):
    """A region was chosen."""

    region: RegionName


class WaitingGarment(Sent):
    """A photo of a garment that waits was chosen, by its id."""

    garment: Annotated[str, Says("add the photo of the garment again")]


class WornGarment(WaitingGarment):
    """Somebody wears what is in a photo of a garment, in a box of it."""

    box: ShareBox


class MarkedGarment(WaitingGarment):
    """The garment in a photo was marked."""

    box: ShareBox
    region: GarmentName


class MotionFile(Sent):
    """The text of a file of poses that shows a motion."""

    text: PoseText


class Moved(Sent):
    """Key poses or pace of the motion were changed."""

    motion: MotionKeys


class MotionPictures(Sent):
    """The motion is wanted as a file."""

    format: Annotated[str, OneOf(("gif", "mp4"))]
    size: Annotated[str, OneOf(("small", "large"))]


class Keep(Sent):
    """The browser keeps the work; ``have`` is the key of the pictures that it has already."""

    have: str | None = None


class Kept(Sent):
    """The edits of work that the browser has kept; its pictures are an upload, ``file``."""

    edits: KeptEdits
