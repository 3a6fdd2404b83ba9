"""What the page is told while many photos are edited: the rows of the report as they come, and the file at the end."""

from typing import Any

from app.commands.batch import PhotoDone
from app.commands.outcome import Steps
from app.state.session import Session
from app.view import updates as view
from app.view.updates import Update, Updates, status


def shown(session: Session, work: Steps) -> Updates:
    """Carry out a batch, and tell the page of every photo."""
    rows: list[dict[str, Any]] = []
    count = 0
    try:
        while True:
            progress = next(work)
            count = progress.steps or count
            if isinstance(progress, PhotoDone) and progress.row is not None:
                row = progress.row
                rows.append({"name": row.photo, "status": row.status, "message": row.message})
            if progress.ahead:
                yield view.waiting(session, progress.ahead, stop=True)
            else:
                said = status("busy", progress.note, session, stop=True) if progress.note else {}
                yield _panel(rows, count, True) | said
    except StopIteration as end:
        outcome = end.value
    except Exception:
        yield _panel(rows, count, False)
        raise
    file = view.file(outcome.file)["file"] if outcome.file else None
    yield _panel(rows, count, False, outcome.note, file) | status("ok", outcome.note, session)


def _panel(rows: list[dict[str, Any]], count: int, running: bool, note: str = "", file: Any = None) -> Update:
    news = {"rows": list(rows), "of": count, "running": running, "note": note, "file": file}
    return {"batch": {"batch": view.numbered(news)}}
