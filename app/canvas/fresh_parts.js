// The parts as the generator has just painted them. Its picture is a little behind the finger: cut into the same parts,
// it is carried the rest of the way, over the parts of the last exact picture.
const SEAM = 2; // so many pixels about a part are taken along: the generator's outline is not just that of the part

const STILL = [1, 0, 0, 1, 0, 0];

// First q, then p.
function compose(p, q) {
  const [a, b, c, d, e, f] = q;
  return [
    p[0] * a + p[2] * b, p[1] * a + p[3] * b,
    p[0] * c + p[2] * d, p[1] * c + p[3] * d,
    p[0] * e + p[2] * f + p[4], p[1] * e + p[3] * f + p[5],
  ];
}

function inverse([a, b, c, d, e, f]) {
  const det = a * d - b * c;
  return [d / det, -b / det, -c / det, a / det, (c * f - d * e) / det, (b * e - a * f) / det];
}

// Where a part lies after a move, within the picture and on whole pixels; null if nowhere.
function placeOf({ x, y, image }, [a, b, c, d, e, f], width, height) {
  const corners = [[x, y], [x + image.width, y], [x, y + image.height], [x + image.width, y + image.height]];
  const xs = corners.map(([u, v]) => a * u + c * v + e);
  const ys = corners.map(([u, v]) => b * u + d * v + f);
  const [left, top] = [Math.max(0, Math.floor(Math.min(...xs)) - SEAM), Math.max(0, Math.floor(Math.min(...ys)) - SEAM)];
  const [right, bottom] = [Math.min(width, Math.ceil(Math.max(...xs)) + SEAM), Math.min(height, Math.ceil(Math.max(...ys)) + SEAM)];
  return right - left < 2 || bottom - top < 2 ? null : { left, top, right, bottom };
}

const apart = (p, q) => p.right <= q.left || q.right <= p.left || p.bottom <= q.top || q.bottom <= p.top;

// For each part, in drawing order: {image, x, y, back}, cut out of `picture`, in which parts had been moved by
// `moves`; `back` undoes that move. Null for a part that isn't in the picture.
function freshParts(parts, moves, picture, width, height) {
  const places = parts.map((part, k) => placeOf(part, moves[k] ?? STILL, width, height));
  return parts.map((part, k) => {
    const place = places[k];
    if (!place) return null;
    const image = Object.assign(document.createElement("canvas"), { width: place.right - place.left, height: place.bottom - place.top });
    const context = image.getContext("2d");
    const stamp = (other, dx = 0, dy = 0) => {
      const [a, b, c, d, e, f] = moves[other] ?? STILL;
      context.setTransform(a, b, c, d, e - place.left + dx, f - place.top + dy);
      context.drawImage(parts[other].image, parts[other].x, parts[other].y);
    };
    for (const [dx, dy] of [[0, 0], [SEAM, 0], [-SEAM, 0], [0, SEAM], [0, -SEAM]]) stamp(k, dx, dy);
    // What lies over it is none of it.
    context.globalCompositeOperation = "destination-out";
    for (let over = k + 1; over < parts.length; over++) if (places[over] && !apart(place, places[over])) stamp(over);
    context.globalCompositeOperation = "source-in";
    context.setTransform(...STILL);
    context.drawImage(picture, -place.left, -place.top, width, height);
    return { image, x: place.left, y: place.top, back: inverse(moves[k] ?? STILL) };
  });
}
