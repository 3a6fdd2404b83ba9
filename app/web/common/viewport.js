import { clamp } from "./store.js";

// Zoom and pan over a photo, by wheel, keys, mouse, pen and fingers; one-finger gestures are handed to a tool.
export function createViewport(stage, world, onChange, room = () => (stage.clientWidth < 560 ? 52 : 0)) {
  const view = { scale: 1, x: 0, y: 0, width: 0, height: 0 };
  let fitted = true;

  // On a phone the photo ends above the buttons that lie over the stage; elsewhere it has room between them.
  const height = () => stage.clientHeight - room();
  function fitScale() {
    return Math.min((stage.clientWidth - 24) / view.width, (height() - 24) / view.height);
  }
  function apply() {
    world.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
    onChange();
  }
  view.fit = () => {
    if (!view.width || !stage.clientWidth) return;
    fitted = true;
    view.scale = fitScale();
    view.x = (stage.clientWidth - view.width * view.scale) / 2;
    view.y = (height() - view.height * view.scale) / 2;
    apply();
  };
  view.open = (width, height) => {
    [view.width, view.height] = [width, height];
    world.style.width = `${width}px`;
    world.style.height = `${height}px`;
    fitted = true; // as soon as it is seen, where it is hidden now
    view.fit();
  };
  view.zoomAt = (factor, px, py) => {
    const least = 0.5 * fitScale();
    const scale = clamp(view.scale * factor, least, 24 * least);
    view.x = px - ((px - view.x) * scale) / view.scale;
    view.y = py - ((py - view.y) * scale) / view.scale;
    view.scale = scale;
    fitted = false;
    apply();
  };
  view.zoom = (factor) => view.zoomAt(factor, stage.clientWidth / 2, stage.clientHeight / 2);
  view.pan = (dx, dy) => {
    // At least a corner of the photo stays in sight.
    view.x = clamp(view.x + dx, 60 - view.width * view.scale, stage.clientWidth - 60);
    view.y = clamp(view.y + dy, 60 - view.height * view.scale, stage.clientHeight - 60);
    fitted = false;
    apply();
  };
  view.fitted = () => fitted;
  view.toScreen = (x, y) => [x * view.scale + view.x, y * view.scale + view.y];
  view.toWorld = (px, py) => [(px - view.x) / view.scale, (py - view.y) / view.scale];

  new ResizeObserver(() => (fitted ? view.fit() : apply())).observe(stage);
  return view;
}

// tool: down(point, event) -> true if it takes the gesture (else it pans), move(point, event), up(event), cancel(),
// and optionally hover(point | null, event).
export function createGestures(stage, view, tool) {
  const pointers = new Map();
  let mode = null; // "tool", "pan" or "pinch"
  let spread = null;
  let last = null;

  const at = (event) => {
    const box = stage.getBoundingClientRect();
    return [event.clientX - box.left - stage.clientLeft, event.clientY - box.top - stage.clientTop];
  };
  function pinchState() {
    const [[ax, ay], [bx, by]] = [...pointers.values()];
    return { x: (ax + bx) / 2, y: (ay + by) / 2, distance: Math.hypot(ax - bx, ay - by) };
  }

  stage.addEventListener("pointerdown", (event) => {
    if (event.button === 2 && event.pointerType === "mouse") return;
    stage.setPointerCapture(event.pointerId);
    const point = at(event);
    pointers.set(event.pointerId, point);
    if (pointers.size === 2) {
      if (mode === "tool") tool.cancel();
      mode = "pinch";
      spread = pinchState();
    } else if (pointers.size === 1) {
      const wantsPan = event.button === 1 || stage.dataset.hand === "true";
      mode = !wantsPan && tool.down(point, event) ? "tool" : "pan";
      last = point;
    }
    if (mode === "pan") stage.dataset.panning = "true";
  });
  stage.addEventListener("pointermove", (event) => {
    const point = at(event);
    if (!pointers.has(event.pointerId)) {
      tool.hover?.(point, event);
      return;
    }
    pointers.set(event.pointerId, point);
    if (mode === "pinch" && pointers.size === 2) {
      const now = pinchState();
      view.pan(now.x - spread.x, now.y - spread.y);
      view.zoomAt(now.distance / Math.max(spread.distance, 1), now.x, now.y);
      spread = now;
    } else if (mode === "pan" && event.pointerType === "touch" && view.fitted()) {
      scrollBy(0, last[1] - point[1]); // a photo that is seen whole stays where it is: the page moves
    } else if (mode === "pan") {
      view.pan(point[0] - last[0], point[1] - last[1]);
      last = point;
    } else if (mode === "tool") {
      tool.hover?.(point, event);
      // Fast strokes arrive as several samples per frame.
      const samples = event.getCoalescedEvents?.() ?? [];
      for (const sample of samples.length ? samples : [event]) tool.move(at(sample), sample);
    }
  });
  function release(event) {
    if (!pointers.delete(event.pointerId)) return;
    if (mode === "tool") event.type === "pointerup" ? tool.up(event) : tool.cancel();
    // The finger that is left after a pinch must not start to paint.
    if (mode === "pinch" && pointers.size) mode = "none";
    if (!pointers.size) mode = null;
    delete stage.dataset.panning;
  }
  stage.addEventListener("pointerup", release);
  stage.addEventListener("pointercancel", release);
  stage.addEventListener("pointerleave", (event) => tool.hover?.(null, event));
  stage.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      if (tool.wheel?.(event)) return;
      view.zoomAt(Math.exp(-clamp(event.deltaY, -120, 120) / 400), ...at(event));
    },
    { passive: false },
  );
  stage.addEventListener("keydown", (event) => {
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (key === "+" || key === "=") view.zoom(1.25);
    else if (key === "-") view.zoom(0.8);
    else if (key === "f") view.fit();
    else if (key === " ") stage.dataset.hand = "true";
    else return;
    event.preventDefault();
  });
  stage.addEventListener("keyup", (event) => {
    if (event.key === " ") delete stage.dataset.hand;
  });
  stage.addEventListener("blur", () => delete stage.dataset.hand);
}
