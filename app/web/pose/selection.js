// Several joints at once: a box about them that is moved, turned by the handle above it and scaled by its corners.
const BOX_MARGIN = 16; // pixels of the screen

export function createSelection(group, view) {
  const chosen = new Set();
  const add = (name, attributes) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return group.appendChild(node);
  };
  const frame = add("rect", { class: "frame" });
  const stem = add("line", { class: "frame" });
  const handles = [0, 1, 2, 3].map(() => add("rect", { class: "handle", width: 10, height: 10 }));
  const knob = add("circle", { class: "handle", r: 6 });
  const rubber = add("rect", { class: "rubber" });
  rubber.style.display = "none";

  // The box in pixels of the screen: [left, top, right, bottom].
  function boxOf(pose) {
    const points = [...chosen].map((j) => view.toScreen(pose[j].x, pose[j].y));
    const [xs, ys] = [points.map((p) => p[0]), points.map((p) => p[1])];
    const m = BOX_MARGIN;
    return [Math.min(...xs) - m, Math.min(...ys) - m, Math.max(...xs) + m, Math.max(...ys) + m];
  }
  /** @param {number[]} box */
  const knobOf = ([left, top, right]) => [(left + right) / 2, top > 40 ? top - 24 : top + 24];

  const selection = { joints: chosen, rubber: null };
  selection.set = (joints) => {
    chosen.clear();
    for (const j of joints) chosen.add(j);
  };
  selection.several = () => chosen.size > 1;

  // What lies under a point of the screen: "rotate", "scale", "move" or null.
  selection.at = ([x, y], pose, reach) => {
    if (!selection.several()) return null;
    const box = boxOf(pose);
    /** @param {number[]} place */
    const near = ([px, py]) => Math.hypot(px - x, py - y) <= reach;
    if (near(knobOf(box))) return "rotate";
    const [left, top, right, bottom] = box;
    if (
      [
        [left, top],
        [right, top],
        [left, bottom],
        [right, bottom],
      ].some(near)
    )
      return "scale";
    return x > left && x < right && y > top && y < bottom ? "move" : null;
  };

  // The middle of the box, in pixels of the photo.
  selection.centre = (pose) => {
    const [left, top, right, bottom] = boxOf(pose);
    const [x, y] = view.toWorld((left + right) / 2, (top + bottom) / 2);
    return { x, y };
  };

  // The joints inside the rubber band [x0, y0, x1, y1], in pixels of the screen.
  selection.inside = (pose) => {
    const [x0, y0, x1, y1] = selection.rubber;
    const between = (v, a, b) => v >= Math.min(a, b) && v <= Math.max(a, b);
    return [...pose.keys()].filter((j) => {
      const [x, y] = view.toScreen(pose[j].x, pose[j].y);
      return pose[j].on && between(x, x0, x1) && between(y, y0, y1);
    });
  };

  const place = (node, x, y, width, height) => {
    for (const [key, value] of Object.entries({ x, y, width, height })) node.setAttribute(key, value);
  };
  selection.draw = (pose) => {
    const shown = selection.several();
    for (const node of [frame, stem, knob, ...handles]) node.style.display = shown ? "" : "none";
    if (shown) {
      const [left, top, right, bottom] = boxOf(pose);
      place(frame, left, top, right - left, bottom - top);
      [
        [left, top],
        [right, top],
        [left, bottom],
        [right, bottom],
      ].forEach(([x, y], i) => place(handles[i], x - 5, y - 5, 10, 10));
      const [kx, ky] = knobOf([left, top, right]);
      knob.setAttribute("cx", kx);
      knob.setAttribute("cy", ky);
      for (const [key, value] of Object.entries({ x1: kx, y1: ky, x2: kx, y2: top })) stem.setAttribute(key, value);
    }
    rubber.style.display = selection.rubber ? "" : "none";
    if (selection.rubber) {
      const [x0, y0, x1, y1] = selection.rubber;
      place(rubber, Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0), Math.abs(y1 - y0));
    }
  };
  return selection;
}
