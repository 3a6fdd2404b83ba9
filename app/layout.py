"""The page: layout and wiring, nothing else."""

import atexit
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from app.api.mount import add_endpoints
from app.commands.outcome import sentence
from app.components import PHOTOS, Batch, DocumentBar, Examples, FirstSteps, Keeping, Modes, ResultView, Sheet
from app.handlers import SORRY, Handlers
from app.panels import PANELS, Panel
from app.state import detectors
from app.state.places import Places
from app.state.queueing import AT_ONCE, THREADS, WAITING
from app.state.registry import Sessions
from app.state.session import Session
from app.upload_fields import File, UploadButton
from app.values import field, index
from app.view.events import Chosen
from app.view.studio import Studio
from app.view.thumbnails import data_address, shrink
from app.view.updates import Updates, status
from pise_core.errors import InputError
from pise_core.images import read_image

log = logging.getLogger(__name__)

_HERE = Path(__file__).parent
_EXAMPLES = _HERE / "examples" / "people"
#: A page that is reloaded names its session, which is kept for a while after the page has gone. A browser may keep
#: no name. A duplicated tab has a copy of it, but the first one holds the lock of that name as long as it is open.
_KNOWN_SESSION = """async () => {
  const again = ["reload", "back_forward"].includes(performance.getEntriesByType("navigation")[0]?.type);
  let session = null;
  try {
    session = again ? sessionStorage.getItem("pise-session") : null;
    if (session && navigator.locks) {
      await new Promise((resolve, reject) => {
        const hold = () => new Promise(() => resolve());
        navigator.locks.request("pise-" + session, { signal: AbortSignal.timeout(1000) }, hold).catch(reject);
      });
    }
  } catch {
    session = null;
  }
  return [{ session }];
}"""
_SHOW_EXAMPLES = """() => {
  const state = document.body.dataset;
  state.studio = state.studio === "editing" ? "choosing" : window.piseStudio?.document ? "editing" : "";
}"""
_SHOW_KEEPING = """() => {
  window.piseStudio.dispatchEvent(new CustomEvent("keeping"));
}"""


def example_people() -> list[Path]:
    """The bundled example photos, by name."""
    return sorted(path for path in _EXAMPLES.glob("*") if path.suffix.lower() in PHOTOS)


class Page(gr.Blocks):
    """The page.

    Attributes:
        sessions: of all visitors.
    """

    sessions: Sessions


def _column(panel: Panel, offered: dict[str, Any]) -> tuple[Any, UploadButton | None]:
    """The column of a panel: its part, and its button for files."""
    upload = panel.upload
    with gr.Column(elem_id=f"panel-{panel.name}", min_width=0):
        count = "multiple" if upload and upload.several else "single"
        button = upload and UploadButton(upload.label, file_count=count, size="md", elem_id=upload.elem_id)
        return panel.part(elem_id=panel.name, **{name: offered[name] for name in panel.takes}), button


def _clear(field: Any) -> None:
    """Empty a field for files once they are sent, so that the same ones can be sent again."""
    field.upload(lambda: None, None, field, queue=False, show_progress="hidden", api_visibility="private")


def build(studio: Studio, places: Places | None = None) -> Page:
    """The studio as Gradio blocks; :mod:`app.server` serves them.

    Args:
        studio: the actions, over the editor that all sessions share.
        places: for sessions in which something is open.
    """
    sessions = Sessions(places)
    atexit.register(sessions.close)
    examples = example_people()
    thumbnails = [data_address(shrink(read_image(path), 200), 82) for path in examples]

    def live(request: Any) -> dict[str, Any]:
        # Server functions know no session: the token says which. An exception would reach the page as `undefined`.
        try:
            return studio.live(sessions.by_token(field(request, "session")), request)
        except InputError as error:
            return {"ok": False, "error": sentence(str(error))}
        except Exception:
            log.exception("live preview failed")
            return {"ok": False, "error": SORRY}

    live.__name__ = "render_live"

    demo = Page(title="PISE Studio", fill_width=True, analytics_enabled=False, delete_cache=(3600, 3600))
    demo.sessions = sessions
    with demo:
        with gr.Row(elem_id="top"):
            gr.HTML(
                "<h1>PISE Studio</h1><p>Drag a joint, paint a region or borrow a texture: the photo follows.</p>",
                elem_id="brand",
                apply_default_css=False,
            )
            bar = DocumentBar(elem_id="bar", **status("hint", "Open a photo of a person, or choose an example.")["bar"])
            open_button = UploadButton("Open", size="md", elem_id="open", min_width=0)
            example_button = gr.Button("Examples", size="md", elem_id="show-examples", min_width=0)

        # Everything is on the page from the start and the style sheet shows what applies: a part that is not mounted
        # would miss what it is told.
        with gr.Column(elem_id="welcome"):
            gr.HTML(
                "<h2>Start with a photo of one person</h2><p>Full body works best. The photo is processed on this "
                "server alone, and forgotten ten minutes after you close the page. If you agree, your browser "
                "keeps your work for 24 hours.</p>",
                apply_default_css=False,
            )
            drop = File(label="Photo", height=220, elem_id="drop")
            if examples:
                gr.HTML("<h2>Or choose an example</h2>", apply_default_css=False)
            strip = Examples(pictures=thumbnails, elem_id="examples", visible=bool(examples))

        FirstSteps(elem_id="first-steps")
        with gr.Row(elem_id="workspace"):
            with gr.Column(scale=3, min_width=320, elem_id="work"):
                Modes(elem_id="modes", tabs=[(panel.name, panel.title) for panel in PANELS])
                panels = {panel.name: _column(panel, {"live": live, "examples": thumbnails}) for panel in PANELS}
            with gr.Column(scale=2, min_width=320, elem_id="outcome"):
                with gr.Row(elem_id="outcome-head"):
                    gr.HTML("<h2>Result</h2>", apply_default_css=False)
                    download = gr.Button(
                        "Download PNG", variant="primary", size="md", interactive=False, elem_id="download"
                    )
                result = ResultView(elem_id="result")
        with gr.Accordion("How joints, clothes and backgrounds are found", open=False, elem_id="settings"):
            with gr.Row():
                detector = gr.Radio(
                    [("Built-in", detectors.BUILT_IN),
                     ("OpenPose (downloads 209 MB from the hub; non-commercial licence)", detectors.OPENPOSE)],
                    value=detectors.BUILT_IN, label="Joints: the skeleton that you drag", elem_id="detector",
                    min_width=280,
                )  # fmt: skip
                parser = gr.Radio(
                    [("Built-in", detectors.BUILT_IN),
                     ("SegFormer clothes (downloads 109 MB from the hub; see its licence)", detectors.SEGFORMER)],
                    value=detectors.BUILT_IN, label="Regions: hair, face, clothes, skin", elem_id="parser",
                    min_width=280,
                )  # fmt: skip
            background = gr.Radio(
                [("Built-in", detectors.BUILT_IN),
                 ("LaMa (downloads 208 MB from the hub; Apache-2.0 licence)", detectors.LAMA)],
                value=detectors.BUILT_IN, label="Background: the photo behind a moved person", elem_id="background",
            )  # fmt: skip
            again = gr.Button("Look at the photo again", size="md", elem_id="again")
            keeping_button = gr.Button("Work kept in this browser", size="md", elem_id="show-keeping")
        keeping = Keeping(elem_id="keeping")
        many = UploadButton("Edit many photos", file_count="multiple", elem_id="batch-photos")
        batch = Batch(elem_id="batch")
        Sheet(elem_id="sheet")

        parts = {
            "bar": bar, **{name: part for name, (part, _) in panels.items()}, "result": result, "download": download,
            "keeping": keeping, "batch": batch, "background": background,
        }  # fmt: skip

        handlers = Handlers(studio, sessions, studio.line, parts)

        def on(
            event: Callable,
            action: Callable[..., Updates],
            *inputs: Any,
            then: Callable[..., Updates] | None = studio.render,
            then_in: str = "gpu",
            **settings: Any,
        ) -> None:
            """Wire one action; ``then`` follows it in another line, for the newest state only."""
            name = action.__name__
            common: dict[str, Any] = {
                "outputs": list(parts.values()), "show_progress": "hidden", "api_visibility": "undocumented",
            }  # fmt: skip
            settings = {"api_name": f"page_{name}", "trigger_mode": "multiple"} | settings
            if "concurrency_id" not in settings:
                # All users share this line: whatever takes long, rendering and packing, is what follows in ``then``.
                settings |= {"concurrency_id": "edit", "concurrency_limit": AT_ONCE["edit"]}
            in_line = settings["concurrency_id"] == "gpu"
            done = event(handlers.of(action, in_line), list(inputs), **common, **settings)
            if then:
                done.then(
                    handlers.of(then, then_in == "gpu", follows=True), None, **common, api_name=f"page_{name}_then",
                    trigger_mode="always_last", concurrency_id=then_in, concurrency_limit=AT_ONCE[then_in],
                )  # fmt: skip

        def example(action: Callable[..., Updates]) -> Callable[..., Updates]:
            """The action on a bundled example, of which the page names only the number."""

            def chosen(session: Session, choice: Any, *rest: Any) -> Updates:
                yield from action(session, examples[index(Chosen.of(choice).index, len(examples), "example")], *rest)

            chosen.__name__ = f"{action.__name__}_example"
            return chosen

        looking: dict[str, Any] = {
            "concurrency_id": "gpu", "concurrency_limit": AT_ONCE["gpu"], "trigger_mode": "once",
        }  # fmt: skip
        # An upload that was dropped would stay on the server.
        uploaded: dict[str, Any] = looking | {"trigger_mode": "multiple"}
        pictures: dict[str, Any] = {
            "concurrency_id": "motion", "concurrency_limit": AT_ONCE["motion"], "trigger_mode": "once",
        }  # fmt: skip
        coming: dict[str, Any] = {"concurrency_id": "start", "concurrency_limit": AT_ONCE["start"]}
        opening: dict[str, Any] = {"then": studio.prepare, **looking}
        for upload in (open_button, drop):
            on(upload.upload, studio.open_upload, upload, detector, parser, **opening | uploaded)
            _clear(upload)
        on(strip.choose, example(studio.open_file), strip, detector, parser, **opening)
        on(again.click, studio.analyse_again, detector, parser, **opening)
        settings = {"detector": detector, "parser": parser}
        for panel in PANELS:
            part, upload = panels[panel.name]
            wired = [(part, one) for one in panel.events]
            if upload is not None and panel.upload is not None:
                wired.append((upload, panel.upload.on))
            for source, one in wired:
                action = getattr(studio, one.action)
                on(
                    getattr(source, one.event),
                    example(action) if one.example else action,
                    source,
                    *(settings[name] for name in one.needs),
                    then=None if one.then is None else getattr(studio, one.then),
                    then_in=one.then_in,
                    concurrency_id=one.line,
                    concurrency_limit=AT_ONCE[one.line],
                    trigger_mode=one.trigger,
                )
            if upload is not None and panel.upload is not None and panel.upload.several:
                _clear(upload)  # last, for whoever answers must still find the files in it
        on(many.upload, studio.edit_photos, many, then=None, **pictures | {"trigger_mode": "multiple"})
        _clear(many)
        on(batch.stop, studio.stop, batch, then=None)
        on(bar.undo, studio.undo, bar)
        on(bar.redo, studio.redo, bar)
        on(bar.start_over, studio.start_over, bar)
        on(result.travel, studio.travel, result)
        on(bar.choose_weights, studio.choose_weights, bar, **opening)
        on(background.input, studio.choose_background, background, **opening)
        on(bar.stop, studio.stop, bar, then=None)
        on(bar.knock, handlers.knock, **opening)
        on(bar.save, studio.save, bar, then=studio.pack, then_in="files")
        packing: dict[str, Any] = {"concurrency_id": "files", "concurrency_limit": AT_ONCE["files"]}
        on(result.save_as, studio.save_as, result, then=None, **packing)
        on(download.click, studio.download, then=None, **packing | {"trigger_mode": "once"})
        on(keeping.keep, studio.keep, keeping, then=None, concurrency_id="files", concurrency_limit=AT_ONCE["files"])
        on(keeping.restore, studio.restore, keeping, **opening)
        on(demo.load, studio.start, bar, js=_KNOWN_SESSION, then=studio.prepare, **coming)
        keeping_button.click(None, js=_SHOW_KEEPING, api_visibility="private")
        example_button.click(None, js=_SHOW_EXAMPLES, api_visibility="private")

        def goodbye(request: gr.Request) -> None:
            sessions.leave(request.session_hash or "")

        demo.unload(goodbye)
        add_endpoints(studio, sessions)

    # A request that passes the queue by names no session, and so no document.
    demo.max_threads = THREADS
    demo.queue(max_size=WAITING, default_concurrency_limit=4, api_open=False)
    return demo
