"""The panels: what is edited in one tab each. A row here is all that the page has to know of one.

From the rows follow the tabs, the columns, which of them is shown, and which action of :class:`app.view.studio.Studio`
answers which event. A further panel is a row, its part in :mod:`app.components`, a folder below ``app/web`` that fills
the part, and its actions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.components import MotionPanel, PoseEditor, RegionPainter, StylePanel


@dataclass(frozen=True)
class On:
    """An event of a part, and what answers it.

    Attributes:
        event: as the part's module triggers it.
        action: the name of the studio's method.
        needs: which of the settings ``detector`` and ``parser`` it is given.
        then: the name of the method that completes it, None if nothing is left to do.
        then_in: the line in which that waits.
        line: the line in which the action waits, one of :data:`app.state.queueing.AT_ONCE`.
        trigger: what Gradio does with an event that comes while another one is carried out.
        example: whether the event names one of the bundled photos, on which the action is carried out.
    """

    event: str
    action: str
    needs: tuple[str, ...] = ()
    then: str | None = "render"
    then_in: str = "gpu"
    line: str = "edit"
    trigger: str = "multiple"
    example: bool = False


@dataclass(frozen=True)
class Upload:
    """A button that sends files for a panel.

    Attributes:
        label, elem_id: of the button.
        on: what answers the files.
        several: whether several can be sent at once.
    """

    label: str
    elem_id: str
    on: On
    several: bool = False


@dataclass(frozen=True)
class Panel:
    """One tab.

    Attributes:
        name: of the tab and of the part, which updates name so; its column is ``panel-`` and the name.
        title: on the tab.
        part: makes the part.
        takes: what the part is given: ``live``, the function that renders previews, and ``examples``, pictures of the
            bundled photos.
        events: of the part.
        upload: of files, if the panel takes any.
    """

    name: str
    title: str
    part: Callable[..., Any]
    takes: tuple[str, ...] = ()
    events: tuple[On, ...] = ()
    upload: Upload | None = None


PANELS = (
    Panel(
        "pose",
        "Pose",
        PoseEditor,
        takes=("live",),
        upload=Upload("Pose from photo", "pose-photo", On("upload", "borrow_pose", ("detector",), line="gpu")),
        events=(
            On("choose", "choose_person", ("parser",), then="prepare", line="gpu", trigger="once"),
            On("place", "place_person", ("parser",), then="prepare", line="gpu", trigger="once"),
            On("commit", "commit_pose"),
            On("load_pose", "load_pose"),
            On("hold", "hold"),
            On("make_room", "make_room", then="prepare", line="gpu"),
        ),
    ),
    Panel(
        "regions",
        "Regions",
        RegionPainter,
        takes=("live",),
        events=(
            On("commit", "commit_paint"),
            On("cut", "cut"),
            On("retouch", "retouch"),
            On("paint_held", "paint_held"),
            On("load_map", "load_map"),
        ),
    ),
    Panel(
        "textures",
        "Textures",
        StylePanel,
        takes=("live", "examples"),
        upload=Upload(
            "Add a file",
            "add-reference",
            On("upload", "add_uploads", ("detector", "parser"), then=None, line="gpu"),
            several=True,
        ),
        events=(
            On("commit", "commit_styles"),
            On("remove", "remove_reference"),
            On("steps", "strip", then=None, line="gpu", trigger="always_last"),
            On("save_look", "save_look", then="pack", then_in="files"),
            On("use_garment", "use_garment", then=None, line="gpu", trigger="once"),
            On("somebody_wears_it", "somebody_wears_it", ("parser",), then=None, line="gpu", trigger="once"),
            On("redeclare", "redeclare", ("parser",), line="gpu", trigger="once"),
            On("cancel_garment", "cancel_garment", then=None),
            On("example", "add_references", ("detector", "parser"), None, line="gpu", trigger="once", example=True),
        ),
    ),
    Panel(
        "motion",
        "Motion",
        MotionPanel,
        upload=Upload("Motion from video", "motion-clip", On("upload", "follow_clip", then=None, line="motion")),
        events=(
            On("commit", "commit_motion", then=None),
            On("save", "save_motion", then=None, line="motion", trigger="once"),
            On("stop", "stop_motion", then=None),
        ),
    ),
)

#: The style sheet's rules that show the panel whose tab is open, and no other.
CSS = "".join(f'body:not([data-mode="{one.name}"]) #panel-{one.name} {{ display: none; }}\n' for one in PANELS)
