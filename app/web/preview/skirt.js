// How a skirt hangs about two legs: the rules of pise_core/warping/skirt.py, number by number.
import { clamp } from "../common/store.js";

const [CLOTH, NARROWEST, WIDEST, SHORTEST, TORSO, LEAST_SHIN] = [0.16, 0.65, 5, 0.25, 3.5, 0.3];
const MOST_LEANING = (35 * Math.PI) / 180;

// The axis from the hips to the knees, and what the legs do on either side of it.
function legsOf(pose, neck, ankles) {
  const pairs = [
    [8, 11],
    [9, 12],
    [10, 13],
  ]
    .slice(0, ankles ? 3 : 2)
    .map((pair) => pair.map((j) => pose[j]));
  const between = ([p, q]) => [(p.x + q.x) / 2, (p.y + q.y) / 2];
  const [[x, y], knees] = pairs.map(between);
  const [right, left] = pairs[0];
  const body = neck ? [x - pose[1].x, y - pose[1].y] : [0, TORSO * Math.hypot(left.x - right.x, left.y - right.y)];
  const tall = Math.hypot(...body);
  const torso = Math.max(tall, 1e-3);
  const [dx, dy] = tall > 1e-3 ? [body[0] / torso, body[1] / torso] : [0, 1];
  let [ax, ay] = [knees[0] - x, knees[1] - y];
  const missing = Math.max(0, SHORTEST * torso - (ax * dx + ay * dy));
  [ax, ay] = [ax + missing * dx, ay + missing * dy];
  const turned = Math.atan2(ay * dx - ax * dy, ax * dx + ay * dy);
  const level = Math.atan2(ay, ax) - clamp(turned, -MOST_LEANING, MOST_LEANING) + Math.PI / 2;
  const legs = { x, y, torso, length: Math.hypot(ax, ay), ax, ay, ux: Math.cos(level), uy: Math.sin(level) };
  const places = pairs.map((pair) => pair.map((joint) => fromPixels(legs, joint.x, joint.y)));
  const levels = places.map(([p, q]) => (p[0] + q[0]) / 2);
  levels[1] = 1;
  if (ankles) levels[2] = Math.max(levels[2], 1 + LEAST_SHIN);
  const middle = places.map(([p, q]) => (p[1] + q[1]) / 2);
  const apart = places.map(([p, q]) => Math.abs(q[1] - p[1]) / 2);
  return { ...legs, levels, middle, apart };
}

// Linear between the knots; beyond them as at the last one, or on and on with the slope of the last two.
function interpolated(value, knots, values, on = false) {
  const last = knots.length - 1;
  let k = 0;
  while (k < last - 1 && value > knots[k + 1]) k++;
  const share = (value - knots[k]) / (knots[k + 1] - knots[k]);
  return values[k] + (on ? share : clamp(share, 0, 1)) * (values[k + 1] - values[k]);
}

// Level, and distance to the side in pixels.
function fromPixels({ x, y, ax, ay, ux, uy }, px, py) {
  const det = ax * uy - ay * ux;
  return [((px - x) * uy - (py - y) * ux) / det, ((py - y) * ax - (px - x) * ay) / det];
}
const toPixels = ({ x, y, ax, ay, ux, uy }, level, side) => [x + level * ax + side * ux, y + level * ay + side * uy];

// A move that is no matrix: `points` takes (x, y) along, `back` takes them back.
export function skirtMove(source, target) {
  const seen = [[1], [10, 13]].map((joints) => joints.every((j) => source[j].on && target[j].on));
  const before = legsOf(source, ...seen);
  const after = legsOf(target, ...seen);
  const [axis, hips] = [after.length / before.length, after.apart[0] / Math.max(before.apart[0], 1e-3)];
  const torso = seen[0] ? after.torso / before.torso : axis;
  const size = Math.max(torso, Math.min(hips, 1.15 * Math.max(torso, axis)));
  const cloth = before.apart.map((apart) => Math.max(apart, CLOTH * before.torso));
  const widths = before.apart.map((apart, k) => {
    return clamp(size + (after.apart[k] - size * apart) / cloth[k], NARROWEST * size, WIDEST * size);
  });
  return {
    points(x, y) {
      const [level, off] = fromPixels(before, x, y);
      const side = off - interpolated(level, before.levels, before.middle);
      const edge = interpolated(level, before.levels, cloth);
      const inside = clamp(side, -edge, edge);
      const wide = inside * interpolated(level, before.levels, widths) + (side - inside) * size;
      const there = interpolated(level, before.levels, after.levels, true);
      return toPixels(after, there, wide + interpolated(there, after.levels, after.middle));
    },
    back(x, y) {
      const [level, off] = fromPixels(after, x, y);
      const wide = off - interpolated(level, after.levels, after.middle);
      const there = interpolated(level, after.levels, before.levels, true);
      const times = interpolated(there, before.levels, widths);
      const edge = interpolated(there, before.levels, cloth) * times;
      const inside = clamp(wide, -edge, edge);
      const side = inside / times + (wide - inside) / size;
      return toPixels(before, there, side + interpolated(there, before.levels, before.middle));
    },
  };
}
