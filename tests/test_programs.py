"""What programs send is checked, and no upload is kept."""

from pathlib import Path
from typing import Any

import pytest

from app.api.endpoints import Programs, Upload
from app.api.responses import received
from app.state.detectors import BUILT_IN
from app.state.session import Session
from pise_core.errors import InputError
from tests.conftest import run, sent


def test_an_upload_that_comes_too_early_is_not_kept(studio, photo_path):
    empty = Session()
    for action in (
        lambda upload: run(studio.borrow_pose(empty, upload, BUILT_IN)),
        lambda upload: Programs(studio).set_regions(empty, Upload(str(upload))),
    ):
        upload = sent(photo_path.read_bytes())
        with pytest.raises(InputError, match="open a photo"):
            action(upload)
        assert not upload.exists()
    empty.close()


def test_programs_that_send_nonsense_are_told(studio, session, known_other):
    programs = Programs(studio)
    with pytest.raises(InputError, match="send the file itself"):
        received(None)
    key = session.references.add("other", known_other)
    with pytest.raises(InputError, match="has no dress"):
        programs.set_styles(session, {"dress": {key: 0.5}})
    assert session.document.edits.none and programs.set_styles(session, {"hair": {key: 0.5}})["styles"] == {
        "hair": {key: 0.5}
    }
    with pytest.raises(InputError, match="can be worn"):
        programs.set_wear(session, {"hair": key})
    assert programs.set_wear(session, {"pants": key})["wear"] == {"pants": key}
    assert session.document.edits.styles == {"hair": {key: 0.5}} and session.document.undo()
    with pytest.raises(InputError, match="can't be transparent"):
        programs.result(session, "jpg", cut_out=True)


def test_the_picture_comes_in_the_format_that_is_asked_for(studio, session):
    programs = Programs(studio)
    asked: list[tuple[Any, dict[str, Any], bytes]] = [
        ("png", {}, b"\x89PNG"), ("jpg", {"quality": 60}, b"\xff\xd8"), ("webp", {"cut_out": True}, b"RIFF"),
        ("ora", {}, b"PK\x03\x04"),
    ]  # fmt: skip
    for kind, options, start in asked:
        path = Path(programs.result(session, kind, **options))
        assert path.suffix == f".{kind}" and path.read_bytes().startswith(start)
