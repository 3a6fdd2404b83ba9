"""What pages and programs send is parsed once, at the edge, and refused in a line."""

import base64
from typing import Annotated, Any, Literal

import numpy as np
import pytest

from app import values
from app.state.session import Session
from app.values import OneOf, Pose, PoseText, Recolours, RegionName, ShareBox, Styles, Wear, parser, schema
from app.view import events
from pise_core.errors import InputError
from pise_core.pose import default_skeleton, to_rows
from pise_core.regions import REGIONS
from pise_core.rendering.recolour import Recolour

PACE = "from one key pose to the next it takes 0.1 to 5 seconds"
ROWS = to_rows(default_skeleton((0, 0, 60, 100)))


@pytest.mark.parametrize(
    "annotation, sent, line",
    [
        (str, 3, "x is a text"),
        (int, "3", "x is a whole number"),
        (int, True, "x is a whole number"),
        (int, 2.5, "x is a whole number"),
        (float, "0.5", "x is a number"),
        (float, None, "x is a number"),
        (bool, 1, "x is true or false"),
        (Literal["png", "jpg"], "gif", "x is one of: png, jpg"),
        (RegionName, "background", f"x is one of: {', '.join(REGIONS[1:])}"),
        (Pose, ROWS[:17], "a pose has 18 keypoints, each [x, y, score] or null"),
        (Pose, [None] * 18, "a pose has two joints at least; show another one"),
        (PoseText, {}, "that file is no pose; choose a JSON file of joints"),
        (PoseText, " " * 10_000_001, "that file is larger than 10 MB; choose one of fewer pictures"),
        (ShareBox, [0, 0, 1], "draw a box around the garment"),
        (ShareBox, [0, 0, 1, 1.5], "draw a box around the garment"),
        (ShareBox, [0, 0, 1, True], "draw a box around the garment"),
        (Styles, {"hair": {"r1": "all"}}, "styles are given as {region: {id of a reference: weight}}"),
        (Styles, ["hair"], "styles are given as {region: {id of a reference: weight}}"),
        (Wear, {"dress": 1}, "what can be worn is upper_clothes, dress, pants; give {region: id of a reference}"),
        (Recolours, {"hair": {"hue": 400}}, "hue is a number from -180 to 180"),
        (list[Pose], ROWS, "a pose has 18 keypoints, each [x, y, score] or null"),
    ],
)
def test_a_parameter_of_the_wrong_kind_is_refused_in_a_line(annotation, sent, line):
    with pytest.raises(InputError) as refused:
        parser("x", annotation)(sent)
    assert str(refused.value) == line


def test_parameters_become_what_is_trusted_below():
    assert parser("x", ShareBox)([0.9, 0.2, 0.1, 1]) == (0.1, 0.2, 0.9, 1)
    assert parser("x", Recolours)({"hair": "navy", "dress": {}}) == {"hair": Recolour((0, 0, 128))}
    assert parser("x", float)(1) == 1.0 and parser("x", bool)(False) is False
    assert parser("x", Annotated[str, OneOf(("a", "b"))])("b") == "b"
    pose = parser("x", Pose)(ROWS)
    assert pose.shape == (18, 3) and pose.dtype == np.float32


def test_programs_are_told_what_to_send():
    rows = schema(Pose)
    assert rows["type"] == "array" and schema(list[Pose])["items"] == rows
    assert schema(RegionName)["enum"] == list(REGIONS[1:]) and schema(Styles)["type"] == "object"


@pytest.mark.parametrize(
    "event, sent, line",
    [
        (events.Sent, {"seq": -1}, "that request is damaged; reload the page"),
        (events.Sent, {"seq": 2.5}, "that request is damaged; reload the page"),
        (events.Sent, {"after": "first"}, "that request is damaged; reload the page"),
        (events.Sent, {"document": True}, "that request is damaged; reload the page"),
        (events.Chosen, {}, "choose one of those on the page"),
        (events.Posed, {}, "a pose has 18 keypoints, each [x, y, score] or null"),
        (events.Posed, None, "a pose has 18 keypoints, each [x, y, score] or null"),
        (events.Placed, {"keypoints": ROWS, "anyway": "yes"}, "anyway is true or false"),
        (events.PoseFile, {"text": "{}", "person": 0.5}, "which person of the file is meant is a whole number, from 0"),
        (events.Reference, {"reference": ["r1"]}, "that reference is gone; choose another one"),
        (events.Moved, {"motion": None}, "a motion has 24 key poses at most"),
        (
            events.Moved,
            {"motion": {"keys": [], "seconds": 9}},
            "from one key pose to the next it takes 0.1 to 5 seconds",
        ),
        (events.MotionPictures, {"format": "avi", "size": "small"}, "format is one of: gif, mp4"),
        (events.MarkedGarment, {"garment": "g1", "box": "all"}, "draw a box around the garment"),
        (events.Kept, {}, "the edits did not come along; try again"),
        (events.Kept, {"edits": "&"}, "the edits are damaged; open the photo again"),
    ],
)
def test_an_event_that_makes_no_sense_is_refused_in_a_line(event, sent, line):
    with pytest.raises(InputError) as refused:
        event.of(sent)
    assert str(refused.value) == line


def test_an_event_has_what_was_sent_and_ignores_the_rest():
    empty: Any = events.Sent.of("a path")  # such as of an upload, which is no JSON object
    assert (empty.seq, empty.after, empty.document) == (0, None, 0)
    looks = events.Looks.of({"seq": 3, "recolour": {"hair": "navy"}, "more": [{}]})
    assert looks.seq == 3 and looks.styles is None and looks.recolour == {"hair": Recolour((0, 0, 128))}
    assert events.Kept.of({"edits": base64.b64encode(b"kept").decode()}).edits == b"kept"
    assert events.PoseFile.of({"text": "{}", "person": None}).person is None


def test_an_edit_of_another_document_is_refused():
    session = Session()
    events.Sent.of({"document": session.number}).meant_for(session)
    events.Sent.of({}).meant_for(session)
    for number, line in ((session.first - 1, "expired"), (session.number + 1, "another photo was opened")):
        with pytest.raises(InputError, match=line):
            events.Sent.of({"document": number}).meant_for(session)
    session.close()


def test_names_and_numbers_are_held_against_what_there_is():
    assert values.index(1, 2, "person") == 1 and values.one_of("r1", ["r1"], "reference") == "r1"
    for act, line in (
        (lambda: values.index(2, 2, "person"), "there is no such person"),
        (lambda: values.index(-1, 2, "person"), "there is no such person"),
        (lambda: values.one_of("r2", ["r1"], "reference"), "choose one of: r1"),
        (lambda: values.one_of("r2", [], "reference"), "there is no reference to choose yet"),
    ):
        with pytest.raises(InputError, match=line):
            act()
