"""The person cut out part by part."""

import numpy as np

from pise_core.matting import soft_edges
from pise_core.warping.layers import cut_outs, pack_cut_outs
from pise_core.warping.parts import PARTS, assign_parts


def test_parts_laid_over_anything_are_the_person(person):
    parts = cut_outs(person.photo, person.parsing, person.pose)
    assert [part.part for part in parts] == [name for name in PARTS if name in {part.part for part in parts}]
    assert {"torso", "head", "left_forearm", "right_shin"} <= {part.part for part in parts}
    laid = np.zeros_like(person.photo)
    covered = np.zeros(person.parsing.shape, bool)
    for part in parts:
        h, w = part.image.shape[:2]
        here = slice(part.y, part.y + h), slice(part.x, part.x + w)
        inside = part.image[..., 3] > 0
        laid[here][inside] = part.image[..., :3][inside]
        covered[here] |= inside
    assert not covered[person.parsing == 0].any()
    assert covered.sum() > 0.85 * (person.parsing > 0).sum()  # all but the rim
    assert (laid[covered] == person.photo[covered]).all()


def test_all_parts_fit_on_one_sheet_and_none_touches_another(person):
    parts = cut_outs(person.photo, person.parsing, person.pose)
    sheet, places = pack_cut_outs(parts, 120)
    taken = np.zeros(sheet.shape[:2], int)
    for part, (x, y) in zip(parts, places, strict=True):
        h, w = part.image.shape[:2]
        assert (sheet[y : y + h, x : x + w] == part.image).all()
        taken[y - 1 : y + h + 1, x - 1 : x + w + 1] += 1
    assert taken.max() == 1


def test_nobody_is_an_empty_sheet(person):
    parts = cut_outs(person.photo, np.zeros_like(person.parsing), person.pose)
    assert parts == [] and pack_cut_outs(parts, 50)[0].shape == (1, 50, 4)


def test_with_a_known_share_the_edge_is_soft_and_has_the_persons_colours(person):
    owner = assign_parts(person.parsing, person.pose)
    edges = soft_edges(person.photo, person.parsing, owner, 0.5)
    parts = cut_outs(edges.colours, person.parsing, person.pose, edges.owner, share=edges.share)
    most = np.zeros(person.parsing.shape, np.uint8)
    for part in parts:
        h, w = part.image.shape[:2]
        here = slice(part.y, part.y + h), slice(part.x, part.x + w)
        most[here] = np.maximum(most[here], part.image[..., 3])
    assert (most == np.rint(255 * edges.share)).all()
    assert ((most > 0) & (most < 255)).any()
