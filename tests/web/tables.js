// What Python says to the page, as far as the pure modules need it.
globalThis.piseTables = {
  MIRROR: [0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16],
  PALETTE: Array.from({ length: 8 }, (_, n) => [30 * n, 255 - 30 * n, 128]),
};

/** Somebody who stands upright and faces the camera, in a picture of 200 x 400. */
export const standing = () =>
  [
    [100, 60],
    [100, 90],
    [75, 90],
    [70, 140],
    [68, 185],
    [125, 90],
    [130, 140],
    [132, 185],
    [85, 190],
    [84, 270],
    [83, 350],
    [115, 190],
    [116, 270],
    [117, 350],
    [95, 55],
    [105, 55],
    [90, 58],
    [110, 58],
  ].map(([x, y]) => ({ x, y, score: 1, on: true }));
