"""The endpoints for programs: wiring of :class:`app.api.endpoints.Programs`, nothing else.

A client of ``gradio_client`` has a session of its own, which goes when the client does. Tools of the MCP server share
one connection to this server and have none: they name the session that ``open_file`` returned, a secret of its owner's.
Any client may name a session, such as that of an open page.
"""

import inspect
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import partial
from textwrap import dedent
from typing import Any

import gradio as gr
from gradio.components import Component
from gradio.components.api_component import Api
from gradio_client.utils import python_type_to_json_schema

from app.api import mcp
from app.api.endpoints import Programs, Upload
from app.api.responses import Download, State, received
from app.commands.opening import fetch
from app.commands.outcome import finish
from app.guard import visitor_of
from app.state import uploads
from app.state.models import Engine
from app.state.observing import observed
from app.state.queueing import AT_ONCE
from app.state.registry import Sessions
from app.state.session import Session
from app.upload_fields import EndpointFile
from app.values import parser, schema
from pise_core.errors import InputError
from pise_core.model.turns import Kind

log = logging.getLogger(__name__)

_SESSION = "The session that open_file returned; only for clients without one of their own, such as MCP tools."
_SENT = "MCP tools send a data: address, or the address of a file that was uploaded to this server."
#: Endpoints that make files may take minutes and are carried out beside, where a motion takes a turn for every picture.
#: Those that only say what is wanted need no network, and wait for nobody. All others take their turn.
_SAYING = (
    "state", "set_pose", "set_held", "load_pose", "set_style", "set_styles", "set_wear", "set_recolour",
    "remove_reference", "set_motion", "undo", "redo", "start_over", "travel", "cut",
)  # fmt: skip
_KINDS = {
    "animate": "motion",
    "motion_from_video": "motion",
    "save_look": "files",
    "save_document": "files",
} | dict.fromkeys(_SAYING, "edit")

#: Of those that take their turn, those that make pictures of what is open; the others look at photos.
_PICTURES = ("result", "regions", "steps", "retouch", "paint_held")
#: Those that begin something where nothing was open, and so need a place.
_OPENS = ("open_file", "add_reference", "add_garment")


def add_endpoints(engine: Engine, sessions: Sessions) -> None:
    """Add the endpoints to the blocks that are being built."""
    programs = Programs(engine)

    def close(session: Session) -> State:
        """Forget the document and all of its files now; otherwise they are forgotten after a while."""
        sessions.forget(session)
        return {"closed": True}

    with gr.Column(visible=False):
        button = gr.Button()
        for name in vars(Programs):
            if not name.startswith("_"):
                kind = Kind.EXACT if name in _PICTURES else Kind.OPENING
                turn = nullcontext if name in _KINDS else partial(engine.line.turn, kind)
                _add(button, getattr(programs, name), sessions, turn, engine)
        _add(button, close, sessions, nullcontext, engine)


def _add(
    button: gr.Button,
    function: Callable[..., Any],
    sessions: Sessions,
    turn: Callable[[], AbstractContextManager[None]],
    engine: Engine,
) -> None:
    """Make an endpoint of a function whose first parameter is the session, and that waits for its ``turn``."""
    name, signature = function.__name__, inspect.signature(function)
    text, described = descriptions(function)
    parameters = list(signature.parameters.values())[1:]
    inputs = [_input(parameter, described[parameter.name]) for parameter in parameters]
    parsers = [received if one.annotation is Upload else parser(one.name, one.annotation) for one in parameters]
    inputs.append(Api("", python_type_to_json_schema(str), _SESSION))

    def answer(request: gr.Request, *sent: Any) -> Any:
        *values, handle = sent
        try:
            values = [parse(value) for parse, value in zip(parsers, values, strict=True)]
            session = _session(sessions, request, handle, opening=name == "open_file")
            with observed(name), ExitStack() as work:
                for parameter, value in zip(parameters, values, strict=True):
                    if parameter.annotation is Upload:
                        work.enter_context(uploads.read_once(uploads.received(value)))
                work.enter_context(sessions.at_work(session, visitor_of(request.headers), opens=name in _OPENS))
                finish(fetch(engine, values))  # beside the line
                with turn():
                    return function(session, *values)
        except InputError as error:
            raise gr.Error(str(error), print_exception=False) from None
        except Exception:
            log.exception("%s failed", name)
            raise gr.Error("something went wrong on the server", print_exception=False) from None

    # Gradio takes the names of the parameters from the signature, and what MCP tools are told from the docstring.
    handle = inspect.Parameter("session", inspect.Parameter.POSITIONAL_OR_KEYWORD, default="")
    request = inspect.Parameter("request", inspect.Parameter.POSITIONAL_ONLY, annotation=gr.Request)
    plain = [p.replace(kind=inspect.Parameter.POSITIONAL_ONLY, annotation=Any) for p in [*parameters, handle]]
    answer.__signature__ = inspect.Signature([request, *plain])  # type: ignore[attr-defined]
    sent = {p.name: f" {_SENT}" if p.annotation is Upload else "" for p in parameters}
    lines = [f"{p.name}: {described[p.name]}{sent[p.name]}" for p in parameters] + [f"session: {_SESSION}"]
    answer.__name__, answer.__doc__ = name, "\n".join([text, "", "Args:", *lines])
    kind = _KINDS.get(name, "gpu")
    output = gr.File(label="file") if signature.return_annotation is Download else gr.JSON(label="state")
    button.click(
        answer, inputs, output, api_name=name, api_description=text, show_progress="hidden",
        concurrency_id=kind, concurrency_limit=AT_ONCE[kind],
    )  # fmt: skip


def descriptions(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """What the docstring of an endpoint says of it and of each parameter, whole: Gradio itself takes the first line of
    what is said of a parameter, and no more."""
    text, _, arguments = (inspect.getdoc(function) or "").partition("\nArgs:\n")
    described: dict[str, str] = {}
    for line in dedent(arguments.partition("\nRaises:\n")[0]).splitlines():
        if line.startswith(" "):
            described[list(described)[-1]] += f" {line.strip()}"
        elif line:
            name, _, said = line.partition(": ")
            described[name] = said
    return " ".join(text.split()), described


def _input(parameter: inspect.Parameter, description: str) -> Component:
    """The component that types a parameter; there is nothing of it on the page."""
    if parameter.annotation is Upload:
        return EndpointFile(label=description, type="filepath")
    default = None if parameter.default is inspect.Parameter.empty else parameter.default
    return Api(default, schema(parameter.annotation), description)


def _session(sessions: Sessions, request: gr.Request, handle: Any, opening: bool) -> Session:
    """The session that is named, else the client's own.

    The session of the one connection that all MCP tools share would be everybody's, so it is nobody's: opening begins
    a new one.
    """
    if handle:
        try:
            return sessions.by_token(handle)
        except InputError:
            raise InputError("there is no such session (any more); call open_file again") from None
    if not mcp.asks(request):
        return sessions.of(request.session_hash or "")
    if not opening:
        raise InputError("name the session that open_file returned")
    return sessions.new()
