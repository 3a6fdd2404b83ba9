"""A garment on its wearer: its pieces carried to the wearer's joints and laid over one another."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from pise_core.rendering.wearing.garment import Garment
from pise_core.rendering.wearing.limbs import LIMBS, PLACES
from pise_core.rendering.wearing.trousers import same_cut
from pise_core.warping.garment_warp import Back, GarmentWarp, LimbMap, places


@dataclass(frozen=True, eq=False)
class Laid:
    """A garment on its wearer, in pixels of a window of the photo.

    Attributes:
        colours: (H, W, 3) uint8.
        trunk: (H, W) float32 in [0, 1], the share of the garment without sleeves or trouser legs.
        limbs: (H, W) float32, the share of those.
        owner: (H, W) int8, which limb (index into ``LIMBS``) covers a pixel; -1 for none.
        size: how many times as large as the lender the wearer is, in their pixels.
        wider: how many times as wide trousers were made to be as wide as the wearer's, which are cut alike; None where
            they aren't.
    """

    colours: np.ndarray
    trunk: np.ndarray
    limbs: np.ndarray
    owner: np.ndarray
    size: float
    wider: float | None = None

    @property
    def share(self) -> np.ndarray:
        """(H, W) float32, of all of it."""
        return 1 - (1 - self.trunk) * (1 - self.limbs)


def lay(
    garment: Garment, pose: np.ndarray, window: tuple[slice, slice], own: tuple[np.ndarray, float] | None = None
) -> Laid | None:
    """A garment carried to a wearer.

    Args:
        garment: as :func:`cut` gives it.
        pose: (18, 3) of the wearer, in pixels of their photo.
        window: rows and columns of that photo.
        own: for trousers, what :func:`legs_of_trousers` says of the wearer.

    Returns:
        The garment in the window; None where the two poses have no torso in common.
    """
    warp = GarmentWarp.between(garment.pose, pose)
    if warp is None:
        return None
    size = warp.size
    wider = None
    if garment.kind == "pants" and "right_leg" in garment.hems:
        wider = same_cut(garment.reach["right_leg"], garment.hems["right_leg"], own, PLACES, size)
    if warp.size < 0.8:  # many more pixels than are wanted would alias
        garment = _smaller(garment, warp.size)
        warp = GarmentWarp.between(garment.pose, pose)
        assert warp is not None
    if wider is not None:
        warp = warp.wider(pose, wider)
    height, width = (s.stop - s.start for s in window)
    colours = np.zeros((height, width, 3), np.float32)
    trunk_share, limb_share = np.zeros((2, height, width), np.float32)
    owner = np.full((height, width), -1, np.int8)
    pieces: list[tuple[str, str, Back | None]] = [
        (name, name, warp.trunk if name == "trunk" else warp.limbs.get(name))
        for name in garment.pieces
        if name not in garment.mirrored
    ]
    for name in garment.mirrored:
        side, kind = name.split("_")
        pieces.append((name, f"{'left' if side == 'right' else 'right'}_{kind}", warp.mirrored.get(name)))
    for name, shown, back in pieces:
        share = garment.pieces[shown]
        if back is None:
            continue
        columns, rows = places(back, window)
        alpha = cv2.remap(share, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
        if isinstance(back, LimbMap):
            away, where = _away(back, window)
            limit = np.interp(where, PLACES, garment.reach[shown] * warp.size * (wider or 1))
            alpha *= np.clip(1 + limit - away, 0, 1).astype(np.float32)
        image = cv2.remap(garment.colours, columns, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        under = 1 - (1 - trunk_share) * (1 - limb_share)
        total = alpha + under * (1 - alpha)
        upper = np.divide(alpha, total, out=np.zeros_like(alpha), where=total > 1e-3)[..., None]
        colours = image * upper + colours * (1 - upper)
        if name == "trunk":
            trunk_share = alpha
        else:
            limb_share = alpha + limb_share * (1 - alpha)
            owner[alpha > 0.5] = list(LIMBS).index(name)
    return Laid(np.rint(colours).astype(np.uint8), trunk_share, limb_share, owner, size, wider)


def _away(limb: LimbMap, window: tuple[slice, slice]) -> tuple[np.ndarray, np.ndarray]:
    """(H, W) each: how far the pixels of a window are from a limb, and where along it."""
    rows, columns = window
    xs, ys = np.meshgrid(np.arange(columns.start, columns.stop) + 0.5, np.arange(rows.start, rows.stop) + 0.5)
    away, where = limb.away(np.stack([xs.ravel(), ys.ravel()], 1))
    return away.reshape(xs.shape), where.reshape(xs.shape)


def _smaller(garment: Garment, scale: float) -> Garment:
    height, width = garment.colours.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))

    def shrunk(image: np.ndarray) -> np.ndarray:
        return cv2.resize(image, size, interpolation=cv2.INTER_AREA)

    pose = garment.pose * np.array([size[0] / width, size[1] / height, 1], np.float32)
    pieces = {name: shrunk(share) for name, share in garment.pieces.items()}
    reach = {name: far * scale for name, far in garment.reach.items()}
    return replace(garment, pose=pose, colours=shrunk(garment.colours), pieces=pieces, reach=reach)
