"""Actions as Gradio calls them: the session is found, edits wait for their turn, and errors go to the status line."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from weakref import WeakSet

import gradio as gr

from app.commands.outcome import sentence
from app.guard import visitor_of
from app.state.observing import observed
from app.state.places import Full
from app.state.queueing import Line
from app.state.registry import Sessions
from app.state.session import Session, Waiting
from app.state.uploads import forget, keep
from app.state.visitors import Visitor
from app.turns import in_turn, sent_for, uploads
from app.values import field
from app.view import updates as view
from app.view.events import Sent
from app.view.studio import Studio
from app.view.updates import Updates, status
from pise_core.errors import InputError

log = logging.getLogger(__name__)

SORRY = "Something went wrong; your work is kept. Try again, or undo the last step."

#: Actions that begin something where nothing was open, and so need a place.
_OPENS = ("open_upload", "open_file_example", "add_uploads", "add_references_example", "restore")


class Handlers:
    """The handlers of a page.

    Args:
        studio: the actions.
        sessions: of all pages.
        line: of those who wait for the networks.
        parts: the parts of the page that updates name; there is a ``bar`` among them, with the status line.
    """

    def __init__(self, studio: Studio, sessions: Sessions, line: Line, parts: Mapping[str, Any]) -> None:
        self._studio, self._sessions, self._line, self._parts = studio, sessions, line, parts
        self._refused: WeakSet[Session] = WeakSet()  # those whose newest action was refused

    def of(self, action: Callable[..., Updates], in_line: bool, follows: bool = False) -> Callable[..., Any]:
        """The action for Gradio.

        Args:
            action: a method of the studio, or of the same kind.
            in_line: whether it waits for the networks.
            follows: whether it only completes another one. It is silent then if that one was refused: the user is to
                read why.
        """
        bar = self._parts["bar"]

        def run(request: gr.Request, *inputs: Any) -> Iterator[dict]:
            owner, value = request.session_hash or "", inputs[0] if inputs else None
            known, starts = self._sessions.knows(owner), action == self._studio.start
            if starts:
                known, session = True, self._sessions.adopt(owner, field(value, "session"))
            else:
                session = self._sessions.of(owner)
            visitor = visitor_of(request.headers)
            # Gradio wants at least one answer, and not every action has one. A page whose session was lost goes on with
            # a new one, in which nothing is open.
            yield {bar: gr.update()} if known else self._named(self._studio.introduce(session))
            if not follows:
                self._refused.discard(session)
            if action == self.knock:
                yield from self._let_in(session, visitor)
                return
            yield from carried_out(session, visitor, inputs)
            if starts:  # perhaps a page that was reloaded at the door
                yield from self._let_in(session, visitor)

        def carried_out(session: Session, visitor: Visitor, inputs: tuple[Any, ...]) -> Iterator[dict]:
            name, opens = action.__name__, action.__name__ in _OPENS
            if opens:
                _give_up(session)
            try:
                with observed(name), self._sessions.at_work(session, visitor, opens), uploads(name, inputs):
                    for update in self._updates(action, session, inputs, in_line):
                        if follows and session in self._refused:
                            update = without_status(update)
                        yield self._named(update)
                return
            except Full as full:
                self._refused.add(session)
                sent = sent_for(name, inputs)
                session.waiting = Waiting(lambda visitor: carried_out(session, visitor, inputs), sent, session.stops)
                yield self._named(view.at_the_door(session, sentence(full.waits), min(20, 4 + full.ahead)))
                return
            except InputError as error:
                text = str(error)
            except Exception:
                log.exception("%s failed", name)
                text = SORRY
            self._refused.add(session)
            _forget(sent_for(name, inputs))  # where it was refused before anything of it was read
            yield {bar: gr.update(**_problem(text, session))}

        return run

    def knock(self, session: Session) -> Updates:
        """What the page asks now and then while all places are taken: to begin what waits; :meth:`of` does it."""
        yield from ()

    def _let_in(self, session: Session, visitor: Visitor) -> Iterator[dict]:
        """Go on with what waits for a place; it waits on, in its place of the line, if there is none yet."""
        waiting = session.waiting
        if waiting is None:
            return
        if session.stops != waiting.stops:
            _give_up(session)
            yield self._named(status("hint", "Stopped. Open a photo of a person, or choose an example.", session))
            return
        session.waiting = None
        for path in waiting.sent:
            keep(path)
        yield from waiting.run(visitor)

    def _updates(
        self, action: Callable[..., Updates], session: Session, inputs: tuple[Any, ...], in_line: bool
    ) -> Iterator[view.Update]:
        updates = in_order(session, inputs[0] if inputs else None, action(session, *inputs))
        if in_line:
            updates = in_turn(self._studio, self._line, session, action.__name__, inputs, updates)
        for update in updates:
            if not isinstance(update, int):
                yield update
            elif action != self._studio.prepare or not (session.document is None or session.document.untouched):
                yield view.waiting(session, update)  # of preparing nothing is to be seen without an edit

    def _named(self, update: view.Update) -> dict[Any, Any]:
        token = update.get("bar", {}).get("session")
        if token is not None:  # for every part that asks past the queue
            asking = [name for name, part in self._parts.items() if "session" in getattr(part, "props", ())]
            update = {name: {"session": token} for name in asking} | update
        return {self._parts[name]: gr.update(**properties) for name, properties in update.items()}


def in_order(session: Session, value: Any, updates: Updates) -> Updates:
    """Make an edit when those before it are made; its updates, and its error, follow. What is no edit is done as it
    comes."""
    sent = Sent.of(value)
    if sent.after is None:
        sent.meant_for(session)
        yield from updates
        return
    made: list[view.Update] = []
    problem: Exception | None = None
    with session.order.turn(sent.seq, sent.after):
        try:
            sent.meant_for(session)
            made.extend(updates)
        except Exception as error:
            problem = error
        session.count(sent.seq)  # the picture without a refused edit is newer than the previews of it
    yield from made
    if problem is not None:
        raise problem


def without_status(update: view.Update) -> view.Update:
    """The update, with the status line left as it is."""
    if "status" not in update.get("bar", {}):
        return update
    return update | {"bar": {name: value for name, value in update["bar"].items() if name != "status"}}


def _forget(sent: Iterable[Any]) -> None:
    for path in sent:
        forget(path)


def _give_up(session: Session) -> None:
    """Nothing waits for a place any more, and the files that were sent for it go."""
    waiting, session.waiting = session.waiting, None
    if waiting is not None:
        _forget(waiting.sent)


def _problem(text: str, session: Session) -> dict[str, Any]:
    return status("error", sentence(text), session)["bar"]
