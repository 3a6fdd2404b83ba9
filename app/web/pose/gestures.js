// The pose canvas under mouse, pen, fingers and keys.
import { clamp, showExact } from "../common/store.js";
import { JOINTS } from "../common/tables.js";
import { createGestures } from "../common/viewport.js";
import { copyPose, dragJoint, rotate, scale, translate } from "./skeleton.js";

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const KEYS = {
  h: "toggle",
  delete: "toggle",
  m: "mirror",
  x: "swap",
  b: "bones",
  a: "all",
  r: "marquee",
  escape: "none",
};

/** Let mouse, pen, fingers and keys work on the canvas of `editor`. */
export function listenToGestures(editor, placing) {
  const { actions, photo, pump, selection, stage, view } = editor;

  /** @param {number[]} point */
  function nearest([px, py], event) {
    const radius = event.pointerType === "touch" ? 30 : 16;
    let best = -1;
    let least = radius;
    editor.pose.forEach((joint, index) => {
      const [x, y] = view.toScreen(joint.x, joint.y);
      // Joints that are off, and the crowded ones of the face, give way to the others.
      const away = Math.hypot(x - px, y - py) + (joint.on ? 0 : 6) + (index >= 14 ? 3 : 0);
      if (away < least) [best, least] = [index, away];
    });
    return best;
  }

  // What a press takes hold of: {kind, joint}, or null for the view itself.
  function grip(point, event) {
    const handle = selection.at(point, editor.pose, event.pointerType === "touch" ? 24 : 12);
    if (handle === "rotate" || handle === "scale") return { kind: handle };
    const joint = nearest(point, event);
    if (joint >= 0)
      return {
        kind: event.shiftKey || (selection.joints.has(joint) && selection.several()) ? "several" : "joint",
        joint,
      };
    if (event.shiftKey || editor.marquee) return { kind: "rubber" };
    if (handle) return { kind: "several" };
    return editor.placing?.reason === "nobody" ? { kind: "whole" } : null;
  }

  createGestures(stage, view, {
    down(point, event) {
      const hold = editor.pose && grip(point, event);
      if (!hold) return false;
      editor.settle();
      editor.drag = {
        ...hold,
        start: copyPose(editor.pose),
        before: [...selection.joints],
        at: point,
        from: view.toWorld(...point),
        moved: false,
      };
      if (hold.kind === "joint") editor.select(hold.joint);
      if (hold.kind === "several" && hold.joint >= 0 && !selection.joints.has(hold.joint)) {
        selection.joints.add(hold.joint);
        editor.drag.added = true;
      }
      if (hold.kind === "rotate" || hold.kind === "scale") editor.drag.centre = selection.centre(editor.pose);
      stage.dataset.dragging = "true";
      editor.draw();
      return true;
    },
    move(point, event) {
      if (!editor.drag) return; // another pose came meanwhile, from a photo or by undo
      const [x, y] = view.toWorld(...point);
      const [dx, dy] = [x - editor.drag.from[0], y - editor.drag.from[1]];
      if (!editor.drag.moved && Math.hypot(dx, dy) * view.scale < 3) return; // a click is not a drag
      editor.drag.moved = true;
      if (editor.drag.kind === "rubber") {
        selection.rubber = [...editor.drag.at, ...point];
        selection.set([...editor.drag.before, ...selection.inside(editor.pose)]);
        editor.draw();
        return;
      }
      editor.pose = dragged(x, y, dx, dy, event.altKey);
      editor.follow();
    },
    up() {
      if (!editor.drag) return;
      const { moved, kind, joint, added } = editor.drag;
      editor.drag = null;
      delete stage.dataset.dragging;
      if (editor.unfollow() && moved) editor.live();
      if (kind === "rubber") selection.rubber = null;
      // A press on a joint of several without a drag takes it out again, or leaves it alone.
      if (kind === "several" && joint >= 0 && !moved && !added) selection.joints.delete(joint);
      if (kind === "rubber" && !moved) selection.set([]);
      editor.showSelection();
      if (moved && kind !== "rubber") editor.commit();
    },
    cancel() {
      if (!editor.drag) return;
      const { moved, kind } = editor.drag;
      editor.pose = editor.drag.start;
      selection.rubber = null;
      selection.set(editor.drag.before);
      editor.drag = null;
      delete stage.dataset.dragging;
      editor.unfollow();
      editor.showSelection();
      if (!moved || kind === "rubber" || editor.placing) return;
      pump.drop();
      editor.generated = null;
      showExact();
    },
    hover(point, event) {
      if (editor.pose && !editor.drag) stage.dataset.over = (point && grip(point, event)?.kind) ?? "";
    },
  });

  function dragged(x, y, dx, dy, alt) {
    if (editor.drag.kind === "joint") {
      const from = editor.drag.start[editor.drag.joint];
      const target = { x: clamp(from.x + dx, 0, photo.width), y: clamp(from.y + dy, 0, photo.height) };
      const next = dragJoint(editor.drag.start, editor.drag.joint, target, !editor.keepBones || alt, editor.drag.last);
      next[editor.drag.joint].on = true;
      return (editor.drag.last = next);
    }
    const next = copyPose(editor.drag.start);
    const { centre } = editor.drag;
    const [[fx, fy], joints] = [editor.drag.from, editor.drag.kind === "whole" ? next.keys() : selection.joints];
    if (editor.drag.kind === "rotate")
      rotate(next, joints, centre, Math.atan2(y - centre.y, x - centre.x) - Math.atan2(fy - centre.y, fx - centre.x));
    else if (editor.drag.kind === "scale")
      scale(
        next,
        joints,
        centre,
        Math.hypot(x - centre.x, y - centre.y) / Math.max(1, Math.hypot(fx - centre.x, fy - centre.y)),
      );
    else translate(next, joints, dx, dy);
    return next;
  }

  const onStage = (event) => {
    const box = stage.getBoundingClientRect();
    return [event.clientX - box.left - stage.clientLeft, event.clientY - box.top - stage.clientTop];
  };
  stage.addEventListener("contextmenu", (event) => {
    event.preventDefault();
    const joint = editor.pose && !editor.drag ? nearest(onStage(event), event) : -1;
    if (joint < 0) return;
    editor.select(joint);
    actions.toggle();
  });
  stage.addEventListener("dblclick", (event) => editor.pose && !grip(onStage(event), event) && view.fit());
  // A click beside everything lets go of several joints; a drag there moves the view.
  let pressed = [0, 0];
  stage.addEventListener("pointerdown", (event) => (pressed = onStage(event)), { capture: true });
  stage.addEventListener("click", (event) => {
    const [x, y] = onStage(event);
    if (!editor.pose || event.target.closest?.("button") || Math.hypot(x - pressed[0], y - pressed[1]) > 3) return;
    if (selection.several() && !grip([x, y], event)) actions.none();
  });

  function nudge(next) {
    editor.pose = next;
    editor.draw();
    editor.live();
    clearTimeout(editor.nudging); // a row of key presses is one step of the history
    editor.nudging = setTimeout(editor.commit, 400);
  }
  stage.addEventListener("keydown", (event) => {
    if (!editor.pose) return;
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) {
      if (key === "a") actions.all();
      else if (key === "z" && !event.shiftKey && placing.takeBack())
        event.stopPropagation(); // it is no step of the history
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
      const next = copyPose(editor.pose);
      if (selection.several()) translate(next, joints, dx, dy);
      nudge(
        selection.several()
          ? next
          : dragJoint(
              editor.pose,
              editor.selected,
              { x: editor.pose[editor.selected].x + dx, y: editor.pose[editor.selected].y + dy },
              !editor.keepBones,
            ),
      );
    } else if ((turn || grow) && selection.several()) {
      const next = copyPose(editor.pose);
      if (turn) rotate(next, joints, selection.centre(editor.pose), (turn * Math.PI) / 180);
      else scale(next, joints, selection.centre(editor.pose), grow);
      nudge(next);
    } else if (key === "n" || key === "p") {
      editor.select(
        (editor.selected + (key === "n" ? 1 : JOINTS.length - 1) + (editor.selected < 0 && key === "p" ? 1 : 0)) %
          JOINTS.length,
      );
    } else if (KEYS[key]) {
      actions[KEYS[key]]();
    } else {
      return;
    }
    event.preventDefault();
  });
}
