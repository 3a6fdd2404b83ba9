// What brush, fill, replace and lasso do to the map of regions, and how it travels.
import assert from "node:assert/strict";
import test from "node:test";
import "./tables.js";

const { createLabelMap, pack, unpack } = await import("../../app/web/regions/label_map.js");
const UNTOUCHED = 255;

/** 6 x 4: the left half is region 3, the right half 5. */
const halves = () =>
  createLabelMap(
    6,
    4,
    Uint8Array.from({ length: 24 }, (_, i) => (i % 6 < 3 ? 3 : 5)),
    null,
  );
const painted = (map) => [...map.paint].filter((label) => label !== UNTOUCHED).length;

test("a stroke paints what it touches, and what is that region already stays untouched", () => {
  const map = halves();
  assert.deepEqual(map.stroke(4.5, 1.5, 4.5, 1.5, 0.6, 7), [3, 0, 6, 4]);
  assert.equal(map.at(1 * 6 + 4), 7);
  assert.equal(painted(map), 1);
  map.stroke(1.5, 1.5, 1.5, 1.5, 0.6, 3);
  assert.equal(painted(map), 1);
  map.stroke(4.5, 1.5, 4.5, 1.5, 0.6, null); // restore
  assert.equal(painted(map), 0);
});

test("fill takes the connected area, replace takes all", () => {
  const map = halves();
  map.fill(0, 0, 4);
  assert.deepEqual([map.at(0), map.at(5)], [4, 5]);
  assert.equal(map.fill(0, 0, 4), null);
  map.replace(5, 4);
  assert.ok([...Array(24).keys()].every((i) => map.at(i) === 4));
});

test("trousers that become a dress are closed between the legs", () => {
  const [dress, pants, leg] = [4, 5, 7];
  const rows = [
    [0, pants, pants, pants, 0, 0],
    [0, pants, 0, pants, 0, 6],
    [0, pants, leg, pants, 0, 0],
    [0, leg, 0, leg, 0, 0],
  ];
  const map = createLabelMap(6, 4, Uint8Array.from(rows.flat()), null);
  map.replace(pants, dress);
  assert.deepEqual([7, 8, 9, 13, 14, 15].map(map.at), Array(6).fill(dress));
  assert.deepEqual([6, 10, 11, 19, 20].map(map.at), [0, 0, 6, leg, 0]);
  const other = createLabelMap(6, 4, Uint8Array.from(rows.flat()), null);
  other.replace(pants, 3);
  assert.equal(other.at(8), 0);
});

test("a lasso takes the pixels whose centres lie inside", () => {
  const map = halves();
  map.polygon(
    [
      [0, 0],
      [2, 0],
      [2, 2],
      [0, 2],
    ],
    6,
  );
  assert.equal(painted(map), 4);
});

test("labels travel exactly", async () => {
  const labels = Uint8Array.from({ length: 5000 }, (_, i) => (i * i) % 8);
  assert.deepEqual(await unpack(await pack(labels)), labels);
});
