"""What the page is told: the properties of its parts, made from a session."""

import io
import itertools
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

from app.commands.references import is_garment
from app.state.opened import Moment
from app.state.session import LAYER_SIDE, SHOWN_SIDE, Session
from app.view.thumbnails import portrait, swatch
from pise_core import pose as poses
from pise_core.contact_shadow import shadow_layers
from pise_core.document import Document, Edits, Motion, Rendered
from pise_core.document.motion import interpolate
from pise_core.document.paint import pack, resize_labels, working_size
from pise_core.document.references import Reference
from pise_core.document.textures import likely_box
from pise_core.held import moved_held
from pise_core.images import shrink
from pise_core.regions import REGION, present
from pise_core.skeleton import NECK
from pise_core.view import View
from pise_core.warping.layers import pack_cut_outs

#: Properties by the name of the part; the parts are named in :mod:`app.layout`.
Update = dict[str, dict[str, Any]]
Updates = Iterator[Update]

_versions = itertools.count(1)
_FILE = "/gradio_api/file="


def address(path: str) -> str:
    """Where the page finds a file of the session; a reverse proxy may have the page below a path of its own, which
    ``GRADIO_ROOT_PATH`` tells, alone or at the end of a whole address."""
    return f"{urlsplit(os.environ.get('GRADIO_ROOT_PATH', '')).path.rstrip('/')}{_FILE}{path}"


def path_of(address: str) -> str:
    """The path of the file at an :func:`address`."""
    return address.partition(_FILE)[2]


def numbered(news: dict[str, Any]) -> dict[str, Any]:
    """The same, told apart from what was said before."""
    return news | {"version": next(_versions)}


def status(kind: str, text: str, session: Session | None = None, stop: bool = False) -> Update:
    """The line that says what is happening; ``kind`` is hint, busy, ok or error. With ``stop`` the action can be left
    there, with nothing half done, and the page offers that."""
    # The same text twice must still reach the page, which may show another one meanwhile: hence the version.
    bar: dict[str, Any] = {"status": {"kind": kind, "text": text, "stop": stop, "version": next(_versions)}}
    if session is not None:
        document = session.document
        bar["history"] = {
            "document": session.number,
            "edit": session.made,
            "undo": session.can_undo,
            "redo": session.can_redo,
            "start_over": document is not None and not document.edits.none,
            "save": document is not None,
            "steps": [] if document is None else document.steps[0],
            "position": 0 if document is None else document.steps[1],
            "begun": document is not None and document.begun,
        }
    return {"bar": bar}


def can_stop(update: Update) -> bool:
    """Whether the action can be left after this."""
    return update.get("bar", {}).get("status", {}).get("stop", False)


def weights(names: tuple[str, ...], chosen: str) -> dict[str, Any]:
    """The menu of weights, of the document bar."""
    return {"weights": {"names": names, "chosen": chosen, "version": next(_versions)}}


def chosen(names: tuple[str, ...], session: Session) -> Update:
    """The menus of what pictures are made with: weights, of those names, and backgrounds."""
    return {"bar": weights(names, session.weights), "background": {"value": session.background}}


def waiting(session: Session, ahead: int, stop: bool = False) -> Update:
    """The networks work for somebody else, and so many requests come first; ``stop`` as for :func:`status`."""
    return status("busy", f"{ahead} other request{'s come' if ahead > 1 else ' comes'} first…", session, stop)


def at_the_door(session: Session, text: str, seconds: float) -> Update:
    """There is no place yet, as ``text`` says; the page knocks again after so many seconds."""
    update = status("busy", text, session, stop=True)
    return {"bar": update["bar"] | {"door": {"seconds": seconds, "version": next(_versions)}}}


def rendering(session: Session) -> Update:
    """An edit was made, and its picture follows; until then there is nothing to download."""
    return status("busy", "Rendering at full size…", session) | {"download": {"interactive": False}}


def document(session: Session, opened: Document) -> Update:
    """All of a document that has just been opened."""
    number, edit = session.number, session.count()
    shown: dict[str, Any] = as_opened(session, opened) | {"document": number}
    return {
        "pose": {"photo": shown, "pose": pose(opened), "people": people(session), "room": False},
        "regions": {"photo": shown, "map": region_map(opened, opened.edits, number, edit)},
        "textures": textures(session, opened),
        "motion": {"motion": motion(opened), "progress": False},
        "result": result(shown["url"], number, edit, shown["url"]),
        "download": download(opened.photo),
    }


def unplaced(session: Session) -> Update:
    """A photo in which nobody was found, with a skeleton to be placed by hand."""
    photo = session.need_photo()
    number, edit = session.number, session.count()
    shown: dict[str, Any] = picture(session, photo) | {"document": number}
    height, width = photo.shape[:2]
    skeleton = poses.default_skeleton((0.25 * width, 0.06 * height, 0.75 * width, 0.94 * height))
    return {
        "pose": {"photo": shown, "pose": placing(skeleton), "people": people(session), "room": False},
        "regions": {"photo": shown, "map": False},
        "textures": textures(session, None),
        "motion": {"motion": motion(None), "progress": False},
        "result": result(shown["url"], number, edit, shown["url"]),
        "download": {"value": "Download PNG", "interactive": False},
    }


def picture(session: Session, image: np.ndarray) -> dict[str, Any]:
    """A picture for the page: its address and the *full* size that coordinates refer to."""
    path = session.save(shrink(image, SHOWN_SIDE), "shown", ".jpg")
    return {"url": address(path), "width": image.shape[1], "height": image.shape[0]}


def as_opened(session: Session, opened: Document) -> dict[str, Any]:
    """The photo of the document on the page, as :func:`picture` gives it; written once."""
    height, width = opened.photo.shape[:2]
    if session.cut is None or session.document is not opened:
        return picture(session, opened.photo)
    session.cut.photo = session.cut.photo or session.save(shrink(opened.photo, SHOWN_SIDE), "photo", ".jpg", keep=2)
    return {"url": address(session.cut.photo), "width": width, "height": height}


def layers(session: Session, now: Moment, edits: Edits, rendered: Rendered, url: str) -> dict[str, Any]:
    """What the page needs to carry the person at once: the parts of the picture at ``url``, and the background.

    The answer holds addresses, the pose that the parts have, and for each part in drawing order its name, place and
    size, and where it lies on the sheet.
    """
    known = now.document
    person = now.cut.bearing(known, edits)
    height, width = person.photo.shape[:2]
    pose = known.pose_of(edits)
    as_cut = edits.pose is None and edits.paint is None and not edits.wear
    owner = person.full.owner if as_cut else None
    scaled = known.scaled(pose, person)
    picture, labels = shrink(rendered.photo, LAYER_SIDE), resize_labels(rendered.parsing, (width, height))
    held = person.full.held
    if held is not None and edits.pose is not None:
        held = moved_held(held, person.pose, scaled)
    shown = View(picture, labels, scaled, held, person.hidden)
    shown = shown if owner is None else View.owned(shown, owner)
    shadows = [shadow.moved(person.pose, scaled) for shadow in person.shadows]
    parts = [*shadow_layers(shadows), *shown.cut_outs(person.framing.scale)]
    sheet, places = pack_cut_outs(parts, width)
    sizes = [part.image.shape for part in parts]
    if edits.things != now.cut.behind_things or not now.cut.behind:
        now.cut.behind = session.save(person.background, "behind", ".jpg", keep=2)
        now.cut.behind_things = edits.things
    return {
        "document": now.number,
        "version": next(_versions),
        "width": width,
        "height": height,
        "scale": width / known.photo.shape[1],
        "pose": poses.to_rows(pose),
        "base": url,
        "background": address(now.cut.behind),
        "sheet": address(session.save(_webp(sheet), "parts", ".webp")),
        "parts": [
            [part.part, part.x, part.y, w, h, x, y]
            for part, (h, w, _), (x, y) in zip(parts, sizes, places, strict=True)
        ],
    }


def result(url: str, number: int, edit: int, before: str | None = None) -> dict[str, Any]:
    """The result at ``url`` of the document with that number, as of an edit; a new ``before`` starts a new
    comparison."""
    news = {"document": number, "seq": edit, "url": url}
    return {"result": news if before is None else {**news, "before": before}}


def download(image: np.ndarray) -> dict[str, Any]:
    """The button, for a picture that can be had at full size."""
    return {"value": f"Download PNG · {image.shape[1]} × {image.shape[0]}", "interactive": True}


def file(path: str) -> dict[str, Any]:
    """A file that the browser saves at once, of the document bar."""
    return {"file": {"url": address(path), "name": Path(path).name, "version": next(_versions)}}


def pose(known: Document, sequence: int | None = None) -> dict[str, Any]:
    """The wanted pose, and the person's own; ``sequence`` as in :func:`motion`."""
    rows, own = poses.to_rows(known.pose_of(known.edits)), poses.to_rows(known.person.pose)
    told = {"version": next(_versions), "seq": sequence, "rows": rows, "own": own}
    return told | {"held": known.held, "placing": False, "doubtful": False}


def placing(skeleton: np.ndarray, doubtful: bool = False) -> dict[str, Any]:
    """A skeleton that the user is to place; doubtful if that was done, and hardly any person is under it."""
    rows = poses.to_rows(skeleton)
    return {"version": next(_versions), "seq": None, "rows": rows, "own": rows, "placing": True, "doubtful": doubtful}


def doubted(session: Session, placed: np.ndarray) -> dict[str, Any]:
    """A pose that was placed where hardly any person is: to be placed better, or given up for that of now."""
    return placing(placed, True) if session.document is None else pose(session.document) | {"doubtful": True}


def people(session: Session) -> dict[str, Any]:
    """The boxes of everybody found, in pixels of the photo, and who is being edited."""
    boxes = [[round(float(v), 1) for v in found.box] for found in session.people]
    return {"boxes": boxes, "chosen": session.document.chosen if session.document else 0}


def region_map(known: Document, edits: Edits, number: int, edit: int) -> dict[str, Any]:
    """The map below the paint, and the paint, both at working size; ``number`` is the document's, ``edit`` the newest
    edit's."""
    height, width = known.photo.shape[:2]
    size, painted = working_size(width, height), known.painted(edits)
    things = known.things(size, edits)
    return {
        "document": number,
        "version": edit,
        "width": size[0],
        "height": size[1],
        "base": pack(resize_labels(known.base_map(edits), size)),
        "paint": None if painted is None else painted.text(),
        "held": pack(things) if things.any() else None,
    }


def styles(known: Document | None, sequence: int | None = None) -> dict[str, Any]:
    """The mix per region, and which regions the person has at all; ``sequence`` as in :func:`motion`."""
    there = [] if known is None else present(known.person.parsing)
    wanted = Edits() if known is None else known.edits
    recolour = {region: change.to_dict() for region, change in wanted.recolour.items()}
    told = {"styles": wanted.styles, "recolour": recolour, "wear": wanted.wear, "present": there}
    return {"version": next(_versions), "seq": sequence} | told


def references(session: Session) -> list[dict[str, Any]]:
    """Each reference with a small portrait, and a picture of each region that is to be seen in it."""
    return [
        {
            "id": key,
            "name": reference.name,
            "image": portrait(reference.preview.photo, reference.preview.box, 80),
            "present": present(reference.person.parsing),
            "garment": is_garment(reference),
            "regions": _swatches(reference),
        }
        for key, reference in session.references.items()
    ]


def _swatches(reference: Reference) -> dict[str, str]:
    photo, parsing = reference.preview.photo, reference.preview.parsing
    return {name: swatch(photo, parsing, REGION[name]) for name in present(parsing) if name != "background"}


def textures(session: Session, known: Document | None) -> dict[str, Any]:
    """All of the panel when another document is opened: a strip is no longer true, a garment still waits."""
    return {
        "styles": styles(known),
        "references": references(session),
        "strip": False,
        "garment": garment(session),
    }


def garment(session: Session) -> dict[str, Any] | bool:
    """The first garment that waits to be marked, and the box, in shares of its photo's size, in which it probably lies;
    False if none waits."""
    for key, waiting in list(session.garments.items()):
        return {"id": key, **picture(session, waiting.photo), "box": list(likely_box(waiting.photo))}
    return False


def step(known: Document, shown: np.ndarray) -> str:
    """One step of an interpolation strip: the person alone, small."""
    return portrait(shown, known.sized(preview=True).box, 82)


def counted(step: int, steps: int) -> dict[str, Any]:
    """How many pictures of a motion are done, and how many there will be."""
    return {"done": step, "of": steps, "at": time.time()}


def motion(known: Document | None, sequence: int | None = None) -> dict[str, Any]:
    """The key poses and the pace, and for playing the poses between: ``steps`` of them from each key to the next.

    ``sequence`` is the number of the request that this answers; the page takes no answer to an older one.
    """
    wanted, steps = Motion() if known is None else known.edits.motion, 12
    usable = len(wanted.keys) > 1 and all(poses.visible(key)[NECK] for key in wanted.keys)
    between = interpolate(wanted.keys, steps, wanted.loop) if usable else []
    return {
        "version": next(_versions),
        "seq": sequence,
        "keys": [poses.to_rows(key) for key in wanted.keys],
        "seconds": wanted.seconds,
        "loop": wanted.loop,
        "times": wanted.times,
        "easing": wanted.easing,
        "steps": steps,
        "poses": [poses.to_rows(pose) for pose in between],
    }


def _webp(image: np.ndarray) -> bytes:
    """(h, w, 4) uint8 as WebP, small and quick to make."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "WEBP", quality=88, alpha_quality=100, method=1)
    return buffer.getvalue()
