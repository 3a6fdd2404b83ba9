"""Other cuts at one go: sleeves and skirts of a drawn person."""

import numpy as np
import pytest

from pise_core.document.cuts import cut
from pise_core.errors import InputError
from pise_core.regions import REGION
from pise_core.skeleton import JOINT
from tests.conftest import draw_person

CLOTH, DRESS, PANTS, SKIN, LEG = (REGION[name] for name in ("upper_clothes", "dress", "pants", "upper_skin", "leg"))


@pytest.fixture(scope="module")
def drawn():
    """A person whose top has sleeves to the wrists, and the same in a dress to the knees."""
    person = draw_person()
    pose, sleeved = person.pose, person.parsing.copy()
    dressed = np.where(np.isin(sleeved, (CLOTH, PANTS)), DRESS, sleeved).astype(np.uint8)
    knee = int(pose[[JOINT["left_knee"], JOINT["right_knee"]], 1].mean())
    below = np.arange(dressed.shape[0])[:, None] > knee
    dressed[(dressed == DRESS) & below] = LEG
    return person, sleeved, dressed


def region_at(parsing, pose, *joints, share=0.5):
    """The region between two joints, and of both sides."""
    a, b = (pose[JOINT[name], :2] for name in joints)
    x, y = a + share * (b - a)
    return parsing[int(y), int(x)]


def test_sleeves_become_short_and_long_again(drawn):
    person, parsing, _ = drawn
    short = cut(parsing, person.pose, "short_sleeves")
    long = cut(short, person.pose, "long_sleeves")
    for side in ("left", "right"):
        upper, fore = (f"{side}_shoulder", f"{side}_elbow"), (f"{side}_elbow", f"{side}_wrist")
        assert region_at(short, person.pose, *upper, share=0.3) == CLOTH
        assert region_at(short, person.pose, *fore) == SKIN
        assert region_at(long, person.pose, *fore) == CLOTH
    assert (short == CLOTH).sum() < (long == CLOTH).sum()
    # Nothing but the arms has changed.
    changed = short != long
    assert set(np.unique(short[changed])) == {SKIN} and set(np.unique(long[changed])) == {CLOTH}
    with pytest.raises(InputError, match="cut already"):
        cut(short, person.pose, "short_sleeves")


def test_a_skirt_grows_and_shrinks_and_never_above_the_thighs(drawn):
    person, _, dressed = drawn

    def hem(parsing):
        return int(np.nonzero((parsing == DRESS).any(1))[0].max())

    longer = cut(dressed, person.pose, "longer_skirt")
    assert hem(longer) > hem(dressed) + 5
    shorter = cut(longer, person.pose, "shorter_skirt")
    assert abs(hem(shorter) - hem(dressed)) <= 3
    bare = (longer == DRESS) & (shorter != DRESS)
    assert set(np.unique(shorter[bare])) <= {0, LEG} and (shorter[bare] == LEG).any()
    hips, knees = (person.pose[[JOINT[f"left_{n}"], JOINT[f"right_{n}"]], 1].mean() for n in ("hip", "knee"))
    shortest = dressed
    for _ in range(4):
        try:
            shortest = cut(shortest, person.pose, "shorter_skirt")
        except InputError:
            break
    assert hem(shortest) >= hips + 0.75 * (knees - hips)


def test_what_can_not_be_cut_is_said(drawn):
    person, parsing, dressed = drawn
    with pytest.raises(InputError, match="one of: long_sleeves"):
        cut(parsing, person.pose, "hood")
    with pytest.raises(InputError, match="no dress or skirt"):
        cut(parsing, person.pose, "longer_skirt")
    with pytest.raises(InputError, match="no top or dress"):
        cut(np.where(parsing == CLOTH, SKIN, parsing), person.pose, "long_sleeves")
    pose = person.pose.copy()
    pose[[JOINT["left_elbow"], JOINT["right_elbow"]]] = np.nan, np.nan, 0
    with pytest.raises(InputError, match="no arm is seen whole"):
        cut(parsing, pose, "short_sleeves")
    pose = person.pose.copy()
    pose[JOINT["left_knee"]] = np.nan, np.nan, 0
    with pytest.raises(InputError, match="hips or knees"):
        cut(dressed, pose, "longer_skirt")


def test_a_document_is_cut_as_one_step_of_its_history(document, person):
    document.cut("short_sleeves")
    assert document.steps == (["regions"], 1) and document.edits.paint is not None
    shown = document.render(preview=True).parsing
    assert (shown == SKIN).sum() > (document.base_map(preview=True) == SKIN).sum()
    document.cut("long_sleeves")
    assert document.steps == (["regions", "regions"], 2)
    assert document.undo() and document.undo() and document.edits.none
