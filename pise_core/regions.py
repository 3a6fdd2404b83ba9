"""The 8 regions: names, palette, one-hot coding; ``label_sets`` says how other parsers' labels merge into them.

A parsing map is a uint8 array (H, W) of indices 0..7. The order below is ours alone; the authors' files use others.
"""

import numpy as np

from pise_core.errors import InputError

REGIONS = ("background", "hair", "face", "upper_clothes", "dress", "pants", "upper_skin", "leg")
REGION = {name: index for index, name in enumerate(REGIONS)}
REGION_COUNT = len(REGIONS)
#: In a painted layer: nothing is painted here, and the map below it counts.
UNTOUCHED = 255

#: RGB per region; far apart in hue and in lightness, so that they are told apart without colour vision too.
PALETTE = np.array(
    [
        (32, 34, 37),
        (122, 81, 54),
        (255, 209, 168),
        (66, 135, 245),
        (214, 84, 160),
        (44, 160, 110),
        (245, 158, 66),
        (150, 110, 230),
    ],
    np.uint8,
)

#: Clothing Co-Parsing's 59 tags by name. "skin" is one tag there, and the nearest bone decides what it is
#: (``training.street_photos``).
CCP_TAGS = {
    "hair": "hair hat",
    "face": "glasses sunglasses earrings",
    "upper_clothes": (
        "belt blazer blouse bodysuit bra cape cardigan coat hoodie intimate jacket jumper scarf shirt suit sweater "
        "sweatshirt swimwear t-shirt tie top vest"
    ),
    "dress": "dress romper skirt",
    "pants": "jeans leggings panties pants shorts",
    "upper_skin": "bracelet gloves necklace ring watch",
    "leg": "boots clogs flats heels loafers pumps sandals shoes sneakers socks stockings tights wedges",
    "background": "null accessories bag purse wallet",
}


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
        raise InputError("a parsing map is one channel of whole numbers 0 to 7 (a PNG of mode P or L)")
    if size is not None and parsing.shape != tuple(size):
        raise InputError(
            f"the parsing map is {parsing.shape[1]}x{parsing.shape[0]}, the photo {size[1]}x{size[0]}: "
            "they must be of the same size"
        )
    if parsing.size and (parsing.min() < 0 or parsing.max() >= REGION_COUNT):
        wrong = int(parsing.max()) if parsing.max() >= REGION_COUNT else int(parsing.min())
        raise InputError(f"the parsing map holds the index {wrong}; regions go from 0 to 7")
    return parsing.astype(np.uint8)


def one_hot(parsing: np.ndarray) -> np.ndarray:
    """(H, W) indices -> (8, H, W) float32 of zeros and ones."""
    return (np.arange(REGION_COUNT, dtype=np.uint8)[:, None, None] == parsing[None]).astype(np.float32)


def cut_out(image: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 -> (3, H, W) float32 in [-1, 1], neutral (0) where ``inside`` (H, W) is 0 or False."""
    return ((image.astype(np.float32) / 127.5 - 1) * inside[..., None].astype(np.float32)).transpose(2, 0, 1)


def colorize(parsing: np.ndarray) -> np.ndarray:
    """(H, W) indices -> (H, W, 3) uint8 RGB in the palette."""
    return PALETTE[parsing]
