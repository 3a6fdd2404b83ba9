// Pictures that move: by a matrix [a, b, c, d, e, f], as canvases take it, or, bent like a skirt, in small cells.
const STILL = [1, 0, 0, 1, 0, 0];
const STRIP = 6; // pixels that a cell is high
const COLUMNS = 4;

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

// Where a move takes a point.
function moveTo(move, x, y) {
  if (!Array.isArray(move)) return move.points(x, y);
  const [a, b, c, d, e, f] = move;
  return [a * x + c * y + e, b * x + d * y + f];
}

// The points of a rectangle between which a move may be taken for straight.
function gridOf(x, y, width, height) {
  const steps = Array.from({ length: 9 }, (_, k) => k / 8);
  return steps.flatMap((v) => steps.map((u) => [x + u * width, y + v * height]));
}

// Draw an image that lies at (x, y) where the move takes it, and from there by (dx, dy).
function drawMoved(context, move, image, x, y, dx = 0, dy = 0) {
  if (Array.isArray(move)) {
    const [a, b, c, d, e, f] = move;
    context.setTransform(a, b, c, d, e + dx, f + dy);
    context.drawImage(image, x, y);
    return;
  }
  const { width, height } = image;
  for (const [u, w] of cells(width, COLUMNS)) {
    for (const [v, h] of cells(height, Math.ceil(height / STRIP))) {
      const point = (s, t) => moveTo(move, x + u + s * w, y + v + t * h);
      const [left, right, above, below] = [point(0, 0.5), point(1, 0.5), point(0.5, 0), point(0.5, 1)];
      const [a, b] = [(right[0] - left[0]) / w, (right[1] - left[1]) / w];
      const [c, d] = [(below[0] - above[0]) / h, (below[1] - above[1]) / h];
      context.setTransform(a, b, c, d, left[0] - c * (h / 2) + dx, left[1] - d * (h / 2) + dy);
      context.drawImage(image, u, v, w, h, 0, 0, w, h);
    }
  }
}

// So many cells of whole pixels, [start, size]; each goes a little over the next one, so that no gap shines through.
function cells(length, count) {
  const edges = Array.from({ length: count + 1 }, (_, k) => Math.round((k * length) / count));
  return edges.slice(0, -1).map((edge, k) => [edge, Math.min(edges[k + 1] + 1, length) - edge]).filter(([, size]) => size > 0);
}
