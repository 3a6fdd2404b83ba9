// Pictures that move: by a matrix [a, b, c, d, e, f], as canvases take it, or, bent like a skirt, in small cells.
import { clamp } from "../common/store.js";

/** @type {[number, number, number, number, number, number]} */
export const STILL = [1, 0, 0, 1, 0, 0];
const STRIP = 12; // pixels that a cell is high
const COLUMNS = 6;
const MOST = 4096; // pixels along each side of what is bent

// First q, then p.
export function compose(p, q) {
  const [a, b, c, d, e, f] = q;
  return [
    p[0] * a + p[2] * b,
    p[1] * a + p[3] * b,
    p[0] * c + p[2] * d,
    p[1] * c + p[3] * d,
    p[0] * e + p[2] * f + p[4],
    p[1] * e + p[3] * f + p[5],
  ];
}

/** @param {number[]} matrix */
export function inverse([a, b, c, d, e, f]) {
  const det = a * d - b * c;
  return [d / det, -b / det, -c / det, a / det, (c * f - d * e) / det, (b * e - a * f) / det];
}

// Where a move takes a point.
export function moveTo(move, x, y) {
  if (!Array.isArray(move)) return move.points(x, y);
  const [a, b, c, d, e, f] = move;
  return [a * x + c * y + e, b * x + d * y + f];
}

// The points of a rectangle between which a move may be taken for straight; a skirt bends at some level.
export function gridOf(move, x, y, width, height) {
  const steps = (count) => Array.from({ length: count + 1 }, (_, k) => k / count);
  const [across, down] = Array.isArray(move) ? [steps(1), steps(1)] : [steps(8), steps(64)];
  return down.flatMap((v) => across.map((u) => [x + u * width, y + v * height]));
}

// The smallest rectangle, on whole pixels, about all of an image that lies at (x, y), where the move takes it.
export function boundsOf(move, { width, height }, x, y) {
  const points = gridOf(move, x, y, width, height).map((point) => moveTo(move, ...point));
  const [xs, ys] = [points.map((point) => point[0]), points.map((point) => point[1])];
  return [
    Math.floor(Math.min(...xs)),
    Math.floor(Math.min(...ys)),
    Math.ceil(Math.max(...xs)),
    Math.ceil(Math.max(...ys)),
  ];
}

// Draw an image that lies at (x, y) where the move takes it, and from there by (dx, dy).
export function drawMoved(context, move, image, x, y, dx = 0, dy = 0) {
  if (Array.isArray(move)) {
    const [a, b, c, d, e, f] = move;
    context.setTransform(a, b, c, d, e + dx, f + dy);
    context.drawImage(image, x, y);
    return;
  }
  // Bent once, drawn as often as it is wanted.
  move.made ??= new Map();
  if (!move.made.has(image)) move.made.set(image, bent(move, image, x, y));
  const made = move.made.get(image);
  context.setTransform(1, 0, 0, 1, dx, dy);
  context.drawImage(made.image, made.x, made.y);
}

function bent(move, image, x, y) {
  const [left, top, right, bottom] = boundsOf(move, image, x, y);
  // What is far outside of all pictures would fill the memory.
  const size = { width: clamp(right - left, 1, MOST), height: clamp(bottom - top, 1, MOST) };
  const made = Object.assign(document.createElement("canvas"), size);
  const context = made.getContext("2d");
  const rows = cells(image.height, Math.ceil(image.height / STRIP));
  for (const [u, w] of cells(image.width, COLUMNS)) {
    for (const [v, h] of rows) {
      const point = (s, t) => moveTo(move, x + u + s * w, y + v + t * h);
      const [start, end, above, below] = [point(0, 0.5), point(1, 0.5), point(0.5, 0), point(0.5, 1)];
      const [a, b] = [(end[0] - start[0]) / w, (end[1] - start[1]) / w];
      const [c, d] = [(below[0] - above[0]) / h, (below[1] - above[1]) / h];
      context.setTransform(a, b, c, d, start[0] - c * (h / 2) - left, start[1] - d * (h / 2) - top);
      context.drawImage(image, u, v, w, h, 0, 0, w, h);
    }
  }
  return { image: made, x: left, y: top };
}

// So many cells of whole pixels, [start, size]; each goes a little over the next one, so that no gap shines through.
function cells(length, count) {
  const edges = Array.from({ length: count + 1 }, (_, k) => Math.round((k * length) / count));
  return edges
    .slice(0, -1)
    .map((edge, k) => [edge, Math.min(edges[k + 1] + 1, length) - edge])
    .filter(([, size]) => size > 0);
}
