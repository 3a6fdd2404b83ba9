"""Motion: key poses, and the pictures between them as GIF or MP4; one method per action, as in :mod:`app.actions`."""

import time
from dataclasses import replace
from typing import Any

from app import checks, page
from app.engine import Engine
from app.page import Updates, status
from app.session import Session
from pise_core.animation import encode_gif, encode_mp4, interpolate
from pise_core.errors import InputError

#: Pictures a second of what is saved.
FPS = 12
#: At most so many pictures, for each of them is rendered.
MAX_FRAMES = 240


class MotionActions(Engine):
    """The actions, over one editor that all sessions share."""

    def commit_motion(self, session: Session, value: Any) -> Updates:
        """Key poses were added, moved or taken away, or the pace was changed; ``value`` is ``{"motion"}``."""
        session.need_person()
        session.commit(motion=checks.motion(session, value))
        yield {"motion": {"motion": page.motion(session)}} | status("ok", "Play it, or save it as GIF or MP4.", session)

    def save_motion(self, session: Session, value: Any) -> Updates:
        """Render the motion, and hand it out; ``value`` is ``{"format": "gif" or "mp4"}``."""
        form = checks.choice(value, "format", ("gif", "mp4"))
        edits, motion = session.edits, session.edits.motion
        poses = interpolate(motion.keys, max(1, round(FPS * motion.seconds)), motion.loop)
        if len(poses) > MAX_FRAMES:
            raise InputError(f"that is {len(poses)} pictures; choose fewer key poses or a quicker pace")
        session.stopped, document, frames = False, session.document, []
        try:
            for number, pose in enumerate(poses, 1):
                if session.stopped or session.document != document:
                    yield {"motion": {"progress": False}} | status("ok", "Stopped. Nothing was saved.", session)
                    return
                news = {"progress": {"done": number - 1, "of": len(poses), "at": time.time()}}
                yield {"motion": news} | status("busy", f"Rendering picture {number} of {len(poses)}…", session)
                paint, _ = session.paint_at(pose, edits)
                frames.append(session.render(replace(edits, pose=pose, paint=paint), preview=True).photo)
            data = encode_gif(frames, FPS) if form == "gif" else encode_mp4(frames, FPS)
        except Exception:
            yield {"motion": {"progress": False}}
            raise
        name = f"{session.name}-motion"
        yield page.file(session, data, name, f".{form}") | {"motion": {"progress": False}}
        yield status("ok", f"Saved as {name}.{form}.", session)

    def stop_motion(self, session: Session, value: Any) -> Updates:
        """Give up rendering the motion."""
        session.stopped = True
        yield status("busy", "Stopping…", session)
