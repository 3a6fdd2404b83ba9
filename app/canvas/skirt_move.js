// How a skirt hangs about two legs: the rules of pise_core/skirt.py, number by number.
const [CLOTH, NARROWEST, WIDEST, SHORTEST, LEAST_SHIN] = [0.34, 0.65, 3, 0.2, 0.3];

// The axis from the hips to the knees, and what the legs do on either side of it.
function legsOf(pose, ankles, least = 1e-3) {
  const pairs = [[8, 11], [9, 12], [10, 13]].slice(0, ankles ? 3 : 2).map(([r, l]) => ({
    x: (pose[r].x + pose[l].x) / 2, y: (pose[r].y + pose[l].y) / 2, dx: pose[l].x - pose[r].x, dy: pose[l].y - pose[r].y,
  }));
  const [{ x, y }, knees] = pairs;
  const [bx, by] = [knees.x - x, knees.y - y];
  const bend = Math.hypot(bx, by);
  const [ux, uy] = bend > 1e-3 ? [bx / bend, by / bend] : [0, 1];
  const length = Math.max(bend, least);
  const levels = pairs.map((p) => ((p.x - x) * ux + (p.y - y) * uy) / length);
  levels[1] = 1;
  if (ankles) levels[2] = Math.max(levels[2], 1 + LEAST_SHIN);
  const middle = pairs.map((p) => (p.y - y) * ux - (p.x - x) * uy);
  const apart = pairs.map((p) => Math.abs(p.dy * ux - p.dx * uy) / 2);
  return { x, y, ux, uy, length, levels, middle, apart };
}

// Linear between the knots; beyond them as at the last one, or on and on with the slope of the last two.
function interpolated(value, knots, values, on = false) {
  const last = knots.length - 1;
  let k = 0;
  while (k < last - 1 && value > knots[k + 1]) k++;
  const share = (value - knots[k]) / (knots[k + 1] - knots[k]);
  return values[k] + (on ? share : clamp(share, 0, 1)) * (values[k + 1] - values[k]);
}

const fromPixels = (legs, x, y) => [
  ((x - legs.x) * legs.ux + (y - legs.y) * legs.uy) / legs.length,
  (y - legs.y) * legs.ux - (x - legs.x) * legs.uy,
];
const toPixels = (legs, level, side) => [
  legs.x + level * legs.length * legs.ux - side * legs.uy,
  legs.y + level * legs.length * legs.uy + side * legs.ux,
];

// A move that is no matrix: `points` takes (x, y) along, `back` takes them back.
function skirtMove(source, target) {
  const ankles = [10, 13].every((j) => source[j].on && target[j].on);
  const before = legsOf(source, ankles);
  const after = legsOf(target, ankles, SHORTEST * before.length);
  let size = after.length / before.length;
  const hips = after.apart[0] / Math.max(before.apart[0], 1e-3);
  if (hips >= size) size = Math.min(hips, Math.max(size, 1.15));
  const widths = before.apart.map((apart, k) => {
    const cloth = Math.max(apart, CLOTH * before.length);
    return clamp(size + (after.apart[k] - size * apart) / cloth, NARROWEST * size, WIDEST * size);
  });
  return {
    points(x, y) {
      const [level, side] = fromPixels(before, x, y);
      const wide = (side - interpolated(level, before.levels, before.middle)) * interpolated(level, before.levels, widths);
      const there = interpolated(level, before.levels, after.levels, true);
      return toPixels(after, there, wide + interpolated(there, after.levels, after.middle));
    },
    back(x, y) {
      const [level, wide] = fromPixels(after, x, y);
      const there = interpolated(level, after.levels, before.levels, true);
      const side = (wide - interpolated(level, after.levels, after.middle)) / interpolated(there, before.levels, widths);
      return toPixels(before, there, side + interpolated(there, before.levels, before.middle));
    },
  };
}
