"""Motion: key poses, and the pictures between them as GIF or MP4."""

from collections.abc import Iterator
from typing import Any

from app.commands.outcome import Changed, Outcome, Progress, Steps, sentences
from app.state.models import Engine
from app.state.session import Session
from pise_core.document import Motion
from pise_core.document.motion import encode_motion
from pise_core.document.references import PREVIEW_SIDE
from pise_core.model.turns import Kind

#: Long side of the pictures that are saved, in pixels, where the photo is that large.
SIDES = {"small": PREVIEW_SIDE, "large": 1280}
#: What is next with no key pose, with one, and with more.
_NEXT = (
    "There are no key poses.",
    "Two or more key poses make a motion; add another.",
    "Play it, or save it as GIF or MP4.",
)


def set_motion(session: Session, wanted: Motion, sequence: int = 0) -> Outcome:
    """Set key poses and pace."""
    document, sequence = session.need_document(), session.count(sequence)
    document.set_motion(wanted.keys, wanted.seconds, wanted.loop, wanted.times, wanted.easing)
    return Outcome(_NEXT[min(len(wanted.keys), 2)], changed=Changed.MOTION, sequence=sequence)


def load_motion(session: Session, text: str, sequence: int = 0) -> Outcome:
    """Make key poses of a file of poses, such as a clip's."""
    document, sequence = session.need_document(), session.count(sequence)
    count = document.load_motion(text)
    kept = len(document.edits.motion.keys)
    said = f"{count} pictures came as {kept} key poses." if kept < count else f"{count} key poses were loaded."
    return Outcome(f"{said} {_NEXT[2]}", changed=Changed.MOTION, sequence=sequence)


def follow_clip(engine: Engine, session: Session, path: Any) -> Steps:
    """Make key poses of the person in a video.

    Every picture waits for its own turn, and others come in between; the user may stop it.
    """
    document, clips = session.need_document(), []
    session.stopped = False
    yield Progress("Looking for somebody in that video…")
    following = engine.load().follow_clip(path)

    def stopped() -> bool:
        return session.stopped or session.document is not document

    def looked() -> Iterator[tuple[int, int]]:
        try:
            yield next(following)
        except StopIteration as end:
            clips.append(end.value)

    while not clips:
        for step in engine.line.steps(looked(), session, stopped, Kind.BATCH):
            if isinstance(step, int):
                yield Progress(ahead=step)
            else:
                yield Progress(f"Looking at picture {step[0]} of {step[1]}…", True, step=step[0], steps=step[1])
        if stopped():
            return Outcome("Stopped. The motion is as it was.")
    clip = clips[0]
    count, sequence = document.follow(clip.poses, clip.seconds), session.count(0)
    kept = len(document.edits.motion.keys)
    cut = "Only its beginning was taken." if clip.cut else ""
    said = f"{count} pictures of the video came as {kept} key poses."
    return Outcome(sentences([said, cut, _NEXT[2]]), changed=Changed.MOTION, sequence=sequence)


def save_motion(engine: Engine, session: Session, suffix: str, side: int) -> Steps:
    """Render the motion to a file, ``.gif`` or ``.mp4``; without one if the user has stopped it.

    It may take minutes: every picture waits for its own turn, and others come in between.
    """
    document, frames = session.need_document(), []
    makers = document.frames(side=side)
    count = len(makers)
    session.stopped = False

    def stopped() -> bool:
        return session.stopped or session.document is not document

    for number, make in enumerate(makers, 1):
        yield Progress(f"Rendering picture {number} of {count}…", True, step=number - 1, steps=count)
        for step in engine.line.steps((make() for make in [make]), session, stopped, Kind.BATCH):
            if isinstance(step, int):
                yield Progress(ahead=step)
            else:
                frames.append(step)
        if stopped():
            return Outcome("Stopped. Nothing was saved.")
    data = encode_motion(frames, suffix)
    name = f"{document.name}-motion"
    return Outcome(f"Saved as {name}{suffix}.", file=session.save(data, name, suffix, keep=1))


def stop_motion(session: Session) -> Steps:
    """Give up rendering the motion."""
    session.stopped = True
    yield Progress("Stopping…")
    return Outcome()
