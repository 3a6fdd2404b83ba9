"""What a browser or a program sent, parsed once: below this the values are trusted.

What an event of the page sends is a JSON object, and has a model in :mod:`app.view.events`. The parameters of an
endpoint are parsed by their types, with :func:`parser`. Both raise :class:`pise_core.errors.InputError` with a line
that says what to do. What depends on the session, such as whether there is a reference of that id, is left to whoever
knows the session.
"""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import ErrorDetails, core_schema

from pise_core.document import Motion
from pise_core.document.edits import checked_motion, checked_pose
from pise_core.errors import InputError
from pise_core.held import CARRIERS
from pise_core.regions import GARMENTS, REGIONS
from pise_core.rendering.recolour import Recolour, checked_recolours

#: Of what type a value is, is not guessed: "1" is no number.
STRICT = ConfigDict(strict=True, frozen=True, arbitrary_types_allowed=True)
#: Characters of a file of poses at most.
TEXT_LIMIT = 10_000_000
#: Characters of the edits that a browser keeps at most; :data:`app.guard.BODY_LIMIT` lets them through.
KEPT_LIMIT = 48_000_000


def field(value: Any, name: str) -> Any:
    """One entry of a JSON object, None if it is not there or ``value`` is no object."""
    return value.get(name) if isinstance(value, dict) else None


@dataclass(frozen=True)
class Says:
    """What is said when a field is refused, unless its validator raises an InputError."""

    text: str


@dataclass(frozen=True)
class OneOf:
    """A text is one of these."""

    names: tuple[str, ...]

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        """For pydantic."""
        return core_schema.literal_schema(list(self.names))


def _motion(value: Any) -> Motion:
    keys, seconds, times, easing = (field(value, name) for name in ("keys", "seconds", "times", "easing"))
    return checked_motion(keys, seconds, field(value, "loop") is True, times, "even" if easing is None else easing)


def _bytes(text: Any) -> bytes:
    if not isinstance(text, str) or len(text) > KEPT_LIMIT:
        raise InputError("the edits did not come along; try again")
    return _decoded(text, "the edits are damaged; open the photo again")


def _file(text: Any) -> bytes:
    if isinstance(text, str) and len(text) > KEPT_LIMIT:
        raise InputError(f"that file is larger than {KEPT_LIMIT * 3 // 4 / 1e6:g} MB; save it as a PNG")
    return _decoded(text, "that file did not arrive whole; choose it again")


def _decoded(text: Any, otherwise: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise InputError(otherwise) from None


def _short(text: str) -> str:
    if len(text) > TEXT_LIMIT:
        raise InputError(f"that file is larger than {TEXT_LIMIT / 1e6:g} MB; choose one of fewer pictures")
    return text


def _sorted(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = box
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


#: The number of a request or of an opened document, which the page counts; 0 for none.
Count = Annotated[
    int,
    Field(ge=0, lt=2**52),
    BeforeValidator(lambda value: 0 if value is None else value),
    Says("that request is damaged; reload the page"),
]
#: 18 rows ``[x, y, score]``, null for a missing joint -> (18, 3) float32, in pixels of the photo; two joints at least.
Pose = Annotated[
    np.ndarray,
    PlainValidator(checked_pose),
    WithJsonSchema(TypeAdapter(list[list[float] | None]).json_schema()),
    Says("a pose has 18 keypoints, each [x, y, score] or null"),
]
#: The text of a file of poses.
PoseText = Annotated[str, AfterValidator(_short), Says("that file is no pose; choose a JSON file of joints")]
_Share = Annotated[float, Field(strict=True, ge=0, le=1)]
#: Two corners x0, y0, x1, y1 in shares of a picture's width and height -> the upper left one, then the lower right one.
ShareBox = Annotated[
    tuple[_Share, _Share, _Share, _Share],
    Field(strict=False),
    AfterValidator(_sorted),
    Says("draw a box around the garment"),
]
#: Of a picture's file, 1 to 100; null where it is not said.
Quality = Annotated[int | None, Field(ge=1, le=100), Says("quality is a whole number from 1 to 100")]
RegionName = Annotated[str, OneOf(REGIONS[1:])]
GarmentName = Annotated[str, OneOf(GARMENTS)]
Styles = Annotated[dict[str, dict[str, float]], Says("styles are given as {region: {id of a reference: weight}}")]
Wear = Annotated[dict[str, str], Says(f"what can be worn is {', '.join(GARMENTS)}; give {{region: id of a reference}}")]
Carriers = Annotated[list[str], Says(f"what held things go with is a list of {', '.join(CARRIERS)}")]
Recolours = Annotated[
    dict[str, Recolour], PlainValidator(checked_recolours), WithJsonSchema(TypeAdapter(dict[str, Any]).json_schema())
]
#: Key poses, seconds from one to the next, and whether they go on from the first after the last.
MotionKeys = Annotated[Motion, PlainValidator(_motion)]
#: The bytes of a file as base64.
FileBytes = Annotated[bytes, PlainValidator(_file), Says("that file did not arrive whole; choose it again")]
#: The edits of a document as text, for :func:`pise_core.document.file_reader.join`.
KeptEdits = Annotated[bytes, PlainValidator(_bytes), Says("the edits did not come along; try again")]

#: What pydantic calls a wrong value, and what a person does.
_IS = {
    "string_type": "is a text",
    "int_type": "is a whole number",
    "float_type": "is a number",
    "bool_type": "is true or false",
    "dict_type": "is a JSON object",
    "list_type": "is a list",
}


def parser(name: str, annotation: Any) -> Callable[[Any], Any]:
    """What makes a value of that type of what was sent for the parameter of that name, or raises an InputError."""
    adapter: TypeAdapter[Any] = TypeAdapter(annotation, config=STRICT)
    said = [mark for mark in getattr(annotation, "__metadata__", ()) if isinstance(mark, Says)]

    def parse(value: Any) -> Any:
        try:
            return adapter.validate_python(value)
        except ValidationError as error:
            raise refusal(name, error.errors(include_url=False)[0], said) from None

    return parse


def schema(annotation: Any) -> dict[str, Any]:
    """What a parameter of that type is sent as, as JSON schema."""
    return TypeAdapter(annotation, config=STRICT).json_schema()


def refusal(name: str, error: ErrorDetails, said: Sequence[Any] = ()) -> InputError:
    """What is said of a value that pydantic refuses: what its own validator says, else what its type does."""
    context = error.get("ctx", {})
    if isinstance(context.get("error"), InputError):
        return context["error"]
    for mark in said:
        if isinstance(mark, Says):
            return InputError(mark.text)
    if error["type"] == "literal_error":
        return InputError(f"{name} is one of: " + ", ".join(re.findall(r"'(.*?)'", context["expected"])))
    return InputError(f"{name} {_IS.get(error['type'], 'makes no sense')}")


def index(number: int, count: int, what: str) -> int:
    """The number, if it is from 0 and below ``count``.

    Raises:
        InputError: if it is not; ``what`` says of what.
    """
    if not 0 <= number < count:
        raise InputError(f"there is no such {what}")
    return number


def one_of(name: str, names: Sequence[str], what: str) -> str:
    """The name, if it is one of them.

    Raises:
        InputError: if it is not; ``what`` says of what.
    """
    if name not in names:
        raise InputError(f"choose one of: {', '.join(names)}" if names else f"there is no {what} to choose yet")
    return name
