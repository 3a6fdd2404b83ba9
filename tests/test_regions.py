"""The 8 regions: names, maps, merge tables."""

import numpy as np
import pytest

from pise_core import regions
from pise_core.errors import InputError
from pise_core.label_sets import LABEL_NAMES, LABEL_SETS, regions_of_names
from pise_core.regions import CCP_TAGS, PALETTE, REGION, REGION_COUNT, REGIONS


def test_names_and_order_are_the_documented_ones():
    assert " ".join(REGIONS) == "background hair face upper_clothes dress pants upper_skin leg"
    assert [regions.region_index(name) for name in REGIONS] == list(range(8))
    for name in ("hat", "Hair", "", "upper clothes"):
        with pytest.raises(InputError, match="the regions are: background, hair"):
            regions.region_index(name)


def test_colours_are_told_apart():
    assert PALETTE.shape == (8, 3) and PALETTE.dtype == np.uint8
    distances = np.linalg.norm(PALETTE[:, None].astype(float) - PALETTE[None], axis=-1)
    assert distances[~np.eye(8, dtype=bool)].min() > 60


def test_merge_tables_name_every_label_once():
    counts = {name: len(table) for name, table in LABEL_SETS.items()}
    assert counts == {"atr": 18, "lip": 20, "cihp": 20, "pascal": 7, "fashn": 18}
    assert all(len(set(names)) == counts[name] for name, names in LABEL_NAMES.items())
    whole = [set(table) for name, table in LABEL_SETS.items() if name != "pascal"]  # parts, no hair and no dress
    assert all(regions == set(range(REGION_COUNT)) for regions in whole)
    differ = LABEL_SETS["lip"] != LABEL_SETS["cihp"]  # only jumpsuits, which CIHP's torso-skin takes the place of
    assert np.flatnonzero(differ).tolist() == [LABEL_NAMES["lip"].index("jumpsuits")]
    for label, name in {
        2: "hair",
        4: "upper_clothes",
        6: "pants",
        7: "dress",
        11: "face",
        13: "leg",
        14: "upper_skin",
    }.items():
        assert LABEL_SETS["atr"][label] == REGION[name]
    for label, name in {
        2: "hair",
        5: "upper_clothes",
        6: "dress",
        9: "pants",
        13: "face",
        14: "upper_skin",
        18: "leg",
    }.items():
        assert LABEL_SETS["cihp"][label] == REGION[name]
    tags = [tag for names in CCP_TAGS.values() for tag in names.split()]
    assert len(tags) == len(set(tags)) and set(CCP_TAGS) <= set(REGIONS)
    # 59 tags, of which skin is for the bones to decide.
    assert len(tags) == 58 and "skin" not in tags


def test_labels_are_known_by_name():
    assert regions_of_names(["Pants", "left_arm", "Arm right", "BACKGROUND"]).tolist() == [5, 6, 6, 0]
    assert regions_of_names(["torso", "head"]).tolist() == [3, 2]  # Pascal's; FASHN's torso is skin and has no head
    with pytest.raises(InputError, match="not known here: tail"):
        regions_of_names(["hair", "tail"])


def test_one_hot_and_colours_index_by_index():
    parsing = np.arange(8, dtype=np.uint8).reshape(2, 4)
    coded = regions.one_hot(parsing)
    assert coded.shape == (8, 2, 4) and coded.dtype == np.float32
    assert np.array_equal(coded.argmax(0), parsing) and (coded.sum(0) == 1).all()
    assert np.array_equal(regions.colorize(parsing), PALETTE.reshape(2, 4, 3))


def test_good_maps_of_any_whole_type_pass():
    for dtype in (np.uint8, np.int64, np.uint16, bool):
        checked = regions.check_parsing(np.ones((3, 5), dtype), (3, 5))
        assert checked.dtype == np.uint8 and (checked == 1).all()


@pytest.mark.parametrize(
    ("parsing", "size", "message"),
    [
        (np.full((3, 5), 8, np.uint8), None, "index 8"),
        (np.full((3, 5), 300, np.int32), None, "index 300"),
        (np.array([[0, -2]]), None, "index -2"),
        (np.zeros((3, 5, 3), np.uint8), None, "one channel"),
        (np.zeros((3, 5), np.float32), None, "whole numbers"),
        (np.array(None), None, "one channel"),
        (np.zeros((3, 5), np.uint8), (5, 3), "5x3, the photo 3x5"),
    ],
)
def test_wrong_maps_are_refused(parsing, size, message):
    with pytest.raises(InputError, match=message):
        regions.check_parsing(parsing, size)
