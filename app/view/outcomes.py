"""What the page is told of an action: its progress and its outcome as updates."""

from collections.abc import Generator
from typing import Any

from app.commands.outcome import Changed, Outcome, Progress, Steps, sentences
from app.state.session import Session
from app.view import updates as view
from app.view.updates import Update, Updates, rendering, status


def shown(session: Session, work: Outcome | Steps, weights: tuple[str, ...]) -> Updates:
    """Carry out an action, and tell the page how far it is and what it has led to.

    Args:
        session: of the page.
        work: the action, or the outcome of one that was carried out at once.
        weights: the names of all that can be chosen.
    """
    outcome = work if isinstance(work, Outcome) else (yield from progress_of(session, work))
    if update := _outcome(session, outcome, weights):
        yield update


def progress_of(session: Session, work: Steps) -> Generator[Update, None, Outcome]:
    """Carry out an action, tell the page how far it is, and return its outcome."""
    while True:
        try:
            progress = next(work)
        except StopIteration as end:
            return end.value
        if update := _progress(session, progress):
            yield update


def _progress(session: Session, progress: Progress) -> Update:
    update = _changed(session, progress.changed, None)
    if progress.steps:
        update["motion"] = {"progress": view.counted(progress.step, progress.steps)}
    if progress.ahead:
        return update | view.waiting(session, progress.ahead, progress.can_stop)
    if progress.note:
        return update | status("busy", progress.note, session, stop=progress.can_stop)
    return update


def _outcome(session: Session, outcome: Outcome, weights: tuple[str, ...]) -> Update:
    changed, document = outcome.changed, session.document
    update: Update = {}
    if Changed.DOCUMENT in changed and document is None:
        update = view.unplaced(session)
    elif Changed.DOCUMENT in changed and document is not None:
        session.painter_is_told(document.edits)
        update = view.document(session, document)
    else:
        update = _changed(session, changed, outcome.sequence)
    if outcome.choice is not None and "pose" in update:
        count, taken = outcome.choice
        update["pose"]["pose"]["choice"] = {"count": count, "taken": taken}
    if outcome.doubted is not None:
        update["pose"] = {"pose": view.doubted(session, outcome.doubted)}
    if outcome.file:
        update["bar"] = view.file(outcome.file)
    if Changed.WEIGHTS in changed:
        menus = view.chosen(weights, session)
        update |= menus | {"bar": update.get("bar", {}) | menus["bar"]}
    said = _said(session, outcome)
    if "bar" in update and said:
        said["bar"] = update["bar"] | said["bar"]
    return update | said


def _changed(session: Session, changed: Changed, sequence: int | None) -> Update:
    update: Update = {}
    textures: dict[str, Any] = {}
    document = session.document
    if Changed.POSE in changed and document is not None:
        update["pose"] = {"pose": view.pose(document, sequence)}
    if Changed.MOTION in changed:
        update["motion"] = {"motion": view.motion(document, sequence)}
    if Changed.LOOKS in changed:
        textures["styles"] = view.styles(document, sequence)
    if Changed.REFERENCES in changed:
        textures["references"] = view.references(session)
    if Changed.GARMENTS in changed:
        textures["garment"] = view.garment(session)
    return update | ({"textures": textures} if textures else {})


def _said(session: Session, outcome: Outcome) -> Update:
    """The status line: the picture that follows, what did not go as wanted, or what has happened."""
    if Changed.EDITS in outcome.changed:
        return rendering(session)
    if outcome.warnings:
        return status("error", sentences(outcome.warnings), session)
    if outcome.note:
        return status("hint" if outcome.question else "ok", outcome.note, session)
    return {}
