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


def test_the_mirror_image_is_asked_only_where_it_can_make_a_difference(editor, monkeypatch):
    analyzer, heads = editor.analyzer, []
    head = analyzer.network.held_head
    handle = head.register_forward_hook(lambda *_: heads.append(1))
    try:
        for number, looks in ((5, 2), (0, 1)):  # somebody with a bag, and with free hands
            heads.clear()
            known = editor.analyze(read_image(EXAMPLES[number]))
            assert len(heads) == looks
            with monkeypatch.context() as always:
                always.setattr("pise_core.detection.analyzer.SURE", 0.5)  # whatever the plain picture says
                again = editor.analyze(read_image(EXAMPLES[number]))
            assert np.array_equal(known.parsing, again.parsing) and (known.held is None) == (again.held is None)
            if known.held is not None:
                assert np.array_equal(known.held.labels, again.held.labels)
    finally:
        handle.remove()
