"""The canvases and panels as Gradio components; all drawing is in the JavaScript files below ``web``.

Only ``value`` flows from the browser to Python, and it is whatever the browser sent:
:mod:`app.commands.validation` checks it. Every property that Python updates is a keyword here, because Gradio passes
the updated ones back to ``__init__``.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from pise_core.document.file_format import MAX_DOCUMENT_BYTES
from pise_core.images import photo_formats
from pise_core.pose import default_skeleton, to_rows
from pise_core.regions import PALETTE, REGIONS, TABLE
from pise_core.rendering.recolour import RECOLOURED
from pise_core.skeleton import JOINTS, LIMBS, MIRROR

_WEB = Path(__file__).parent / "web"
#: The suffixes that a dialog offers where a photo is to be chosen; what is in a file is found out when it is read.
#: Telephones turn HEIC into JPEG by themselves where it is not offered: it is only where it can be read.
PHOTOS = (
    *(".jpg", ".jpeg", ".png", ".webp"),
    *((".avif",) if "AVIF" in photo_formats() else ()),
    *((".heic", ".heif") if "HEIF" in photo_formats() else ()),
)
_PRESETS = json.loads((_WEB.parent / "examples" / "poses.json").read_text("utf-8"))


def _script(component: str, *names: str, **constants: Any) -> str:
    """The JavaScript of a component: its constants, HTML and CSS, then the files in turn, in one scope; paths are
    below ``web``."""
    constants |= {
        "HTML": (_WEB / f"{component}.html").read_text("utf-8"),
        "CSS": (_WEB / "shared" / "canvas.css").read_text("utf-8"),
    }
    lines = [f"const {name} = {json.dumps(value)};" for name, value in constants.items()]
    return "\n".join(lines + [(_WEB / f"{name}.js").read_text("utf-8") for name in ("shared/store", *names)])


_REGIONS = {"REGIONS": REGIONS, "LABELS": [row.label for row in TABLE], "PALETTE": PALETTE.tolist()}
_POSE = {
    "JOINTS": JOINTS,
    "LIMBS": LIMBS,
    "MIRROR": MIRROR,
    "PRESETS": _PRESETS,
    "STANDING": to_rows(default_skeleton((0, 0, 60, 100))),
}
_OFFERED = {
    "drop": (*PHOTOS, ".pise"),
    "open": (*PHOTOS, ".pise"),
    "add-reference": (*PHOTOS, ".pise"),
    "pose-photo": PHOTOS,
}
_SCRIPTS = {
    "pose_editor": _script(
        "pose/editor",
        "shared/viewport",
        "pose/skeleton",
        "preview/skirt",
        "preview/part_transforms",
        "preview/warp_canvas",
        "preview/refresh",
        "preview/layers",
        "pose/selection",
        "pose/placing",
        "pose/editor",
        "pose/library",
        "pose/gestures",
        **_POSE,
    ),  # fmt: skip
    "region_painter": _script("regions/painter", "shared/viewport", "regions/label_map", "regions/painter", **_REGIONS),
    "style_panel": _script(
        "textures/panel",
        "preview/blend",
        "textures/panel",
        "textures/garment_box",
        "textures/recolour",
        RECOLOURED=RECOLOURED,
        **_REGIONS,
    ),
    "motion_panel": _script("motion/panel", "preview/layers", "motion/panel", LIMBS=LIMBS),
    "result_view": _script("result/view", "preview/layers", "result/view"),
    "document_bar": _script("bar/bar", "bar/bar", "bar/uploads", OFFERED=_OFFERED, LARGEST=MAX_DOCUMENT_BYTES),
    "keeping": _script("keeping/keeping", "keeping/store", "keeping/connection", "keeping/keeping"),
    "examples": _script("bar/examples", "bar/examples"),
    "modes": _script("bar/modes", "bar/modes"),
    "first_steps": _script("bar/first_steps", "bar/first_steps"),
}


class _Part(gr.HTML):
    """What all parts have in common."""

    def __init__(self, script: str, value: Any, elem_id: str | None, live: Callable | None, **props: Any) -> None:
        super().__init__(
            value,
            html_template="",
            js_on_load=_SCRIPTS[script],
            apply_default_css=False,
            elem_id=elem_id,
            server_functions=[live] if live else None,
            **props,
        )

    def __getattr__(self, name: str) -> Any:
        # Gradio takes every name that is quoted in the JavaScript for an event, those of watched properties too.
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
    """The tabs; they show the columns ``panel-pose``, ``panel-regions``, ``panel-textures`` and ``panel-motion``."""

    def __init__(self, value=None, *, elem_id=None, **kw):
        super().__init__("modes", value, elem_id, None, **kw)


class FirstSteps(_Part):
    """Three steps to a first edit, shown until they are done or closed."""

    def __init__(self, value=None, *, elem_id=None, **kw):
        super().__init__("first_steps", value, elem_id, None, **kw)


class PoseEditor(_Part):
    """The skeleton over the photo. Events: commit, place, choose, load_pose.

    Args:
        session: the token for the live path.
        photo: ``{"url", "width", "height", "document"}``; the size is the full one, to which coordinates refer.
        pose: ``{"version", "seq", "rows", "own", "placing", "doubtful"}``; ``seq`` is that of the request answered.
        people: ``{"boxes", "chosen"}``.
        layers: the parts of the picture on show, from :func:`app.view.updates.layers`.
        live: the function that renders a preview.
    """

    def __init__(
        self,
        value=None,
        *,
        session=None,
        photo=None,
        pose=None,
        people=None,
        layers=None,
        elem_id=None,
        live=None,
        **kw,
    ):
        super().__init__("pose_editor", value, elem_id, live,
                         session=session, photo=photo, pose=pose, people=people, layers=layers, **kw)  # fmt: skip


class RegionPainter(_Part):
    """The map of regions over the photo. Event: commit.

    Args:
        session, photo, live: as for :class:`PoseEditor`.
        map: ``{"document", "version", "width", "height", "base", "paint"}``, the last two as text.
    """

    def __init__(self, value=None, *, session=None, photo=None, map=None, elem_id=None, live=None, **kw):
        super().__init__("region_painter", value, elem_id, live, session=session, photo=photo, map=map, **kw)


class StylePanel(_Part):
    """References, and a slider per region. Events: commit, remove, example (with ``{"index": n}``), steps, save_look
    (with ``{"region"}``), use_garment (with ``{"garment": id, "box", "region"}``) and cancel_garment.

    Args:
        session, live: as for :class:`PoseEditor`.
        references: list of ``{"id", "name", "image", "present", "regions"}``; ``regions`` holds a picture of each one.
        styles: ``{"version", "styles", "recolour", "present"}``.
        strip: ``{"region", "reference", "weights", "pictures"}``, steps of a mix side by side, or False.
        garment: ``{"id", "url", "width", "height", "box"}``, a photo in which the user is to mark the garment, or False
            (of an update that says None, the browser is not told).
        examples: data addresses of example photos.
    """

    def __init__(
        self, value=None, *, session=None, references=None, styles=None, strip=None, garment=None, examples=None,
        elem_id=None, live=None, **kw,
    ):  # fmt: skip
        super().__init__("style_panel", value, elem_id, live, session=session, references=references, styles=styles,
                         strip=strip, garment=garment, examples=examples, **kw)  # fmt: skip


class MotionPanel(_Part):
    """Key poses, played over the result. Events: commit (``{"seq", "motion"}``), save (``{"format"}``) and stop.

    Args:
        motion: from :func:`app.view.updates.motion`.
        progress: ``{"done", "of", "at"}`` while pictures are rendered, else False.
    """

    def __init__(self, value=None, *, motion=None, progress=None, elem_id=None, **kw):
        super().__init__("motion_panel", value, elem_id, None, motion=motion, progress=progress, **kw)


class ResultView(_Part):
    """The result under a before/after slider; ``result`` is ``{"document", "seq", "url", "before"}``."""

    def __init__(self, value=None, *, result=None, elem_id=None, **kw):
        super().__init__("result_view", value, elem_id, None, result=result, **kw)


class DocumentBar(_Part):
    """Undo, redo, saving, and the status line. Events: undo, redo, start_over, save, stop, and choose_weights
    (with ``{"name"}``).

    Args:
        session: the token, which the tab keeps for when the page is loaded anew.
        file: ``{"url", "name", "version"}``, which the browser saves at once.
        status: ``{"kind": "hint" | "busy" | "ok" | "error", "text", "stop": bool, "version"}``.
        weights: ``{"names", "chosen"}``, what pictures can be made with.
        history: ``{"document", "edit", "undo": bool, "redo": bool, "start_over": bool, "save": bool}``: what can be
            done with that document after that edit.
    """

    def __init__(
        self, value=None, *, session=None, status=None, history=None, file=None, weights=None, elem_id=None, **kw
    ):
        super().__init__("document_bar", value, elem_id, None,
                         session=session, status=status, history=history, file=file, weights=weights, **kw)  # fmt: skip


class Keeping(_Part):
    """What is said of the work kept in the browser, and whether the server answers. Events: keep (with ``{"have"}``)
    and restore (with ``{"file", "edits"}``).

    Args:
        kept: ``{"key", "name", "edits", "base", "version"}``, what the browser is to keep; ``base`` only if it lacks
            that. Or ``{"key": "", "error"}``.
    """

    def __init__(self, value=None, *, kept=None, elem_id=None, **kw):
        super().__init__("keeping", value, elem_id, None, kept=kept, **kw)


class Examples(_Part):
    """A strip of ``pictures`` (data addresses). Event: choose, with ``{"index": n}``."""

    def __init__(self, value=None, *, pictures=None, elem_id=None, **kw):
        super().__init__("examples", value, elem_id, None, pictures=pictures, **kw)
