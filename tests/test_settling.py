"""The map that a pose asks for: carried labels, finished layers and the generator's guess."""

import numpy as np

from pise_core.framing import Framing
from pise_core.pose import empty_pose
from pise_core.regions import REGION, REGION_COUNT
from pise_core.rendering.settling import photo_map
from pise_core.view import View
from pise_core.warping.cutting import Staying
from pise_core.warping.warp import Carried


def test_no_line_of_leg_runs_along_the_soft_edge_of_a_hem_that_moved():
    """The generator sees a leg wherever a skirt was; of the hem's last row less than half is covered."""
    size = (256, 176)
    parsing, nothing = np.zeros(size, np.uint8), np.zeros(size, np.uint8)
    parsing[60:100, 60:120] = REGION["dress"]
    moved, landed, lifted = nothing.copy(), np.zeros(size, bool), np.zeros(size, bool)
    moved[60:90, 60:120] = REGION["dress"]
    landed[60:91, 60:120] = lifted[60:102, 58:122] = True
    image, trust = np.zeros((*size, 3), np.uint8), np.zeros(size, np.float32)
    carried = Carried(image, moved, trust, lifted, landed, trust, Staying(image, nothing, trust))
    probabilities = np.zeros((REGION_COUNT, *size), np.float32)
    probabilities[REGION["leg"]] = 1
    framing = Framing((size[1], size[0]), 1.0, 0.0, 0.0)
    wanted = photo_map(probabilities, framing, View(image, parsing, empty_pose()), carried, detail=True)
    assert (wanted[62:88, 62:118] == REGION["dress"]).all()
    assert (wanted[90:100, 62:118] == 0).all()
