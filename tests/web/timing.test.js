// Where a motion is at a time, as the library's pictures have it.
import assert from "node:assert/strict";
import test from "node:test";

const { eased, lengthOf, placeAt } = await import("../../app/web/motion/timing.js");

test("each way takes its own time", () => {
  const ways = [1, 3];
  assert.equal(lengthOf(ways), 4);
  const places = [0, 0.5, 1, 2.5, 3.7].map((time) => placeAt(time, ways, "even"));
  [0, 0.5, 1, 1.5, 1.9].forEach((place, n) => assert.ok(Math.abs(places[n] - place) < 1e-9));
  assert.equal(placeAt(4, ways, "even"), 2);
});

test("ways are eased as by the library", () => {
  const quarters = { even: 0.25, gentle: 0.15625, faster: 0.0625, slower: 0.4375 };
  for (const [easing, place] of Object.entries(quarters)) {
    assert.equal(eased(0.25, easing), place);
    assert.equal(placeAt(1.5, [1, 2], easing), 1 + place);
    assert.deepEqual([eased(0, easing), eased(1, easing)], [0, 1]);
  }
});
