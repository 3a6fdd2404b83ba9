"""What the weights that ship find held."""

import numpy as np

from pise_core.detection.analyzer import Analyzer, read_network
from pise_core.images import read_image
from tests.test_shipped import EXAMPLES


def test_the_weights_that_ship_find_a_handbag_and_say_the_same_of_all_else(editor, weights):
    """Joints and regions are those of the analyzer without these layers."""
    with_bag = read_image(EXAMPLES[5])
    found = editor.analyze(with_bag)
    assert found.held is not None and found.held.carriers == ("left_hand",)
    (x0, y0, x1, y1) = found.held.boxes[0]
    assert 470 < x0 < x1 < 600 and 570 < y0 < y1 < 820
    assert not found.parsing[found.held.labels > 0].any()
    without = Analyzer(read_network(weights / "analyzer.safetensors")).look(with_bag)
    bare = editor.analyzer.look(with_bag)
    assert without is not None and without.held is None and bare.held is not None
    np.testing.assert_allclose(bare.pose, without.pose, atol=1e-2)
    assert np.abs(bare.probabilities - without.probabilities).max() < 1e-3
    assert editor.analyze(read_image(EXAMPLES[0])).held is None
