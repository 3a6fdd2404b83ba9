"""What looks at photos or renders many: downloads come first, beside the line, then its turn; and it can be stopped."""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from app.state.queueing import Line
from app.state.session import Session
from app.state.uploads import read_once, received
from app.values import field
from app.view import updates as view
from app.view.studio import Studio
from app.view.updates import Update, Updates
from pise_core.model.turns import Kind

#: Actions that leave something half done if they are not carried out.
_TO_THE_END = ("render", "prepare")
#: Actions that make pictures of what is open; all others that stand in line look at photos.
_PICTURES = ("render", "strip")
#: Actions whose first input is a file, or several, that the server must not keep.
_UPLOADS = ("open_upload", "add_uploads", "borrow_pose", "follow_clip", "edit_photos")


def in_turn(
    studio: Studio, line: Line, session: Session, action: str, inputs: tuple[Any, ...], updates: Updates
) -> Generator[Update | int, None, None]:
    """The ``updates`` of an action when it is its turn in the line, and before that how many others come first.

    When the user has had enough, the action is left where its status line says that it can be stopped, and as long as
    it waits.
    """
    kind = Kind.EXACT if action in _PICTURES else Kind.OPENING
    if action in _TO_THE_END:
        yield from line.steps(updates, session, kind=kind)
        return
    before = session.stops

    def stopped() -> bool:
        return session.stops != before

    with uploads(action, inputs):
        work, can_stop = _steps(studio, line, session, inputs, updates, stopped, kind), True
        for update in work:
            said = view.waiting(session, update, stop=True) if isinstance(update, int) else update
            yield said
            can_stop = view.can_stop(said)
            if stopped() and can_stop:
                work.close()
        if stopped() and can_stop:
            # The menus show what was not loaded to the end.
            menus = view.chosen(studio.weights, session)
            yield menus | {"bar": view.status("ok", "Stopped.", session)["bar"] | menus["bar"]}


@contextmanager
def uploads(action: str, inputs: tuple[Any, ...]) -> Iterator[None]:
    """The files that were sent for an action, as long as they are needed; afterwards the server keeps no copy."""
    with ExitStack() as sent:
        for path in sent_for(action, inputs):
            sent.enter_context(read_once(received(path)))
        yield


def sent_for(action: str, inputs: tuple[Any, ...]) -> list[Any]:
    """The paths of the files that were sent for an action."""
    if action == "restore":
        return [field(inputs[0], "file")]
    if action in _UPLOADS:
        return inputs[0] if isinstance(inputs[0], list) else [inputs[0]]
    return []


def _steps(
    studio: Studio,
    line: Line,
    session: Session,
    inputs: tuple[Any, ...],
    updates: Updates,
    stopped: Callable[[], bool],
    kind: Kind,
) -> Generator[Update | int, None, None]:
    yield from studio.fetch(session, *inputs)
    yield from line.steps(updates, session, stopped, kind)
