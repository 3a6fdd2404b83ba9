// The skeleton as numbers: how joints hang together, how they follow a drag, presets. No drawing here.
// A pose is 18 joints {x, y, score, on} in pixels of the photo; a joint that is off keeps a place to come back to.
import { clamp } from "../common/store.js";
import { ARMS, HANGS_ON, LEGS, MIRROR, NECK, PARENTS_FIRST } from "../common/tables.js";

const CHAINS = [...ARMS, ...LEGS];
const ELBOWS = ARMS.map((arm) => arm[1]);
const HIPS = LEGS.map((leg) => leg[0]);
// Bone lengths of a standing adult, in torso lengths (neck to the middle of the hips), by the bone's far joint.
const TYPICAL = { 3: 0.47, 4: 0.44, 6: 0.47, 7: 0.44, 9: 0.67, 10: 0.67, 12: 0.67, 13: 0.67 };
// Where a missing joint is offered, in torso lengths from the joint it hangs on.
const OFFERED = {
  0: [0, -0.32],
  2: [-0.3, 0.03],
  5: [0.3, 0.03],
  3: [-0.1, 0.46],
  6: [0.1, 0.46],
  4: [-0.06, 0.44],
  7: [0.06, 0.44],
  8: [-0.19, 1],
  11: [0.19, 1],
  9: [0, 0.67],
  12: [0, 0.67],
  10: [0, 0.67],
  13: [0, 0.67],
  14: [-0.07, -0.07],
  15: [0.07, -0.07],
  16: [-0.1, 0.03],
  17: [0.1, 0.03],
};

export const copyPose = (pose) => pose.map((joint) => ({ ...joint }));
const distance = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);
const middle = (a, b) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });

function torsoLength(pose) {
  const [right, left] = HIPS.map((hip) => pose[hip]);
  if (pose[NECK].on && right.on && left.on) return Math.max(distance(pose[NECK], middle(right, left)), 8);
  if (pose[2].on && pose[5].on) return Math.max(1.6 * distance(pose[2], pose[5]), 8);
  const there = pose.filter((joint) => joint.on);
  const ys = there.map((joint) => joint.y);
  return Math.max((Math.max(...ys) - Math.min(...ys)) / 2.5, 8);
}

export function poseFromRows(rows, size) {
  const pose = rows.map((row) =>
    row ? { x: row[0], y: row[1], score: row[2] ?? 1, on: true } : { x: 0, y: 0, score: 1, on: false },
  );
  if (!pose.some((joint) => joint.on)) return pose;
  const torso = torsoLength(pose);
  const placed = pose.map((joint) => joint.on);
  if (!placed[NECK]) {
    const there = pose.filter((joint) => joint.on);
    pose[NECK].x = there.reduce((sum, joint) => sum + joint.x, 0) / there.length;
    pose[NECK].y = Math.min(...there.map((joint) => joint.y));
    placed[NECK] = true;
  }
  // Parents come before children in this order.
  for (const j of PARENTS_FIRST) {
    if (placed[j]) continue;
    const parent = pose[HANGS_ON[j]];
    pose[j].x = clamp(parent.x + OFFERED[j][0] * torso, 4, size.width - 4);
    pose[j].y = clamp(parent.y + OFFERED[j][1] * torso, 4, size.height - 4);
  }
  return pose;
}

export const rowsFromPose = (pose) =>
  pose.map((j) => (j.on ? [Math.round(j.x * 100) / 100, Math.round(j.y * 100) / 100, j.score] : null));

function descendants(joint) {
  const found = [];
  for (let j = 0; j < HANGS_ON.length; j++) if (HANGS_ON[j] === joint) found.push(j, ...descendants(j));
  return found;
}

export function translate(pose, joints, dx, dy) {
  for (const j of joints) {
    pose[j].x += dx;
    pose[j].y += dy;
  }
}

export function rotate(pose, joints, centre, angle) {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  for (const j of joints) {
    const [x, y] = [pose[j].x - centre.x, pose[j].y - centre.y];
    pose[j].x = centre.x + cos * x - sin * y;
    pose[j].y = centre.y + sin * x + cos * y;
  }
}

export function scale(pose, joints, centre, factor) {
  for (const j of joints) {
    pose[j].x = centre.x + (pose[j].x - centre.x) * factor;
    pose[j].y = centre.y + (pose[j].y - centre.y) * factor;
  }
}

// Two-bone inverse kinematics: the end goes to the target as far as the bones reach. The bend keeps the side that it has in
// `last`, the pose on show: only a straight arm, which the drag begins with or passes through, may bend the other way.
const NEARLY_STRAIGHT = 0.26; // sine of the angle between the bones: where a drag begins, an elbow found may be off by that
const STRAIGHT = 0.07; // and in its course
/** @param {number[]} chain */
function reach(pose, chain, target, start, last = start) {
  const [root, mid, end] = chain;
  const upper = distance(start[root], start[mid]);
  const lower = distance(start[mid], start[end]);
  const far = distance(pose[root], target);
  const span = clamp(far, Math.abs(upper - lower) + 0.01, upper + lower - 0.01);
  const aim = far > 0.01 ? Math.atan2(target.y - pose[root].y, target.x - pose[root].x) : Math.PI / 2;
  const [ux, uy] = [last[mid].x - last[root].x, last[mid].y - last[root].y];
  const [lx, ly] = [last[end].x - last[mid].x, last[end].y - last[mid].y];
  const bend = ux * ly - uy * lx;
  const opening = Math.acos(clamp((upper ** 2 + span ** 2 - lower ** 2) / (2 * upper * span || 1), -1, 1));
  let side = Math.sign(bend || 1);
  const straight =
    Math.abs(bend) < (last === start ? NEARLY_STRAIGHT : STRAIGHT) * upper * lower && ux * lx + uy * ly > 0;
  if (straight && ELBOWS.includes(mid)) {
    // The elbow goes where it is lower; that of an arm that hangs stays behind the hand.
    const [mx, my] = [target.x - last[end].x, target.y - last[end].y];
    side = Math.cos(aim) + (0.3 * mx) / (Math.hypot(mx, my) || 1) < 0 ? 1 : -1;
  }
  const angle = aim - side * opening;
  pose[mid].x = pose[root].x + Math.cos(angle) * upper;
  pose[mid].y = pose[root].y + Math.sin(angle) * upper;
  pose[end].x = pose[root].x + Math.cos(aim) * span;
  pose[end].y = pose[root].y + Math.sin(aim) * span;
}

// The pose after dragging one joint of `start` to `target`. Bones keep their lengths unless `free`. `last` is the pose that
// the same drag has led to so far.
export function dragJoint(start, joint, target, free, last = start) {
  const pose = copyPose(start);
  const [dx, dy] = [target.x - start[joint].x, target.y - start[joint].y];
  const chain = CHAINS.find((candidate) => candidate.includes(joint));
  const [root, mid, end] = chain ?? [];
  if (free || !start[joint].on) {
    translate(pose, [joint], dx, dy);
  } else if (joint === end && start[root].on && start[mid].on) {
    reach(pose, chain, target, start, last);
  } else if (joint === mid && start[root].on) {
    const turn = (p) => Math.atan2(p.y - start[root].y, p.x - start[root].x);
    rotate(pose, [mid, end], start[root], turn(target) - turn(start[mid]));
  } else if (joint === NECK) {
    translate(pose, pose.keys(), dx, dy); // the neck carries the whole figure
  } else if (HIPS.includes(joint)) {
    // The body moves with the hips while the feet stay where they are.
    const feet = new Set([9, 10, 12, 13]);
    translate(
      pose,
      [...pose.keys()].filter((j) => !feet.has(j)),
      dx,
      dy,
    );
    for (const leg of CHAINS.slice(2)) {
      if (leg.every((j) => start[j].on)) reach(pose, leg, start[leg[2]], start);
      else translate(pose, leg.slice(1), dx, dy);
    }
  } else if (joint === 0 && start[NECK].on) {
    const turn = (p) => Math.atan2(p.y - start[NECK].y, p.x - start[NECK].x);
    rotate(pose, [0, 14, 15, 16, 17], start[NECK], turn(target) - turn(start[0]));
  } else {
    translate(pose, [joint, ...descendants(joint)], dx, dy);
  }
  return pose;
}

function figureCentre(pose) {
  const there = pose.filter((joint) => joint.on);
  const xs = there.map((joint) => joint.x);
  const ys = there.map((joint) => joint.y);
  return { x: (Math.min(...xs) + Math.max(...xs)) / 2, y: (Math.min(...ys) + Math.max(...ys)) / 2 };
}

export function scaleFigure(start, factor) {
  const pose = copyPose(start);
  scale(pose, pose.keys(), figureCentre(start), factor);
  return pose;
}

// The same posture seen in a mirror, at the same place: of a joint's counterpart, where that is mirrored too.
export function mirrorJoints(start, joints) {
  if (![...joints].some((j) => start[j].on)) return copyPose(start); // nothing in sight has no centre
  const centre = figureCentre([...joints].map((j) => start[j])).x;
  return start.map((joint, j) => {
    if (!joints.has(j)) return { ...joint };
    const from = start[joints.has(MIRROR[j]) ? MIRROR[j] : j];
    return { ...from, x: 2 * centre - from.x };
  });
}

// What was taken for the right side is the left one, and the other way round: of all joints, or of some and their twins.
export function swapSides(start, joints) {
  return start.map((joint, j) => (joints.has(j) || joints.has(MIRROR[j]) ? { ...start[MIRROR[j]] } : { ...joint }));
}

// A preset gives angles per limb: 0 hangs straight down, 90 points straight out from the body, 180 straight up,
// negative ones across the body. Torso and head stay, and bones keep the person's own lengths.
export function applyPreset(start, preset) {
  const pose = copyPose(start);
  const torso = torsoLength(start);
  for (const [index, name] of ["right_arm", "left_arm", "right_leg", "left_leg"].entries()) {
    const angles = preset[name];
    const chain = CHAINS[index];
    const twin = CHAINS[index ^ 1];
    if (!angles || !start[chain[0]].on) continue;
    if (index > 1 && !start[chain[1]].on && !start[twin[1]].on) continue; // a photo cut above the knees stays so
    const right = start[index > 1 ? 8 : 2];
    const left = start[index > 1 ? 11 : 5];
    const facing = right.on && left.on && right.x > left.x ? -1 : 1; // seen from behind, right is on the right
    const out = (index % 2 ? 1 : -1) * facing;
    for (const [step, angle] of angles.entries()) {
      const [from, to] = [chain[step], chain[step + 1]];
      const own = start[to].on ? distance(start[from], start[to]) : 0;
      const other =
        start[twin[step]].on && start[twin[step + 1]].on ? distance(start[twin[step]], start[twin[step + 1]]) : 0;
      // A limb that points at the camera looks short: a typical length is the least.
      const length = Math.max(own, Math.min(other, 1.15 * (own || other)), 0.85 * TYPICAL[to] * torso);
      const radians = (angle * Math.PI) / 180;
      pose[to] = {
        x: pose[from].x + out * Math.sin(radians) * length,
        y: pose[from].y + Math.cos(radians) * length,
        score: start[to].on ? start[to].score : 1,
        on: true,
      };
    }
  }
  return pose;
}
