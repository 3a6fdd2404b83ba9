// How parts of a person move with the joints.
import assert from "node:assert/strict";
import test from "node:test";
import { standing } from "./tables.js";

const { partMoves } = await import("../../app/web/preview/part_transforms.js");
const { compose, inverse, moveTo } = await import("../../app/web/preview/warp_canvas.js");
const near = (a, b, reach = 0.01) => a.every((v, k) => Math.abs(v - b[k]) < reach);

test("nothing moves where the pose stays", () => {
  for (const move of Object.values(partMoves(standing(), standing()))) {
    for (const place of [
      [50, 80],
      [120, 300],
    ])
      assert.ok(near(moveTo(move, ...place), place, 0.5));
  }
});

test("a forearm goes with its elbow and wrist", () => {
  const target = standing();
  Object.assign(target[4], { x: 30, y: 110 });
  const move = partMoves(standing(), target).right_forearm;
  assert.ok(near(moveTo(move, 70, 140), [70, 140]));
  assert.ok(near(moveTo(move, 68, 185), [30, 110]));
});

test("a part whose joints are missing follows what it hangs on", () => {
  const source = standing();
  source[4].on = false;
  const target = standing();
  for (const joint of target) joint.x += 20;
  assert.ok(near(moveTo(partMoves(source, target).right_forearm, 70, 150), [90, 150], 0.5));
});

test("an inverse takes a move back", () => {
  const move = [0.8, 0.6, -0.6, 0.8, 12, -7];
  assert.ok(near(compose(inverse(move), move), [1, 0, 0, 1, 0, 0], 1e-9));
});
