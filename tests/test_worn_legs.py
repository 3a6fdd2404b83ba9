"""New legs: knees, light, and trousers that stay where nobody knows what legs would end in."""

import cv2
import numpy as np
import pytest

from pise_core.errors import InputError
from pise_core.regions import REGION
from pise_core.rendering.wearing.skin import _knee
from pise_core.skeleton import JOINT, LEGS
from pise_core.warping.bare_body import limb
from tests.conftest import draw_person
from tests.test_wear import lender

PANTS, LEG, DRESS = (REGION[name] for name in ("pants", "leg", "dress"))


def test_a_knee_stands_out_and_casts_a_shadow(person):
    outline = limb(person.pose, LEGS[0])
    assert outline is not None
    knee = person.pose[LEGS[0][1], :2]
    half = float(outline[np.hypot(*(outline[:, :2] - knee).T).argmin(), 2])
    light = _knee(outline, knee, person.parsing.shape)
    x, y = knee.astype(int)
    assert light[y, x] > 1.03 > 0.97 > light[int(y + 1.1 * half), x]
    far = np.hypot(*(np.mgrid[: light.shape[0], : light.shape[1]] - np.array([y, x])[:, None, None])) > 4 * half
    assert np.abs(light[far] - 1).max() < 1e-3


def test_trousers_that_hide_the_shoes_stay_below_a_dress(editor):
    made, dress = draw_person(), lender("dress")
    lent = editor.set_person(dress.photo, pose=dress.pose, parsing=dress.parsing)
    shoes = made.parsing == LEG
    ankle = int(made.pose[JOINT["left_ankle"], 1])
    seen = editor.set_person(made.photo, pose=made.pose, parsing=made.parsing)
    legs = np.arange(len(shoes))[:, None] > (ankle + int(made.pose[JOINT["left_knee"], 1])) // 2
    assert not (seen.wear({"dress": lent}).parsing[np.broadcast_to(legs, shoes.shape)] == PANTS).any()
    photo, parsing = made.photo.copy(), made.parsing.copy()
    photo[shoes], parsing[shoes] = photo[made.parsing == PANTS][0], PANTS
    hidden = editor.set_person(photo, pose=made.pose, parsing=parsing)
    worn = hidden.wear({"dress": lent})
    assert (worn.parsing == DRESS).any() and (worn.parsing[ankle - 8 : ankle] == PANTS).any()
    assert not (worn.parsing == LEG).any()


def test_thighs_of_trousers_that_a_skirt_hid_are_not_made_up_below_a_short_dress(editor):
    made, dress = draw_person(), lender("short")
    lent = editor.set_person(dress.photo, pose=dress.pose, parsing=dress.parsing)
    photo, parsing = made.photo.copy(), made.parsing.copy()
    shoes, hip, knee = made.parsing == LEG, *(int(made.pose[JOINT[f"left_{name}"], 1]) for name in ("hip", "knee"))
    photo[shoes], parsing[shoes] = photo[made.parsing == PANTS][0], PANTS
    seen = editor.set_person(photo, pose=made.pose, parsing=parsing)
    assert (seen.wear({"dress": lent}).parsing[knee - 8 : knee] == PANTS).any()
    parsing[(parsing == PANTS) & (np.arange(len(parsing))[:, None] < (hip + knee) // 2)] = DRESS
    hidden = editor.set_person(photo, pose=made.pose, parsing=parsing)
    with pytest.raises(InputError, match="choose another garment"):
        hidden.wear({"dress": lent})


def test_legs_in_glaring_light_do_not_glow(editor):
    made, dress = draw_person(), lender("dress")
    photo = made.photo.copy()
    bare = np.isin(made.parsing, [REGION["face"], REGION["upper_skin"]])
    photo[bare] = (255, 246, 238)
    pale = editor.set_person(photo, pose=made.pose, parsing=made.parsing)
    worn = pale.wear({"dress": editor.set_person(dress.photo, pose=dress.pose, parsing=dress.parsing)})
    new = (worn.parsing == LEG) & (made.parsing == PANTS)
    assert new.any()
    light = cv2.cvtColor(worn.photo[new].reshape(-1, 1, 3).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[:, 0, 0]
    assert 60 < np.median(light) < 86
