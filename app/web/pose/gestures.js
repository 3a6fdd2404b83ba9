// The pose canvas under mouse, pen, fingers and keys.
function nearest([px, py], event) {
  const radius = event.pointerType === "touch" ? 30 : 16;
  let best = -1;
  let least = radius;
  pose.forEach((joint, index) => {
    const [x, y] = view.toScreen(joint.x, joint.y);
    // Joints that are off, and the crowded ones of the face, give way to the others.
    const away = Math.hypot(x - px, y - py) + (joint.on ? 0 : 6) + (index >= 14 ? 3 : 0);
    if (away < least) [best, least] = [index, away];
  });
  return best;
}

// What a press takes hold of: {kind, joint}, or null for the view itself.
function grip(point, event) {
  const handle = selection.at(point, pose, event.pointerType === "touch" ? 24 : 12);
  if (handle === "rotate" || handle === "scale") return { kind: handle };
  const joint = nearest(point, event);
  if (joint >= 0) return { kind: event.shiftKey || selection.joints.has(joint) && selection.several() ? "several" : "joint", joint };
  if (event.shiftKey || marquee) return { kind: "rubber" };
  if (handle) return { kind: "several" };
  return placing?.reason === "nobody" ? { kind: "whole" } : null;
}

createGestures(stage, view, {
  down(point, event) {
    const hold = pose && grip(point, event);
    if (!hold) return false;
    settle();
    drag = { ...hold, start: copyPose(pose), before: [...selection.joints], at: point, from: view.toWorld(...point), moved: false };
    if (hold.kind === "joint") select(hold.joint);
    if (hold.kind === "several" && hold.joint >= 0 && !selection.joints.has(hold.joint)) {
      selection.joints.add(hold.joint);
      drag.added = true;
    }
    if (hold.kind === "rotate" || hold.kind === "scale") drag.centre = selection.centre(pose);
    stage.dataset.dragging = "true";
    draw();
    return true;
  },
  move(point, event) {
    if (!drag) return; // another pose came meanwhile, from a photo or by undo
    const [x, y] = view.toWorld(...point);
    const [dx, dy] = [x - drag.from[0], y - drag.from[1]];
    if (!drag.moved && Math.hypot(dx, dy) * view.scale < 3) return; // a click is not a drag
    drag.moved = true;
    if (drag.kind === "rubber") {
      selection.rubber = [...drag.at, ...point];
      selection.set([...drag.before, ...selection.inside(pose)]);
      draw();
      return;
    }
    pose = dragged(x, y, dx, dy, event.altKey);
    follow();
  },
  up() {
    if (!drag) return;
    const { moved, kind, joint, added } = drag;
    drag = null;
    delete stage.dataset.dragging;
    if (unfollow() && moved) live();
    if (kind === "rubber") selection.rubber = null;
    // A press on a joint of several without a drag takes it out again, or leaves it alone.
    if (kind === "several" && joint >= 0 && !moved && !added) selection.joints.delete(joint);
    if (kind === "rubber" && !moved) selection.set([]);
    showSelection();
    if (moved && kind !== "rubber") commit();
  },
  cancel() {
    if (!drag) return;
    const { moved, kind } = drag;
    pose = drag.start;
    selection.rubber = null;
    selection.set(drag.before);
    drag = null;
    delete stage.dataset.dragging;
    unfollow();
    showSelection();
    if (!moved || kind === "rubber" || placing) return;
    pump.drop();
    generated = null;
    showExact();
  },
  hover(point, event) {
    if (pose && !drag) stage.dataset.over = (point && grip(point, event)?.kind) ?? "";
  },
});

function dragged(x, y, dx, dy, alt) {
  if (drag.kind === "joint") {
    const from = drag.start[drag.joint];
    const target = { x: clamp(from.x + dx, 0, photo.width), y: clamp(from.y + dy, 0, photo.height) };
    const next = dragJoint(drag.start, drag.joint, target, !keepBones || alt, drag.last);
    next[drag.joint].on = true;
    return (drag.last = next);
  }
  const next = copyPose(drag.start);
  const { centre } = drag;
  const [[fx, fy], joints] = [drag.from, drag.kind === "whole" ? next.keys() : selection.joints];
  if (drag.kind === "rotate") rotate(next, joints, centre, Math.atan2(y - centre.y, x - centre.x) - Math.atan2(fy - centre.y, fx - centre.x));
  else if (drag.kind === "scale") scale(next, joints, centre, Math.hypot(x - centre.x, y - centre.y) / Math.max(1, Math.hypot(fx - centre.x, fy - centre.y)));
  else translate(next, joints, dx, dy);
  return next;
}

const onStage = (event) => {
  const box = stage.getBoundingClientRect();
  return [event.clientX - box.left - stage.clientLeft, event.clientY - box.top - stage.clientTop];
};
stage.addEventListener("contextmenu", (event) => {
  event.preventDefault();
  const joint = pose && !drag ? nearest(onStage(event), event) : -1;
  if (joint < 0) return;
  select(joint);
  actions.toggle();
});
stage.addEventListener("dblclick", (event) => pose && !grip(onStage(event), event) && view.fit());
// A click beside everything lets go of several joints; a drag there moves the view.
let pressed = [0, 0];
stage.addEventListener("pointerdown", (event) => (pressed = onStage(event)), { capture: true });
stage.addEventListener("click", (event) => {
  const [x, y] = onStage(event);
  if (!pose || event.target.closest?.("button") || Math.hypot(x - pressed[0], y - pressed[1]) > 3) return;
  if (selection.several() && !grip([x, y], event)) actions.none();
});

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const KEYS = { h: "toggle", delete: "toggle", m: "mirror", b: "bones", a: "all", r: "marquee", escape: "none" };
function nudge(next) {
  pose = next;
  draw();
  live();
  clearTimeout(nudging); // a row of key presses is one step of the history
  nudging = setTimeout(commit, 400);
}
stage.addEventListener("keydown", (event) => {
  if (!pose) return;
  const key = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey) {
    if (key === "a") actions.all();
    else if (key === "z" && !event.shiftKey && takeBack()) event.stopPropagation(); // it is no step of the history
    else return;
    event.preventDefault();
    return;
  }
  const step = STEPS[event.key];
  const turn = { ",": -3, ".": 3 }[key];
  const grow = { "<": 1 / 1.03, ">": 1.03 }[key];
  const joints = selection.joints;
  if (step && joints.size) {
    const size = (event.shiftKey ? 10 : 2) / view.scale;
    const [dx, dy] = step.map((direction) => direction * size);
    const next = copyPose(pose);
    if (selection.several()) translate(next, joints, dx, dy);
    nudge(selection.several() ? next : dragJoint(pose, selected, { x: pose[selected].x + dx, y: pose[selected].y + dy }, !keepBones));
  } else if ((turn || grow) && selection.several()) {
    const next = copyPose(pose);
    if (turn) rotate(next, joints, selection.centre(pose), (turn * Math.PI) / 180);
    else scale(next, joints, selection.centre(pose), grow);
    nudge(next);
  } else if (key === "n" || key === "p") {
    select((selected + (key === "n" ? 1 : JOINTS.length - 1) + (selected < 0 && key === "p" ? 1 : 0)) % JOINTS.length);
  } else if (KEYS[key]) {
    actions[KEYS[key]]();
  } else {
    return;
  }
  event.preventDefault();
});
