// How each part of a person follows the joints: the rules of pise_core/warping/part_transforms.py, number by number.
// Poses are 18 joints {x, y, on}; a move is as warp_canvas.js takes it.
import { clamp } from "../common/store.js";
import { BONES, FOLLOWS } from "../common/tables.js";
import { skirtMove } from "./skirt.js";
import { moveTo } from "./warp_canvas.js";

// A torso seen from the side is no narrower than this.
const SIDEWAYS = 0.65;
// How far beyond the wrist a hand holds what hangs from it, in lengths of the forearm.
const GRIP = 0.25;
// A foot stays on the ground while its leg leans by no more than this; which legs have one there.
const LEVEL = (25 / 180) * Math.PI;
const STANDS = [0.7, 0.9];
const TORSO = [2, 5, 8, 11];

// Bone a-b onto bone c-d: along it scaled by its length, across it hardly.
function similarity(a, b, c, d) {
  const source = Math.hypot(b.x - a.x, b.y - a.y) + 1e-6;
  const target = Math.hypot(d.x - c.x, d.y - c.y) + 1e-6;
  const along = clamp(target / source, 0.2, 4);
  const across = clamp(along, 0.85, 1.15);
  const [ux, uy] = [(b.x - a.x) / source, (b.y - a.y) / source];
  const [vx, vy] = [(d.x - c.x) / target, (d.y - c.y) / target];
  const m = [
    vx * ux * along + vy * uy * across,
    vy * ux * along - vx * uy * across,
    vx * uy * along - vy * ux * across,
    vy * uy * along + vx * ux * across,
  ];
  return [...m, c.x - m[0] * a.x - m[2] * a.y, c.y - m[1] * a.x - m[3] * a.y];
}

const halfTurn = (angle) => angle - 2 * Math.PI * Math.floor((angle + Math.PI) / (2 * Math.PI));

// The similarity of a thigh or a shin, slanted so that a foot stands on the ground; `leaning`: by which angle the torso turns.
function onTheGround([a, b, c, d, e, f], [knee, ankle], [newKnee, newAnkle], leaning) {
  const [ux, uy] = [ankle.x - knee.x, ankle.y - knee.y];
  const turned = halfTurn(Math.atan2(newAnkle.y - newKnee.y, newAnkle.x - newKnee.x) - Math.atan2(uy, ux));
  const size = Math.hypot(ux, uy) + 1e-6;
  const own = clamp(halfTurn(leaning), Math.min(turned, 0), Math.max(turned, 0));
  const level = LEVEL * clamp((Math.abs(uy) / size - STANDS[0]) / (STANDS[1] - STANDS[0]), 0, 1);
  const back = -clamp(turned - own, -level, level);
  if (!back) return [a, b, c, d, e, f];
  // The bone goes where it did, and what is level is turned back.
  const [x, y] = [Math.cos(back), Math.sin(back)];
  const slope = ux / uy;
  const [cx, cy] = [slope * (1 - x), 1 - slope * y];
  const m = [a * x + c * y, b * x + d * y, a * cx + c * cy, b * cx + d * cy];
  return [...m, newKnee.x - m[0] * knee.x - m[2] * knee.y, newKnee.y - m[1] * knee.x - m[3] * knee.y];
}

// The head turned with the line from the neck to its middle: between the ears, or the eyes, or else the nose.
function head(source, target, there) {
  const [a, b] = [
    [16, 17],
    [14, 15],
  ].find((pair) => there(pair).length === 2) ?? [0, 0];
  const middle = (pose) => ({ x: (pose[a].x + pose[b].x) / 2, y: (pose[a].y + pose[b].y) / 2 });
  const [s, t] = [middle(source), middle(target)];
  const [ux, uy, vx, vy] = [s.x - source[1].x, s.y - source[1].y, t.x - target[1].x, t.y - target[1].y];
  const size = clamp(Math.hypot(vx, vy) / (Math.hypot(ux, uy) + 1e-6), 0.85, 1.15);
  const angle = Math.atan2(vy, vx) - Math.atan2(uy, ux);
  const [cos, sin] = [size * Math.cos(angle), size * Math.sin(angle)];
  return [cos, sin, -sin, cos, t.x - cos * s.x + sin * s.y, t.y - sin * s.x - cos * s.y];
}

// How many times as long the torso is, and by which angle it leans.
function torsoSize(source, target) {
  const down = (pose) => ["x", "y"].map((axis) => (pose[8][axis] + pose[11][axis] - pose[2][axis] - pose[5][axis]) / 2);
  const [[ux, uy], [vx, vy]] = [down(source), down(target)];
  const size = clamp(Math.hypot(vx, vy) / (Math.hypot(ux, uy) + 1e-6), 0.2, 4);
  return [size, Math.atan2(vy, vx) - Math.atan2(uy, ux)];
}

// What hangs from a hand: as large, and as upright, as the torso is; where the hand is that `arm` moves.
function hanging(source, target, there, arm, [elbow, wrist]) {
  if (there([elbow, wrist, ...TORSO]).length < 6) return arm;
  const hand = ["x", "y"].map((axis) => source[wrist][axis] + GRIP * (source[wrist][axis] - source[elbow][axis]));
  const [size, angle] = torsoSize(source, target);
  const [cos, sin] = [size * Math.cos(angle), size * Math.sin(angle)];
  const [x, y] = moveTo(arm, ...hand);
  return [cos, sin, -sin, cos, x - cos * hand[0] + sin * hand[1], y - sin * hand[0] - cos * hand[1]];
}

// Someone who turned to the side is not as thin as paper: the smaller singular value of [a, b, c, d] has a least.
/** @param {number[]} matrix */
function notThin([a, b, c, d]) {
  const angle = Math.atan2(2 * (a * c + b * d), a * a + b * b - c * c - d * d) / 2;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [ux, uy] = [c * cos - a * sin, d * cos - b * sin];
  const small = Math.hypot(ux, uy);
  const least = SIDEWAYS * Math.min(1, Math.hypot(a * cos + c * sin, b * cos + d * sin));
  if (small >= least) return [a, b, c, d];
  const more = (least - small) / Math.max(small, 1e-9);
  return [a - more * ux * sin, b - more * uy * sin, c + more * ux * cos, d + more * uy * cos];
}

// Least squares, pulled a little towards a plain shift.
function affine(source, target) {
  const mean = (points) => ({
    x: points.reduce((sum, p) => sum + p.x, 0) / points.length,
    y: points.reduce((sum, p) => sum + p.y, 0) / points.length,
  });
  const [s, t] = [mean(source), mean(target)];
  let [xx, xy, yy, xu, xv, yu, yv] = [0, 0, 0, 0, 0, 0, 0];
  source.forEach((p, i) => {
    const [x, y, u, v] = [p.x - s.x, p.y - s.y, target[i].x - t.x, target[i].y - t.y];
    xx += x * x;
    xy += x * y;
    yy += y * y;
    xu += x * u;
    xv += x * v;
    yu += y * u;
    yv += y * v;
  });
  const ridge = 0.02 * (xx + yy) + 1e-6;
  [xx, yy, xu, yv] = [xx + ridge, yy + ridge, xu + ridge, yv + ridge];
  const det = xx * yy - xy * xy;
  const fit = [
    (yy * xu - xy * yu) / det,
    (yy * xv - xy * yv) / det,
    (xx * yu - xy * xu) / det,
    (xx * yv - xy * xv) / det,
  ];
  const m = notThin(fit);
  return [...m, t.x - m[0] * s.x - m[2] * s.y, t.y - m[1] * s.x - m[3] * s.y];
}

// Where the shadow beside a foot goes, `part` being left_shadow or right_shadow: across with the foot, and down with the
// one that went lower; as large as the torso is. Undefined where the ankle is missing, and for ground_shadow, which stays.
/** @returns {[number, number, number, number, number, number] | undefined} */
export function shadowMove(source, target, part) {
  const there = (joints) => joints.filter((j) => source[j].on && target[j].on);
  const own = BONES[part.replace("shadow", "shin")]?.[1];
  const ankles = there([10, 13]);
  if (own === undefined || !ankles.includes(own)) return undefined;
  const size = there(TORSO).length === 4 ? torsoSize(source, target)[0] : 1;
  const y = Math.max(...ankles.map((j) => target[j].y - size * source[j].y));
  return [size, 0, 0, size, target[own].x - size * source[own].x, y];
}

// Part -> move; parts that can't be told are absent, and stay.
export function partMoves(source, target) {
  const there = (joints) => joints.filter((j) => source[j].on && target[j].on);
  const of = (pose, joints) => joints.map((j) => pose[j]);
  const moves = {};
  const torso = there(TORSO);
  if (torso.length >= 3) moves.torso = affine(of(source, torso), of(target, torso));
  else if (torso.length === 2) moves.torso = similarity(...of(source, torso), ...of(target, torso));
  for (const [part, bone] of Object.entries(BONES)) {
    if (there(bone).length < 2) continue;
    const [own, wanted] = [of(source, bone), of(target, bone)];
    moves[part] = part === "head" ? head(source, target, there) : similarity(...own, ...wanted);
    if (part.endsWith("_thigh") || part.endsWith("_shin")) {
      const leaning = there(TORSO).length === 4 ? torsoSize(source, target)[1] : 0;
      moves[part] = onTheGround(moves[part], own, wanted, leaning);
    }
  }
  if (there([8, 11, 9, 12]).length === 4) moves.skirt = skirtMove(source, target);
  const limbs = [
    "left_upper_arm",
    "right_upper_arm",
    "left_thigh",
    "right_thigh",
    ...Object.keys(FOLLOWS),
    "skirt",
    "head",
  ];
  for (const part of limbs) {
    const parent = moves[FOLLOWS[part] ?? "torso"];
    if (!moves[part] && parent) moves[part] = parent;
  }
  for (const side of ["left", "right"]) {
    const arm = moves[`${side}_forearm`] ?? moves.torso;
    if (arm) moves[`${side}_held`] = hanging(source, target, there, arm, BONES[`${side}_forearm`]);
  }
  return moves;
}
