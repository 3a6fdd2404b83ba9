"""The history of a document: what is a step of it, and what a step back brings back."""

import numpy as np
import pytest

from pise_core import Document
from pise_core.errors import InputError
from tests.conftest import layer, moved


def test_one_history_for_all_kinds_of_edits(document, person, known_other):
    key = document.add_reference(known_other, "friend")
    pose, mask = moved(person), np.zeros(person.parsing.shape, bool)
    mask[140:170, 90:110] = True
    document.set_pose(pose)
    document.paint("pants", mask)
    document.set_style("hair", key, 0.5)
    document.set_motion([person.pose, pose], 0.5, False)
    assert document.undo() and document.edits.motion.keys == () and document.edits.styles == {"hair": {key: 0.5}}
    assert document.undo() and document.edits.paint is not None and not document.edits.styles
    assert document.undo() and document.edits.paint is None and np.array_equal(document.edits.pose, pose)
    assert document.redo() and document.edits.paint is not None
    document.set_pose(None)  # a new step cuts off what could have been redone
    assert not document.can_redo and not document.redo()
    assert document.start_over() and document.edits.none and not document.start_over()
    while document.undo():
        pass
    assert document.edits.none and not document.can_undo


def test_the_history_is_bounded(document, person):
    for step in range(150):
        document.set_pose(moved(person, by=(float(step + 1), 0)))
    steps = 0
    while document.undo():
        steps += 1
    assert steps == 100 and document.begun  # the first fifty are no photo to go back to


def test_removing_a_reference_is_a_step(document, editor, person, known_other, tmp_path):
    key = document.add_reference(known_other, "friend")
    document.set_style("upper_clothes", key)
    borrowed = document.render().photo
    assert not np.array_equal(borrowed, person.photo)
    document.remove_reference(key)
    assert document.edits.none and not document.references
    for refused in (lambda: document.remove_reference(key), lambda: document.set_style("hair", key)):
        with pytest.raises(InputError, match="gone"):
            refused()
    assert document.add_reference(known_other, "another") != key  # no id is given twice
    document.save(tmp_path / "removed.pise")
    for same in (document, Document.open(tmp_path / "removed.pise", editor)):
        assert [r.name for r in same.references.values()] == ["another"]
        assert same.undo() and [r.name for r in same.references.values()] == ["friend", "another"]
        assert np.array_equal(same.render().photo, borrowed)
        assert same.redo() and key not in same.references and same.edits.none


def test_a_document_that_was_left_keeps_what_it_borrows(document, known, known_other):
    key = document.add_reference(known_other, "friend")
    document.set_style("upper_clothes", key)
    borrowed = document.render().photo
    later = Document.of(known, "later", references=document.references)
    later.remove_reference(key)
    other = later.add_reference(known, "another")
    third = Document.of(known, "third", references=later.references)
    assert list(third.references) == [other] and not third.can_undo  # what was removed does not come back with it
    document.take_up()
    assert list(document.references) == [key, other] and np.array_equal(document.render().photo, borrowed)
    document.undo()
    document.redo()
    assert document.edits.styles == {"upper_clothes": {key: 1.0}}


def test_of_too_many_removed_references_the_oldest_are_forgotten(document, known, known_other, monkeypatch):
    monkeypatch.setattr("pise_core.document.references.KEPT_LIMIT", 3)
    key = document.add_reference(known_other)
    document.set_style("upper_clothes", key)
    document.remove_reference(key)
    for _ in range(3):
        last = document.add_reference(known)
    assert last == "r4" and list(document.references) == ["r2", "r3", "r4"] and len(document.references.kept) == 3
    assert document.undo() and document.edits.none and key not in document.references
    document.set_style("hair", last)  # nothing in the way of the next edit


def test_what_changes_nothing_is_no_step(document, person, known_other):
    key = document.add_reference(known_other)
    document.set_pose(moved(person))
    document.set_style("hair", key, 0.5)
    document.set_motion([person.pose, moved(person)])
    document.undo()
    before = document.edits
    document.set_pose(moved(person))
    document.set_paint(None, None)
    document.set_style("hair", key, 0.5)
    document.set_motion([])
    assert document.edits is before and document.can_redo
    document.redo()
    document.set_motion([person.pose, moved(person)])
    assert document.undo() and document.edits is before
    document.set_paint(None, layer(person))
    painted = document.edits
    document.set_paint(document.painted(), layer(person))
    assert document.edits is painted
    document.set_pose(person.pose)
    carried = document.edits
    document.set_paint(document.painted(), document.painted())
    assert document.edits is carried


def test_the_same_picture_is_told_from_another_one(document, person, known_other):
    key = document.add_reference(known_other)
    states = [document.edits]
    for edit in (
        lambda: document.set_pose(moved(person)),
        lambda: document.set_paint(None, layer(person)),
        lambda: document.set_style("hair", key),
    ):
        edit()
        states.append(document.edits)
    for n, state in enumerate(states):
        assert [state.looks_like(other) for other in states] == [n == m for m in range(len(states))]
    document.set_motion([person.pose])
    document.set_style("pants", key, 0.0)
    assert document.edits.looks_like(states[-1]) and not document.edits.same(states[-1])


def test_the_steps_are_named_and_any_of_them_is_gone_to(document, person, known_other):
    document.set_pose(moved(person))
    document.set_recolour({"upper_clothes": {"colour": "#1b3a8c"}})
    key = document.add_reference(known_other, "other")
    document.set_styles({"hair": {key: 1.0}})
    document.set_motion([document.pose_of(document.edits)], 1.0, True)
    document.remove_reference(key)
    document.start_over()
    named = ["pose", "recolour", "textures", "motion", "references", "all"]
    assert document.steps == (named, 6)
    assert document.travel(1) and document.steps == (named, 1) and not document.edits.recolour
    assert not document.travel(1) and key in document.references
    assert document.travel(0) and document.edits.none and not document.can_undo
    assert document.travel(3) and document.edits.styles == {"hair": {key: 1.0}}
    with pytest.raises(InputError, match="steps 0 to 6"):
        document.travel(7)
    document.set_pose(moved(person, joint=7))
    assert document.steps == ([*named[:3], "pose"], 4)
