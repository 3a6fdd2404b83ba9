"""The regions: one table, and one-hot coding; ``label_sets`` says how other parsers' labels merge into them.

A parsing map is a uint8 array (H, W) of indices 0..7. The order below is ours alone; the authors' files use others.
"""

from typing import NamedTuple

import numpy as np

from pise_core.errors import InputError


class Region(NamedTuple):
    """A row of the table."""

    name: str  # in files, programs and messages
    label: str  # on the page
    colour: tuple[int, int, int]  # RGB; far apart in hue and lightness, to be told apart without colour vision too
    kind: str  # "background", "hair", "face", "garment" or "skin"
    parts: str  # kinds of the body's parts that may move it (``warping.parts``)
    pgn: int  # index in maps by which the authors merge PGN's labels (issues 2 and 5 of their repository)
    spl8: int  # index in the label files that they released (issues 20 and 21)
    tags: str  # Clothing Co-Parsing's


#: Ours is the only order that tells all of them apart; the authors' know shoes, or hats, which ours counts to others.
TABLE = (
    Region("background", "background", (32, 34, 37), "background", "", 0, 0, "null accessories bag purse wallet"),
    Region("hair", "hair", (122, 81, 54), "hair", "head", 1, 2, "hair hat"),
    Region("face", "face", (255, 209, 168), "face", "head", 5, 7, "glasses sunglasses earrings"),
    Region(
        "upper_clothes", "upper clothes", (66, 135, 245), "garment", "torso skirt upper_arm forearm", 2, 3,
        "belt blazer blouse bodysuit bra cape cardigan coat hoodie intimate jacket jumper scarf shirt suit sweater "
        "sweatshirt swimwear t-shirt tie top vest",
    ),
    Region(
        "dress", "dress or skirt", (214, 84, 160), "garment", "torso skirt upper_arm forearm", 3, 4,
        "dress romper skirt",
    ),
    Region(
        "pants", "pants", (44, 160, 110), "garment", "torso thigh shin", 3, 5,
        "jeans leggings panties pants shorts",
    ),
    # "skin" is one tag there, and the nearest bone decides what it is (``training.data.street_photos``).
    Region(
        "upper_skin", "arms and neck", (245, 158, 66), "skin", "torso upper_arm forearm", 6, 6,
        "bracelet gloves necklace ring watch",
    ),
    # A hand beside the thigh is easily taken for a piece of leg.
    Region(
        "leg", "legs and shoes", (150, 110, 230), "skin", "forearm thigh shin", 7, 6,
        "boots clogs flats heels loafers pumps sandals shoes sneakers socks stockings tights wedges",
    ),
)  # fmt: skip

REGIONS = tuple(row.name for row in TABLE)
REGION = {name: index for index, name in enumerate(REGIONS)}
REGION_COUNT = len(REGIONS)
LAST = REGION_COUNT - 1
#: Names of what is worn, and of what has a texture that goes on and colours that are chosen: garments and hair.
GARMENTS = tuple(row.name for row in TABLE if row.kind == "garment")
TEXTURED = tuple(row.name for row in TABLE if row.kind in ("garment", "hair"))
#: In a painted layer: nothing is painted here, and the map below it counts.
UNTOUCHED = 255
#: (regions, 3) uint8 RGB.
PALETTE = np.array([row.colour for row in TABLE], np.uint8)
#: Clothing Co-Parsing's 59 tags by the region's name.
CCP_TAGS = {row.name: row.tags for row in TABLE}


def region_index(name: str) -> int:
    """Index of a region by name.

    Raises:
        InputError: if there is no such region; the message lists those there are.
    """
    try:
        return REGION[name]
    except KeyError:
        raise InputError(f"no region is called {name!r}; the regions are: {', '.join(REGIONS)}") from None


def check_parsing(parsing: np.ndarray, size: tuple[int, int] | None = None) -> np.ndarray:
    """The map as uint8 (H, W), or an error that says what is wrong with it.

    Args:
        parsing: integer array (H, W).
        size: (H, W) that it must have.

    Raises:
        InputError: wrong shape, wrong type, wrong size, or an index above 7.
    """
    try:
        parsing = np.asarray(parsing)
    except ValueError:  # rows of different lengths
        parsing = np.empty(0)
    if parsing.ndim != 2 or parsing.dtype.kind not in "iub":
        raise InputError(f"a parsing map is one channel of whole numbers 0 to {LAST} (a PNG of mode P or L)")
    if size is not None and parsing.shape != tuple(size):
        raise InputError(
            f"the parsing map is {parsing.shape[1]}x{parsing.shape[0]}, the photo {size[1]}x{size[0]}: "
            "they must be of the same size"
        )
    if parsing.size and (parsing.min() < 0 or parsing.max() >= REGION_COUNT):
        wrong = int(parsing.max()) if parsing.max() >= REGION_COUNT else int(parsing.min())
        raise InputError(f"the parsing map holds the index {wrong}; regions go from 0 to {LAST}")
    return parsing.astype(np.uint8)


def present(parsing: np.ndarray) -> list[str]:
    """Names of the regions that cover at least one pixel in two thousand of a map (H, W)."""
    share = np.bincount(parsing.ravel(), minlength=REGION_COUNT) / parsing.size
    return [name for name, value in zip(REGIONS, share, strict=True) if value >= 1 / 2000]


def one_hot(parsing: np.ndarray) -> np.ndarray:
    """(H, W) indices -> (8, H, W) float32 of zeros and ones."""
    return (np.arange(REGION_COUNT, dtype=np.uint8)[:, None, None] == parsing[None]).astype(np.float32)


def cut_out(image: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 -> (3, H, W) float32 in [-1, 1], neutral (0) where ``inside`` (H, W) is 0 or False."""
    return ((image.astype(np.float32) / 127.5 - 1) * inside[..., None].astype(np.float32)).transpose(2, 0, 1)


def colorize(parsing: np.ndarray) -> np.ndarray:
    """(H, W) indices -> (H, W, 3) uint8 RGB in the palette."""
    return PALETTE[parsing]
