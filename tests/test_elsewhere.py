"""Networks in another process, one for each call: nothing of a session is there, and pictures are the same."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

from app.elsewhere import _packed, _unpacked, send_away
from pise_core.document import Document
from pise_core.editor import Editor
from tests.conftest import moved


@pytest.fixture(scope="module")
def pool():
    """A process for each call, as ZeroGPU has: none remembers an earlier one."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["app.elsewhere"])
    with ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1) as made:
        yield made


def test_two_sessions_are_edited_by_processes_that_keep_nothing(pool, weights, person, other_person, document):
    calls = []

    def run(function, *arguments):
        calls.append(arguments[0])
        return pool.submit(function, *arguments).result(timeout=300)

    editor = Editor.from_pretrained(weights, "cpu")
    send_away(editor, run, str(weights), "cpu")
    here = Document.of(editor.set_person(person.photo, pose=person.pose, parsing=person.parsing), "here")
    other = editor.set_person(other_person.photo, pose=other_person.pose, parsing=other_person.parsing)
    assert calls == [] and other.code is other.code and calls == ["model.encode"]
    # What is known of a person stays with the session, and goes along with each call.
    here.set_pose(moved(person))
    document.set_pose(moved(person))
    assert np.array_equal(here.render().photo, document.render().photo)
    # Passers-by are looked for once, for the background.
    asked = ["analyzer.network.forward", "model.generate_parsing", "model.encode", "model.forward"]
    assert calls[1:] == asked
    assert here.photo is not other.photo and np.array_equal(here.photo, person.photo)


def test_the_analyzer_looks_from_there_too(pool, weights, editor, person):
    away = Editor.from_pretrained(weights, "cpu")
    send_away(away, lambda function, *arguments: pool.submit(function, *arguments).result(300), str(weights), "cpu")
    seen, known = away.analyze(person.photo, pose=person.pose), editor.analyze(person.photo, pose=person.pose)
    assert np.array_equal(seen.parsing, known.parsing)


def test_an_error_there_is_an_error_here_and_the_next_call_works(pool, weights, person):
    away = Editor.from_pretrained(weights, "cpu")
    broken = [True]

    def run(function, *arguments):
        if broken.pop() if broken else False:
            arguments = (*arguments[:3], (), {})
        return pool.submit(function, *arguments).result(300)

    send_away(away, run, str(weights), "cpu")
    known = away.set_person(person.photo, pose=person.pose, parsing=person.parsing)
    with pytest.raises(TypeError):
        _ = known.code
    assert np.isfinite(known.code.styles).all()


def test_only_arrays_travel(known):
    packed = _packed((known.code, {"a": [known.code.styles]}))
    assert type(packed[0]) is type(known.code) and isinstance(packed[0].styles, np.ndarray)
    assert isinstance(packed[1]["a"][0], np.ndarray)
    back = _unpacked(packed, "cpu")
    assert (back[0].styles == known.code.styles).all()
    with pytest.raises(TypeError, match="stays where it is"):
        _packed(known.editor.model)
