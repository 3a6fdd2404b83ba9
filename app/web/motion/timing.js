// When a motion is where: the same as `places` and `eased` in pise_core/document/motion.py.

/** How far the way from one key to the next has been gone when a share of its time has passed, both 0 to 1. */
export function eased(share, easing) {
  if (easing === "gentle") return share * share * (3 - 2 * share);
  if (easing === "faster") return share * share;
  return easing === "slower" ? share * (2 - share) : share;
}

/** How long all ways take together, in times of the pace. */
export const lengthOf = (ways) => ways.reduce((sum, way) => sum + way, 0);

/** Where between the keys a motion is: 0 at the first key, 1 at the second. Times are in times of the pace. */
export function placeAt(time, ways, easing) {
  let left = time;
  for (const [key, way] of ways.entries()) {
    if (left < way) return key + eased(left / way, easing);
    left -= way;
  }
  return ways.length;
}
