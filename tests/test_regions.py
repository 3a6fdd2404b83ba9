"""The 8 regions: names, maps, merge tables."""

import numpy as np
import pytest

from pise_core import regions
from pise_core.errors import InputError
from pise_core.regions import ATR_18, CCP_TAGS, CIHP_20, PALETTE, REGION, REGION_COUNT, REGIONS


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
    assert len(ATR_18) == 18 and len(CIHP_20) == 20
    assert set(ATR_18) == set(CIHP_20) == set(range(REGION_COUNT))
    for label, name in {
        2: "hair",
        4: "upper_clothes",
        6: "pants",
        7: "dress",
        11: "face",
        13: "leg",
        14: "upper_skin",
    }.items():
        assert ATR_18[label] == REGION[name]
    for label, name in {
        2: "hair",
        5: "upper_clothes",
        6: "dress",
        9: "pants",
        13: "face",
        14: "upper_skin",
        18: "leg",
    }.items():
        assert CIHP_20[label] == REGION[name]
    tags = [tag for names in CCP_TAGS.values() for tag in names.split()]
    assert len(tags) == len(set(tags)) and set(CCP_TAGS) <= set(REGIONS)
    # 59 tags, of which skin is for the bones to decide.
    assert len(tags) == 58 and "skin" not in tags


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
