// How joints follow a drag, and what presets and mirrors do.
import assert from "node:assert/strict";
import test from "node:test";
import { standing } from "./tables.js";

const { applyPreset, copyPose, dragJoint, mirrorJoints, poseFromRows, rowsFromPose, scaleFigure, swapSides } =
  await import("../../app/web/pose/skeleton.js");
const length = (pose, a, b) => Math.hypot(pose[a].x - pose[b].x, pose[a].y - pose[b].y);
const BONES = [
  [2, 3],
  [3, 4],
  [5, 6],
  [6, 7],
  [8, 9],
  [9, 10],
  [11, 12],
  [12, 13],
];

function sameLengths(a, b, bones = BONES) {
  for (const [p, q] of bones) assert.ok(Math.abs(length(a, p, q) - length(b, p, q)) < 0.5, `bone ${p}-${q}`);
}

test("a dragged wrist goes where the bones reach, and they keep their lengths", () => {
  const start = standing();
  const near = dragJoint(start, 4, { x: 40, y: 120 }, false);
  assert.ok(Math.hypot(near[4].x - 40, near[4].y - 120) < 0.5);
  sameLengths(near, start);
  const far = dragJoint(start, 4, { x: -500, y: 90 }, false);
  sameLengths(far, start);
  assert.ok(far[4].x < far[3].x && far[3].x < far[2].x);
});

test("a free joint goes alone", () => {
  const start = standing();
  const moved = dragJoint(start, 4, { x: 10, y: 20 }, true);
  assert.deepEqual([moved[4].x, moved[4].y], [10, 20]);
  assert.deepEqual(moved[3], start[3]);
});

test("the neck carries the whole figure, hips leave the feet", () => {
  const start = standing();
  const carried = dragJoint(start, 1, { x: 110, y: 95 }, false);
  start.forEach((joint, j) => assert.deepEqual([carried[j].x - joint.x, carried[j].y - joint.y], [10, 5]));
  const crouched = dragJoint(start, 8, { x: 85, y: 230 }, false);
  for (const foot of [10, 13])
    assert.ok(Math.hypot(crouched[foot].x - start[foot].x, crouched[foot].y - start[foot].y) < 1);
});

test("a preset keeps the person's own lengths and lifts what it says", () => {
  const start = standing();
  const lifted = applyPreset(start, { right_arm: [170, 175] });
  assert.ok(lifted[4].y < lifted[2].y - 60);
  sameLengths(lifted, start);
  assert.deepEqual(lifted[7], start[7]);
});

test("mirrored twice is as before, about the same centre", () => {
  const start = dragJoint(standing(), 4, { x: 40, y: 120 }, false);
  const all = new Set(start.keys());
  const twice = mirrorJoints(mirrorJoints(start, all), all);
  start.forEach((joint, j) => assert.ok(Math.abs(joint.x - twice[j].x) < 1e-6 && joint.y === twice[j].y));
});

test("sides are swapped, all of them or a joint with its twin", () => {
  const start = standing();
  const all = swapSides(start, new Set(start.keys()));
  assert.deepEqual([all[4], all[7], all[0]], [start[7], start[4], start[0]]);
  const one = swapSides(start, new Set([4]));
  assert.deepEqual([one[4], one[7], one[3]], [start[7], start[4], start[3]]);
  assert.deepEqual(swapSides(all, new Set(start.keys())), start);
});

test("rows and back: a missing joint stays missing, and has a place to come back to", () => {
  const rows = rowsFromPose(standing());
  rows[4] = null;
  const pose = poseFromRows(rows, { width: 200, height: 400 });
  assert.equal(pose[4].on, false);
  assert.ok(pose[4].y > pose[3].y);
  assert.deepEqual(rowsFromPose(pose), rows);
});

test("a figure made smaller keeps its centre", () => {
  const start = standing();
  const small = scaleFigure(start, 0.5);
  sameLengths(scaleFigure(small, 2), start);
  assert.ok(length(small, 1, 8) < length(start, 1, 8));
  assert.notEqual(copyPose(start)[0], start[0]);
});
