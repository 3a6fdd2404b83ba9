"""The canvases and panels as Gradio components; all drawing is in the ES modules below ``web``.

Only ``value`` flows from the browser to Python, and it is whatever the browser sent:
:mod:`app.values` checks it. Every property that Python updates is a keyword here, because Gradio passes
the updated ones back to ``__init__``.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from pise_core.document.file_format import MAX_DOCUMENT_BYTES
from pise_core.images import photo_formats
from pise_core.label_sets import LABEL_SETS
from pise_core.pose import default_skeleton, to_rows
from pise_core.regions import GARMENTS, PALETTE, REGIONS, TABLE
from pise_core.rendering.recolour import RECOLOURED
from pise_core.skeleton import ARMS, BONES, FOLLOWS, JOINTS, LEGS, LIMBS, MIRROR, NECK, PARENTS, PARENTS_FIRST

WEB = Path(__file__).parent / "web"
#: The suffixes that a dialog offers where a photo is to be chosen; what is in a file is found out when it is read.
#: Telephones turn HEIC into JPEG by themselves where it is not offered: it is only where it can be read.
PHOTOS = (
    *(".jpg", ".jpeg", ".png", ".webp"),
    *((".avif",) if "AVIF" in photo_formats() else ()),
    *((".heic", ".heif") if "HEIF" in photo_formats() else ()),
)
#: The same for videos.
VIDEOS = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".ts", ".gif")
_PRESETS = json.loads((WEB.parent / "examples" / "poses.json").read_text("utf-8"))


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


#: What the page's modules know of joints, regions and files (web/common/tables.js).
TABLES = {
    "JOINTS": JOINTS,
    "HANGS_ON": PARENTS,
    "PARENTS_FIRST": PARENTS_FIRST,
    "LIMBS": LIMBS,
    "MIRROR": MIRROR,
    "ARMS": ARMS,
    "LEGS": LEGS,
    "NECK": NECK,
    "BONES": BONES,
    "FOLLOWS": FOLLOWS,
    "PRESETS": _PRESETS,
    "STANDING": to_rows(default_skeleton((0, 0, 60, 100))),
    "REGIONS": REGIONS,
    "LABELS": [row.label for row in TABLE],
    "PALETTE": PALETTE.tolist(),
    "RECOLOURED": RECOLOURED,
    "GARMENTS": GARMENTS,
    "MAP_TABLES": tuple(LABEL_SETS),
    "OFFERED": {
        "drop": (*PHOTOS, ".pise"),
        "open": (*PHOTOS, ".pise"),
        "add-reference": (*PHOTOS, ".pise"),
        "pose-photo": PHOTOS,
        "motion-clip": VIDEOS,
        "batch-photos": PHOTOS,
    },
    "LARGEST": MAX_DOCUMENT_BYTES,
}
#: Where :mod:`app.server` serves the modules: another address for other contents, so that browsers may keep them.
WEB_ADDRESS = f"/web/{_digest(WEB)}"
# Without that server, as by ``demo.launch()``, Gradio serves them.
gr.set_static_paths([WEB])


def _loader(module: str, events: Sequence[str]) -> str:
    """The JavaScript that mounts a part: the module below ``web`` fills it. Gradio takes for its events what is quoted
    here."""
    addresses = [f"{WEB_ADDRESS}/{module}", f"/gradio_api/file={(WEB / module).as_posix()}"]
    return f"""// Events: {json.dumps(events)}
globalThis.piseTables ??= {json.dumps(TABLES)};
const [first, second] = {json.dumps(addresses)}.map((address) => (window.gradio_config?.root ?? "") + address);
import(first)
  .catch(() => import(second))
  .then((part) => part.mount({{ element, trigger, props, server, watch }}))
  .catch((error) => {{
    console.error(error);
    element.textContent = "A part of the page did not load. Reload the page.";
  }});"""


class _Part(gr.HTML):
    """What all parts have in common: ``MODULE`` fills them, and tells of ``TOLD``."""

    MODULE = ""
    TOLD: tuple[str, ...] = ()

    def __init__(self, value: Any, elem_id: str | None, live: Callable | None, **props: Any) -> None:
        super().__init__(
            value,
            html_template="",
            js_on_load=_loader(self.MODULE, self.TOLD),
            apply_default_css=False,
            elem_id=elem_id,
            server_functions=[live] if live else None,
            **props,
        )

    def __getattr__(self, name: str) -> Any:
        # Gradio takes every name that is quoted in the JavaScript for an event; of those, properties are none.
        if name in self.__dict__.get("props", ()):
            raise AttributeError(name)
        return super().__getattr__(name)

    def api_info(self) -> dict[str, Any]:
        """The JSON that programs send and get."""
        return {"type": {}, "description": "any valid json"}

    def get_block_name(self) -> str:
        """The browser's part is Gradio's own HTML component."""
        return "html"


class Modes(_Part):
    """The tabs, ``[name, title]`` each; the columns ``panel-`` and the name are what they show."""

    MODULE = "bar/modes.js"

    def __init__(self, value=None, *, tabs=None, elem_id=None, **kw):
        super().__init__(value, elem_id, None, tabs=tabs, **kw)


class FirstSteps(_Part):
    """Three steps to a first edit, shown until they are done or closed."""

    MODULE = "bar/first_steps.js"

    def __init__(self, value=None, *, elem_id=None, **kw):
        super().__init__(value, elem_id, None, **kw)


class PoseEditor(_Part):
    """The skeleton over the photo. Events: commit, place, choose, load_pose, hold, make_room.

    Args:
        session: the token for the live path.
        photo: ``{"url", "width", "height", "document"}``; the size is the full one, to which coordinates refer.
        pose: ``{"version", "seq", "rows", "own", "held", "placing", "doubtful"}``; ``seq`` is that of the request
            answered, ``held`` lists ``{"box", "carrier"}``.
        people: ``{"boxes", "chosen"}``.
        layers: the parts of the picture on show, from :func:`app.view.updates.layers`.
        room: whether the wanted pose leaves the photo, which then may grow.
        live: the function that renders a preview.
    """

    MODULE = "pose/editor.js"
    TOLD = ("commit", "place", "choose", "load_pose", "hold", "make_room")

    def __init__(
        self,
        value=None,
        *,
        session=None,
        photo=None,
        pose=None,
        people=None,
        layers=None,
        room=None,
        elem_id=None,
        live=None,
        **kw,
    ):
        super().__init__(value, elem_id, live,
                         session=session, photo=photo, pose=pose, people=people, layers=layers, room=room,
                         **kw)  # fmt: skip


class RegionPainter(_Part):
    """The map of regions over the photo. Events: commit, cut (with ``{"change"}``), retouch (with ``{"labels",
    "remove"}``), paint_held (with ``{"labels", "erase"}``) and load_map (with ``{"name", "table", "data"}``).

    Args:
        session, photo, live: as for :class:`PoseEditor`.
        map: ``{"document", "version", "width", "height", "base", "paint", "held"}``, the last three as text.
    """

    MODULE = "regions/painter.js"
    TOLD = ("commit", "cut", "retouch", "paint_held", "load_map")

    def __init__(self, value=None, *, session=None, photo=None, map=None, elem_id=None, live=None, **kw):
        super().__init__(value, elem_id, live, session=session, photo=photo, map=map, **kw)


class StylePanel(_Part):
    """References, and a slider per region. Events: commit, remove, example (with ``{"index": n}``), steps, save_look
    (with ``{"region"}``), use_garment (with ``{"garment": id, "box", "region"}``), somebody_wears_it (with
    ``{"garment": id, "box"}``), cancel_garment, and redeclare (with ``{"reference": id}``).

    Args:
        session, live: as for :class:`PoseEditor`.
        references: list of ``{"id", "name", "image", "present", "garment", "regions"}``; ``regions`` holds a picture of
            each one, ``garment`` is whether it is one without a person.
        styles: ``{"version", "styles", "recolour", "wear", "present"}``.
        strip: ``{"region", "reference", "weights", "pictures"}``, steps of a mix side by side, or False.
        garment: ``{"id", "url", "width", "height", "box"}``, a photo in which the user is to mark the garment, or False
            (of an update that says None, the browser is not told).
        examples: data addresses of example photos.
    """

    MODULE = "textures/panel.js"
    TOLD = (
        "commit",
        "remove",
        "example",
        "steps",
        "save_look",
        "use_garment",
        "somebody_wears_it",
        "cancel_garment",
        "redeclare",
    )

    def __init__(
        self, value=None, *, session=None, references=None, styles=None, strip=None, garment=None, examples=None,
        elem_id=None, live=None, **kw,
    ):  # fmt: skip
        super().__init__(value, elem_id, live, session=session, references=references, styles=styles,
                         strip=strip, garment=garment, examples=examples, **kw)  # fmt: skip


class MotionPanel(_Part):
    """Key poses, played over the result. Events: commit (``{"seq", "motion"}``), save (``{"format"}``) and stop.

    Args:
        motion: from :func:`app.view.updates.motion`.
        progress: ``{"done", "of", "at"}`` while pictures are rendered, else False.
    """

    MODULE = "motion/panel.js"
    TOLD = ("commit", "save", "stop")

    def __init__(self, value=None, *, motion=None, progress=None, elem_id=None, **kw):
        super().__init__(value, elem_id, None, motion=motion, progress=progress, **kw)


class ResultView(_Part):
    """The result beside the photo, its history, and files of it. Events: travel (with ``{"position"}``) and save_as
    (with ``{"use", "format", "quality", "cut_out"}``).

    Args:
        result: ``{"document", "seq", "url", "before"}``.
        file: ``{"url", "name", "use", "version"}``, what was asked for, for that use.
    """

    MODULE = "result/view.js"
    TOLD = ("travel", "save_as")

    def __init__(self, value=None, *, result=None, file=None, elem_id=None, **kw):
        super().__init__(value, elem_id, None, result=result, file=file, **kw)


class DocumentBar(_Part):
    """Undo, redo, saving, and the status line. Events: undo, redo, start_over, save, stop, knock, and choose_weights
    (with ``{"name"}``).

    Args:
        session: the token, which the tab keeps for when the page is reloaded.
        file: ``{"url", "name", "version"}``, which the browser saves at once.
        status: ``{"kind": "hint" | "busy" | "ok" | "error", "text", "stop": bool, "version"}``.
        weights: ``{"names", "chosen"}``, what pictures can be made with.
        door: ``{"seconds", "version"}``: there is no place yet, and the page knocks again after so many seconds.
        history: ``{"document", "edit", "undo": bool, "redo": bool, "start_over": bool, "save": bool,
            "steps", "position", "begun": bool}``: what can be done with that document after that edit, and how it came
            to be; ``begun`` if edits before the first of these steps can't be undone.
    """

    MODULE = "bar/bar.js"
    TOLD = ("undo", "redo", "start_over", "save", "stop", "knock", "choose_weights")

    def __init__(
        self, value=None, *, session=None, status=None, door=None, history=None, file=None, weights=None, elem_id=None,
        **kw,
    ):  # fmt: skip
        super().__init__(value, elem_id, None, session=session, status=status, door=door, history=history, file=file,
                         weights=weights, **kw)  # fmt: skip


class Keeping(_Part):
    """What is said of the work kept in the browser, and whether the server answers. Events: keep (with ``{"have"}``)
    and restore (with ``{"file", "edits"}``).

    Args:
        kept: ``{"key", "name", "edits", "base", "version"}``, what the browser is to keep; ``base`` only if it lacks
            that. Or ``{"key": "", "error"}``.
    """

    MODULE = "keeping/keeping.js"
    TOLD = ("keep", "restore")

    def __init__(self, value=None, *, kept=None, elem_id=None, **kw):
        super().__init__(value, elem_id, None, kept=kept, **kw)


class Sheet(_Part):
    """Shortcuts, and how the page looks; it opens by "?"."""

    MODULE = "bar/sheet.js"

    def __init__(self, value=None, *, elem_id=None, **kw):
        super().__init__(value, elem_id, None, **kw)


class Batch(_Part):
    """What becomes of many photos that are edited alike. Event: stop.

    Args:
        batch: ``{"rows": [{"name", "status", "message"}], "of", "running", "note", "file", "version"}``; ``file`` is
            that of :class:`DocumentBar`, or None.
    """

    MODULE = "batch/panel.js"
    TOLD = ("stop",)

    def __init__(self, value=None, *, batch=None, elem_id=None, **kw):
        super().__init__(value, elem_id, None, batch=batch, **kw)


class Examples(_Part):
    """A strip of ``pictures`` (data addresses). Event: choose, with ``{"index": n}``."""

    MODULE = "bar/examples.js"
    TOLD = ("choose",)

    def __init__(self, value=None, *, pictures=None, elem_id=None, **kw):
        super().__init__(value, elem_id, None, pictures=pictures, **kw)
