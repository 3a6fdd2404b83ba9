// What Python says to the page, as far as the pure modules need it.
globalThis.piseTables = {
  REGIONS: ["background", "hair", "face", "upper_clothes", "dress", "pants", "upper_skin", "leg"],
  HANGS_ON: [1, -1, 1, 2, 3, 1, 5, 6, 1, 8, 9, 1, 11, 12, 0, 0, 14, 15],
  PARENTS_FIRST: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 0, 14, 16, 15, 17],
  ARMS: [
    [2, 3, 4],
    [5, 6, 7],
  ],
  LEGS: [
    [8, 9, 10],
    [11, 12, 13],
  ],
  NECK: 1,
  BONES: {
    head: [1, 0],
    right_upper_arm: [2, 3],
    right_forearm: [3, 4],
    left_upper_arm: [5, 6],
    left_forearm: [6, 7],
    right_thigh: [8, 9],
    right_shin: [9, 10],
    left_thigh: [11, 12],
    left_shin: [12, 13],
  },
  FOLLOWS: {
    right_forearm: "right_upper_arm",
    left_forearm: "left_upper_arm",
    right_shin: "right_thigh",
    left_shin: "left_thigh",
  },
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
