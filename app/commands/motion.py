"""Motion: key poses, and the pictures between them as GIF or MP4; one method per action, as in
:mod:`app.commands.studio`."""

import time
from typing import Any

from app.commands import validation
from app.state.models import Engine
from app.state.session import Session
from app.view import updates as view
from app.view.updates import Updates, status
from pise_core.document.motion import encode_motion
from pise_core.document.references import PREVIEW_SIDE
from pise_core.errors import InputError

#: Long side of the pictures that are saved, in pixels, where the photo is that large.
SIDES = {"small": PREVIEW_SIDE, "large": 1280}
#: What is next with no key pose, with one, and with more.
_NEXT = (
    "There are no key poses.",
    "Two or more key poses make a motion; add another.",
    "Play it, or save it as GIF or MP4.",
)


class MotionActions(Engine):
    """The actions, over one editor that all sessions share."""

    def commit_motion(self, session: Session, value: Any) -> Updates:
        """Key poses were added, moved or taken away, or the pace was changed; ``value`` is
        ``{"seq", "motion"}``, or ``{"seq", "text"}`` with the contents of a file of poses, such as a clip's."""
        document, sequence = session.need_document(), session.count(validation.sequence(value))
        if validation.field(value, "text") is not None:
            count = document.load_motion(validation.text(value))
            news = {"motion": {"motion": view.motion(document, sequence)}}
            kept = len(document.edits.motion.keys)
            said = f"{count} pictures came as {kept} key poses." if kept < count else f"{count} key poses were loaded."
            yield news | status("ok", f"{said} {_NEXT[2]}", session)
            return
        motion = validation.field(value, "motion")
        keys, seconds, loop = (validation.field(motion, name) for name in ("keys", "seconds", "loop"))
        try:
            document.set_motion(keys, seconds, loop is True)
        except InputError:
            yield {"motion": {"motion": view.motion(document, sequence)}}  # the page shows what was refused
            raise
        news = {"motion": {"motion": view.motion(document, sequence)}}
        yield news | status("ok", _NEXT[min(len(keys), 2)], session)

    def save_motion(self, session: Session, value: Any) -> Updates:
        """Render the motion, and hand it out; ``value`` is ``{"format", "size"}``, gif or mp4 and small or large.

        It may take minutes: every picture waits for its own turn, and others come in between.
        """
        suffix = "." + validation.choice(value, "format", ("gif", "mp4"))
        side = SIDES[validation.choice(value, "size", tuple(SIDES))]
        document, frames = session.need_document(), []
        makers = document.frames(side=side)
        count = len(makers)
        session.stopped = False

        def stopped() -> bool:
            return session.stopped or session.document is not document

        try:
            for number, make in enumerate(makers, 1):
                news = {"progress": {"done": number - 1, "of": count, "at": time.time()}}
                yield {"motion": news} | status("busy", f"Rendering picture {number} of {count}…", session)
                for step in self.line.steps((make() for make in [make]), session, stopped):
                    if isinstance(step, int):
                        yield view.waiting(session, step)
                    else:
                        frames.append(step)
                if stopped():
                    yield {"motion": {"progress": False}} | status("ok", "Stopped. Nothing was saved.", session)
                    return
            data = encode_motion(frames, suffix)
        except Exception:
            yield {"motion": {"progress": False}}
            raise
        name = f"{document.name}-motion"
        yield view.file(session, data, name, suffix) | {"motion": {"progress": False}}
        yield status("ok", f"Saved as {name}{suffix}.", session)

    def stop_motion(self, session: Session, value: Any) -> Updates:
        """Give up rendering the motion."""
        session.stopped = True
        yield status("busy", "Stopping…", session)
