// The parts as the generator has just painted them. Its picture is a little behind the finger: cut into the same parts,
// it is carried the rest of the way, over the parts of the last exact picture.
import { boundsOf, drawMoved, inverse, STILL } from "./warp_canvas.js";

const SEAM = 2; // so many pixels about a part are taken along: the generator's outline is not just that of the part

// Where a part lies after a move, within the picture and on whole pixels; null if nowhere.
function placeOf({ x, y, image }, move, width, height) {
  const [x0, y0, x1, y1] = boundsOf(move, image, x, y);
  const [left, top, right, bottom] = [
    Math.max(0, x0 - SEAM),
    Math.max(0, y0 - SEAM),
    Math.min(width, x1 + SEAM),
    Math.min(height, y1 + SEAM),
  ];
  return right - left < 2 || bottom - top < 2 ? null : { left, top, right, bottom };
}

// The shadow beside a foot: nearly transparent, below all parts, and nothing that the generator paints.
export const isShadow = (name) => name.endsWith("_shadow");

const apart = (p, q) => p.right <= q.left || q.right <= p.left || p.bottom <= q.top || q.bottom <= p.top;

// What was cut out at `place`, as it was before the part was bent: no matrix undoes that.
function bentBack({ x, y, image }, move, cut, { left, top }) {
  const before = Object.assign(document.createElement("canvas"), {
    width: image.width + 2 * SEAM,
    height: image.height + 2 * SEAM,
  });
  drawMoved(before.getContext("2d"), { points: move.back }, cut, left, top, SEAM - x, SEAM - y);
  return { image: before, x: x - SEAM, y: y - SEAM };
}

// For each part, in drawing order: {image, x, y, back}, cut out of `picture`, in which parts had been moved by
// `moves`; `back` undoes that move. Null for a part that isn't in the picture.
export function freshParts(parts, moves, picture, width, height) {
  const places = parts.map((part, k) => placeOf(part, moves[k] ?? STILL, width, height));
  return parts.map((part, k) => {
    const place = places[k];
    if (!place || isShadow(part.name)) return null;
    const image = Object.assign(document.createElement("canvas"), {
      width: place.right - place.left,
      height: place.bottom - place.top,
    });
    const context = image.getContext("2d");
    const stamp = (other, dx = 0, dy = 0) => {
      const { image, x, y } = parts[other];
      drawMoved(context, moves[other] ?? STILL, image, x, y, dx - place.left, dy - place.top);
    };
    for (const [dx, dy] of [
      [0, 0],
      [SEAM, 0],
      [-SEAM, 0],
      [0, SEAM],
      [0, -SEAM],
    ])
      stamp(k, dx, dy);
    // What lies over it is none of it.
    context.globalCompositeOperation = "destination-out";
    for (let over = k + 1; over < parts.length; over++) if (places[over] && !apart(place, places[over])) stamp(over);
    context.globalCompositeOperation = "source-in";
    context.setTransform(...STILL);
    context.drawImage(picture, -place.left, -place.top, width, height);
    const move = moves[k] ?? STILL;
    if (Array.isArray(move)) return { image, x: place.left, y: place.top, back: inverse(move) };
    return { ...bentBack(part, move, image, place), back: STILL };
  });
}
