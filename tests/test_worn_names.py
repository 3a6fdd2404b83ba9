"""What a map calls the clothes of somebody who changes them: patches of one in another, and hems taken for legs."""

import numpy as np

from pise_core.regions import REGION
from pise_core.rendering.wearing.names import tidied, trousers_whole

TOP, DRESS, PANTS, LEG, SKIN = (REGION[name] for name in ("upper_clothes", "dress", "pants", "leg", "upper_skin"))


def test_a_patch_of_one_garment_in_another_is_that_others():
    parsing = np.zeros((200, 100), np.uint8)
    parsing[20:100, 30:70], parsing[100:180, 30:70] = TOP, PANTS
    right = parsing.copy()
    parsing[130:140, 45:55] = DRESS  # in the trousers
    parsing[40:50, 60:70] = PANTS  # at the top's edge
    assert (tidied(parsing) == right).all()
    parsing[60:70, 40:50] = right[60:70, 40:50] = SKIN  # a hand before it is none
    assert (tidied(parsing) == right).all()


def test_a_garment_of_some_size_or_between_two_others_stays():
    parsing = np.zeros((200, 100), np.uint8)
    parsing[20:100, 30:70], parsing[100:130, 30:70], parsing[130:190, 30:70] = TOP, DRESS, PANTS
    assert (tidied(parsing) == parsing).all()
    sash = np.zeros((200, 100), np.uint8)
    sash[20:100, 30:70], sash[100:104, 30:70], sash[104:190, 30:70] = TOP, DRESS, PANTS
    assert (tidied(sash) == sash).all()
    assert not tidied(np.zeros((40, 40), np.uint8)).any()


def test_trousers_go_down_to_where_their_colours_end():
    random = np.random.default_rng(3)
    photo = np.full((200, 100, 3), (180, 180, 175), np.uint8)
    parsing = np.zeros((200, 100), np.uint8)
    photo[20:150, 40:60], photo[150:190, 40:60] = (60, 70, 110), (120, 60, 30)
    parsing[20:130, 40:60], parsing[130:190, 40:60] = PANTS, LEG  # the last twenty rows of cloth are called leg
    photo = (photo + random.integers(-5, 6, photo.shape)).clip(0, 255).astype(np.uint8)
    made = trousers_whole(photo, parsing, 1.0)
    assert (made[130:149, 42:58] == PANTS).mean() > 0.97 and (made[153:190] == parsing[153:190]).all()
    photo[150:190, 40:60] = photo[100:140, 40:60]  # boots of the same colour tell nothing
    assert (trousers_whole(photo, parsing, 1.0) == parsing).all()
    assert (trousers_whole(photo, np.zeros_like(parsing), 1.0) == 0).all()
