"""Motion: key poses, and the pictures between them as GIF or MP4; one method per action, as in :mod:`app.actions`."""

import time
from typing import Any

from app import checks, page
from app.engine import Engine
from app.page import Updates, status
from app.session import Session
from pise_core.document.motion import encode_motion, motion_poses


class MotionActions(Engine):
    """The actions, over one editor that all sessions share."""

    def commit_motion(self, session: Session, value: Any) -> Updates:
        """Key poses were added, moved or taken away, or the pace was changed; ``value`` is ``{"motion"}``."""
        document = session.need_document()
        motion = checks.field(value, "motion")
        keys, seconds, loop = (checks.field(motion, name) for name in ("keys", "seconds", "loop"))
        document.set_motion(keys, seconds, loop is True)
        yield {"motion": {"motion": page.motion(document)}} | status(
            "ok", "Play it, or save it as GIF or MP4.", session
        )

    def save_motion(self, session: Session, value: Any) -> Updates:
        """Render the motion, and hand it out; ``value`` is ``{"format": "gif" or "mp4"}``."""
        suffix = "." + checks.choice(value, "format", ("gif", "mp4"))
        document, frames = session.need_document(), []
        edits = document.edits
        count = len(motion_poses(edits.motion))
        pictures = document.frames(edits)
        session.stopped = False
        try:
            for number in range(1, count + 1):
                if session.stopped or session.document is not document:
                    yield {"motion": {"progress": False}} | status("ok", "Stopped. Nothing was saved.", session)
                    return
                news = {"progress": {"done": number - 1, "of": count, "at": time.time()}}
                yield {"motion": news} | status("busy", f"Rendering picture {number} of {count}…", session)
                frames.append(next(pictures))
            data = encode_motion(frames, suffix)
        except Exception:
            yield {"motion": {"progress": False}}
            raise
        name = f"{document.name}-motion"
        yield page.file(session, data, name, suffix) | {"motion": {"progress": False}}
        yield status("ok", f"Saved as {name}{suffix}.", session)

    def stop_motion(self, session: Session, value: Any) -> Updates:
        """Give up rendering the motion."""
        session.stopped = True
        yield status("busy", "Stopping…", session)
