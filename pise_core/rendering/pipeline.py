"""One edit, from what was asked to the finished photo.

1. carry the person's parts to the wanted pose, in the frame and at the photo's size;
2. settle the wanted map: the painted one, or the parsing generator's (:mod:`pise_core.rendering.settling`);
3. let the image generator make the picture on that map, in the frame;
4. finish at the photo's size: carried pixels where the generator keeps them, and pieces of garments where these go on
   beyond what was carried; its own picture elsewhere;
5. lay it over the photo, only where the edit concerns it.
"""

import math
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import cv2
import numpy as np

from pise_core.coverage import check_covered
from pise_core.inpainting.garments import CLOTH, continue_cloth
from pise_core.inpainting.mirror import continue_regions
from pise_core.masks import overlap, window_of
from pise_core.model.generator import Carrying, Code, Generator, Parsed
from pise_core.person import Edit, Person
from pise_core.regions import UNTOUCHED
from pise_core.rendering.compositing import beyond_silhouette
from pise_core.rendering.laying import STRIP, Canvas, Over, Places, finish
from pise_core.rendering.mixing import Blend
from pise_core.rendering.settling import frame_map, photo_map
from pise_core.rendering.source import Moved, Source, rim_of
from pise_core.rendering.wanted import Mix, Wanted
from pise_core.view import View
from pise_core.warping.warp import Carried, carry, reach_of

#: How far carried texture continues into a gap of its own region, in frame pixels.
REACH = 10.0
#: How far beyond what an edit concerns anything is looked at, in frame pixels: texture is mirrored from twice the
#: reach away, into a gap that seam and settling have widened.
_SURROUNDINGS = 2 * REACH + 8


@dataclass
class _Posed:
    """The person carried to the wanted pose, and the map that this pose alone asks for, at both resolutions.

    Attributes:
        small: in the frame.
        large: at the photo's size, until it is taken: of a large photo that is many times the picture itself.
        small_map: (256, 176) uint8.
        large_map: (H, W) uint8.
        parsed: the parsing generator's answer, where the pose was changed.
    """

    small: Carried
    large: Carried | None
    small_map: np.ndarray
    large_map: np.ndarray
    parsed: Parsed | None

    def taken(self) -> Carried:
        """What was carried at the photo's size, which is not kept any longer."""
        large, self.large = self.large, None
        assert large is not None
        return large


class PosedFrame(NamedTuple):
    """The person carried to a pose in the frame, and the map that the pose alone asks for there."""

    carried: Carried
    parsing: np.ndarray  # (256, 176) uint8
    parsed: Parsed


class Pictured(NamedTuple):
    """The generator's own picture and its gate, both continued beyond the silhouette, and the finished frame."""

    own: np.ndarray  # (256, 176, 3) float32 in [0, 255]
    gate: np.ndarray  # (256, 176) float32 in [0, 1]
    image: np.ndarray  # (256, 176, 3) uint8


class Frames(Protocol):
    """Who works in the frame where that isn't done here: a device on which previews are made as a whole. What these and
    exact pictures ask of the networks is then the same to the bit."""

    def posed(self, person: Person, pose: np.ndarray) -> PosedFrame:
        """With the detail path, of a pose (18, 3) in pixels of the frame."""
        ...

    def painted(self, person: Person, pose: np.ndarray) -> Pictured:
        """On the map of that pose."""
        ...


def render(
    person: Person,
    wanted: Wanted,
    generator: Generator,
    detail: bool,
    cloth: bool,
    any_map: bool = False,
    frames: Frames | None = None,
) -> Edit:
    """See ``Person.render``; the input is checked already. ``frames``: who works in the frame instead.

    Raises:
        InputError: if the map undresses the person, unless ``any_map`` is wanted.
    """
    cloth = cloth and detail
    window = window_of_edit(person, wanted, cloth)
    if window is None:
        frame, parsing = _with_grey(person.frame.image, person.frame.parsing > 0), person.parsing.copy()
        return Edit(person.photo.copy(), frame, parsing, np.zeros(parsing.shape, bool), parsing)
    # Photos may have fifty megapixels: all else happens in the part that the edit concerns.
    here, asked = person.part(window), wanted.part(window)
    frames = frames if detail else None
    posed = _posed(here, asked, generator, detail, frames)
    unpainted = None
    if wanted.parsing is not None:
        unpainted = person.parsing if wanted.pose is None else _with(person.parsing, window, posed.large_map)
        if not any_map:
            painted = np.where(wanted.parsing == UNTOUCHED, unpainted, wanted.parsing)
            check_covered(unpainted, painted, person.pose if wanted.pose is None else wanted.pose)
    made = here.photo.copy()
    frame, large_map = _render(made, here, asked, posed, generator, detail, cloth, frames)
    photo, parsing = _with(person.photo, window, made), _with(person.parsing, window, large_map)
    changed = np.zeros(parsing.shape, bool)
    changed[window] = _differing(made, here.photo)
    return Edit(photo, frame, parsing, changed, parsing if unpainted is None else unpainted)


def _with(whole: np.ndarray, window: tuple[slice, slice], part: np.ndarray) -> np.ndarray:
    """A copy of a picture or a map, with something else in a window."""
    made = whole.copy()
    made[window] = part
    return made


def _differing(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(H, W) bool: where two pictures (H, W, 3) uint8 differ."""
    found = np.empty(first.shape[:2], bool)
    for start in range(0, len(first), STRIP):
        rows = slice(start, start + STRIP)
        red, green, blue = cv2.split(cv2.absdiff(first[rows], second[rows]))
        np.not_equal(np.maximum(np.maximum(red, green), blue), 0, out=found[rows])
    return found


def pose_map(person: Person, wanted: Wanted, generator: Generator, frames: Frames | None = None) -> np.ndarray:
    """See ``Person.pose_map``; the input is checked already."""
    window = window_of_edit(person, wanted, cloth=False)
    if window is None:
        return person.parsing.copy()
    posed = _posed(person.part(window), wanted.part(window), generator, True, frames)
    return _with(person.parsing, window, posed.large_map)


def window_of_edit(person: Person, wanted: Wanted, cloth: bool) -> tuple[slice, slice] | None:
    """Rows and columns of the photo that an edit can change, and what must be seen around them; None for no edit."""
    concerned = [] if wanted.pose is None else [reach_of(person.full.owner, person.pose, wanted.pose)]
    if wanted.pose is not None:
        for shadow in person.shadows:
            landing = shadow.landing(person.pose, wanted.pose)
            concerned += [] if landing is None else [shadow.window, landing[1]]
    if wanted.parsing is not None:
        painted = (wanted.parsing != person.parsing) & (wanted.parsing != UNTOUCHED)
        concerned.append(window_of(painted, margin=0))
        if cloth:  # what goes on is looked at as a whole
            regions = np.unique(wanted.parsing[painted])
            concerned += [window_of(person.parsing == region, margin=0) for region in regions if region in CLOTH]
    for region in wanted.styles:
        concerned.append(window_of(person.parsing == region, margin=0))
    found = [window for window in concerned if window is not None]
    if not found:
        return None
    margin = math.ceil(_SURROUNDINGS / person.framing.scale) + 8
    rows, columns = (
        slice(max(0, min(s.start for s in axis) - margin), min(length, max(s.stop for s in axis) + margin))
        for axis, length in zip(zip(*found, strict=True), person.parsing.shape, strict=True)
    )
    return rows, columns


def _posed(person: Person, wanted: Wanted, generator: Generator, detail: bool, frames: Frames | None) -> _Posed:
    """Carry the person, and settle the map that the pose alone asks for."""
    scale, pose = person.framing.scale, wanted.frame_pose
    large = _carried(person.full, wanted.pose, rim_of(scale), scale)
    if pose is None:
        return _Posed(_carried(person.frame, None, rim=1), large, person.frame.parsing, person.parsing, None)
    if frames is not None:
        small, small_map, parsed = frames.posed(person, pose)
    else:
        small = _carried(person.frame, pose, rim=1)
        known = (small.parsing, small.known(person.frame.parsing)) if detail else None
        parsed = person.answers.of("map", (pose[:, :2], detail), lambda: generator.parse(person.frame, pose, known))
        small_map = frame_map(parsed.probabilities, person.frame.parsing, small, detail)
    large_map = photo_map(parsed.probabilities, person.framing, person.full, large, detail)
    return _Posed(small, large, small_map, large_map, parsed)


def _render(
    out: np.ndarray,
    person: Person,
    wanted: Wanted,
    posed: _Posed,
    generator: Generator,
    detail: bool,
    cloth: bool,
    frames: Frames | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Makes the picture in ``out``, a copy of the photo; the generator's frame, and the map (H, W) uint8 that they were
    made on."""
    own_small, own_large = posed.small_map, posed.large_map
    small_map, large_map = own_small, own_large
    if wanted.parsing is not None:
        large_map = np.where(wanted.parsing == UNTOUCHED, own_large, wanted.parsing)
        changed = person.framing.crop((large_map != own_large).astype(np.uint8), labels=True) > 0
        small_map = np.where(changed, person.framing.crop(large_map, labels=True), own_small)
    over, carried, own_below, below_map = None, posed.taken(), own_large, large_map
    if detail:
        small = _mixed(person, True, posed.small, own_small, small_map, wanted.frame_pose, wanted.styles)
        if wanted.pose is not None:
            over = _over(person, carried, large_map, own_large, wanted.pose, wanted.styles)
            below_map = _below(carried, large_map, own_large)
            own_below = below_map if wanted.parsing is None else _below(carried, own_large, own_large)
            carried = carried.uncovered()
        places = Places.of(carried)
        large = _mixed(person, False, carried, own_below, below_map, wanted.pose, wanted.styles, own=True)
    else:
        places = Places.of(carried)
        small, large = _silent(posed.small, small_map), _silent(carried, large_map)
    del carried  # the rest of it is in the way
    if cloth:
        small = _continued(person, small, own_small, wanted.styles, 1.0)
        large = _continued(person, large, own_below, wanted.styles, person.framing.scale)
    pose = wanted.frame_pose
    if frames is not None and pose is not None and wanted.parsing is None and not wanted.styles:
        made = frames.painted(person, pose)
    else:
        code = _mixed_code(person, wanted.styles, generator)
        joints = (person.frame.pose if pose is None else pose)[:, :2]  # which stand for the map that was made, too
        made = person.answers.of(
            "picture",
            (small.colours, small.trust, small.wanted, code.styles, joints, detail),
            lambda: _generate(person, small, pose, posed.parsed, code, generator, detail),
        )
    finish(out, person, large, places, over, own_below, wanted, made.own, made.gate)
    return made.image, large_map


def _carried(view: View, pose: np.ndarray | None, rim: int, scale: float | None = None) -> Carried:
    """``scale``: frame pixels per pixel of the view; without it parts have hard edges."""
    if pose is None:
        nothing = np.zeros(view.size, bool)
        return Carried(view.image, view.parsing, (view.parsing > 0).astype(np.float32), nothing, nothing)
    if scale is None:
        return carry(view.image, view.parsing, view.owner, view.pose, pose, rim=rim)
    source = Source.of(view, Moved.by(view, pose), scale)
    return carry(
        source.image,
        view.parsing,
        source.owner,
        view.pose,
        pose,
        rim=rim,
        share=source.share,
        behind=source.behind,
        held=source.held,
    )


def _silent(carried: Carried, wanted_map: np.ndarray) -> Canvas:
    """No carried pixel counts: the detail path is switched off."""
    return Canvas(carried.image, np.zeros(wanted_map.shape, np.float32), wanted_map)


def _mixed(
    person: Person,
    small: bool,
    carried: Carried,
    own_map,
    wanted_map,
    pose,
    styles: dict[int, Mix],
    reach: float = REACH,
    own: bool = False,
) -> Canvas:
    """Carried pixels that fit the wanted map; in restyled regions those of one garment, in the colours of the mix.

    ``own_map`` is what the pose alone asks for. What was painted beyond it is not continued by mirroring: the torso's
    print, mirrored into a new sleeve, is worse than plain cloth. ``reach``: how far texture continues, in frame pixels.
    ``own``: whether ``carried`` is not needed any longer, and may be written to.
    """
    view = person.frame if small else person.full
    reach = reach if small else reach / person.framing.scale
    trust = carried.trust if own else carried.trust.copy()
    np.copyto(trust, np.float32(0), where=carried.parsing != wanted_map)
    unpainted = np.where(wanted_map == own_map, wanted_map, 0)
    # Where nothing moved what was carried is the photo itself.
    colours, trust = continue_regions(carried.image, trust, unpainted, reach, own=own and pose is not None)
    target = view.pose if pose is None else pose
    if styles and not (own and pose is not None):
        colours = colours.copy()
    for region, mix in styles.items():
        window = window_of(wanted_map == region, margin=math.ceil(2 * reach) + 2)
        if window is None:
            continue
        inside = wanted_map[window] == region
        target_here = target - np.array([window[1].start, window[0].start, 0], np.float32)
        blend = Blend.of(person, region, mix)
        if blend.structure:
            other, _ = mix[blend.structure - 1]
            if small:
                garment = other.frame.only(region)
            else:  # many more pixels than are wanted would alias, and limbs are hardly made wider than they are
                garment = other.full.only(region).resized(other.framing.scale / person.framing.scale)
            moved = carry(garment.image, garment.parsing, garment.owner, garment.pose, target_here, canvas=inside.shape)
            fits = np.where(inside & (moved.parsing == region), moved.trust, 0).astype(np.float32)
            borrowed, fits = continue_regions(moved.image, fits, np.where(inside, region, 0), reach, own=True)
            colours[window][inside], trust[window][inside] = borrowed[inside], fits[inside]
        colours[window][inside] = blend.toned(colours[window][inside])
    return Canvas(colours, trust, wanted_map)


def _continued(person: Person, canvas: Canvas, own_map: np.ndarray, styles: dict[int, Mix], scale: float) -> Canvas:
    """Painted garments, and those whose texture is another's, in the texture of what is known of them."""
    open_to_it = canvas.wanted != own_map
    for region, mix in styles.items():
        if Blend.of(person, region, mix).structure:
            open_to_it |= canvas.wanted == region
    colours, trust = continue_cloth(canvas.colours, canvas.trust, canvas.wanted, open_to_it, scale)
    return canvas._replace(colours=colours, trust=trust)


def _mixed_code(person: Person, styles: dict[int, Mix], generator: Generator) -> Code:
    """The person's own, mixed with those that are borrowed (eq. 13)."""
    code = person.code
    mixed = code.styles.copy()
    for region, mix in styles.items():
        row = generator.style_row(region)
        own = code.styles[row] * (1 - sum(weight for _, weight in mix))
        mixed[row] = own + sum(weight * other.code.styles[row] for other, weight in mix)
    return replace(code, styles=mixed)


def _generate(
    person: Person,
    small: Canvas,
    pose: np.ndarray | None,
    parsed: Parsed | None,
    code: Code,
    generator: Generator,
    detail: bool,
) -> Pictured:
    """The generator's picture of a canvas; ``parsed`` is known where the pose was changed."""
    carried = Carrying(small.colours, small.trust) if detail else None
    made = generator.paint(person.frame, code, small.wanted, pose, parsed, carried)
    inside = small.wanted > 0
    own, gate = beyond_silhouette(made.own, made.gate, inside)
    return Pictured(own, gate, _with_grey(np.rint(made.image).astype(np.uint8), inside))


def _below(carried: Carried, wanted: np.ndarray, own_map: np.ndarray) -> np.ndarray:
    """The wanted map without the parts that moved: that of the finished layers that stay."""
    stayed, about = carried.staying, carried.about
    if stayed is None:
        return wanted
    lower = wanted.copy()
    np.copyto(lower[about], stayed.parsing, where=carried.landed[about] & (wanted[about] == own_map[about]))
    return lower


def _over(person: Person, carried: Carried, wanted_map: np.ndarray, own_map: np.ndarray, pose, styles) -> Over | None:
    """The moved parts alone: what was painted away of them is no longer there, and their soft edge is believed."""
    window = window_of(carried.landed, margin=0)
    if carried.cover is None or window is None:
        return None
    wanted, labels = wanted_map[window], carried.parsing[window]
    if styles:  # garments are moved and toned as a whole
        canvas = _mixed(person, False, carried, wanted_map, wanted_map, pose, styles, reach=0)
        colours, trust = canvas.colours[window], canvas.trust[window].copy()
    else:
        colours = carried.image[window].copy()
        trust = np.where(labels == wanted, carried.trust[window], np.float32(0))
    cover = np.zeros(labels.shape, np.float32)
    both = overlap(carried.about, window)
    if both is not None:
        cover[both[0]] = carried.cover[both[1]]
    cover[(wanted == 0) & (own_map[window] > 0)] = 0
    trust[(cover > 0) & (labels == 0)] = 1
    soft = (cover > 0) & (cover < 1) & (trust > 0)
    trust[soft] = np.minimum(1, trust[soft] / cover[soft])
    return Over(window, colours, trust, cover)


def _with_grey(image: np.ndarray, person: np.ndarray) -> np.ndarray:
    return np.where(person[..., None], image, np.uint8(128))
