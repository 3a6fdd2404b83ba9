"""Very long and very small pictures at every door; what can't be used spoils nothing."""

import numpy as np
import pytest

from app.state.session import Session
from pise_core.document.textures import garment, likely_box
from pise_core.errors import InputError
from pise_core.images import write_image
from tests.conftest import run

SIZES = ((6000, 16), (16, 6000), (16000, 16), (16, 16000), (3000, 40), (16, 16), (16, 17))


def _noise(size):
    return np.random.default_rng(1).integers(0, 255, (*size, 3), np.uint8)


@pytest.mark.parametrize("size", SIZES)
def test_a_garment_of_any_shape_is_boxed_and_cut_or_refused(size):
    box = likely_box(_noise(size))
    assert all(0 <= share <= 1 for share in box) and box[0] < box[2] and box[1] < box[3]
    for share in (box, (0.0, 0.0, 1.0, 1.0), (0.0, 0.0, 0.1, 0.1), (0.4, 0.4, 0.6, 0.6)):
        try:
            cut = garment(_noise(size), share, "dress")
        except InputError:
            continue
        assert cut.parsing.any() and cut.parsing.shape == cut.photo.shape[:2]


@pytest.mark.parametrize("size", SIZES[:5])
def test_a_narrow_garment_leaves_the_session_whole(studio, tmp_path, person, size):
    session = Session()
    for name, picture in (("narrow", _noise(size)), ("person", person.photo)):
        write_image(tmp_path / f"{name}.png", picture)
    page = run(studio.add_references(session, [str(tmp_path / "narrow.png")], "Built-in", "Built-in"))
    waiting = page["textures"]["garment"]
    assert waiting["box"]
    page = run(studio.open_file(session, str(tmp_path / "person.png"), "Built-in", "Built-in"))
    assert page["textures"]["garment"]["id"] == waiting["id"]
    page = run(studio.start(session, {"session": session.token}))  # reloaded
    assert page["result"]["result"]["url"]
    with pytest.raises(InputError):
        run(studio.use_garment(session, {"garment": waiting["id"], "box": [0, 0, 0.01, 0.01], "region": "dress"}))
    run(studio.cancel_garment(session, {"garment": waiting["id"]}))
    assert not session.garments
    session.close()
