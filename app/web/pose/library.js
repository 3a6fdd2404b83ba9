// The shelf below the pose canvas: presets, and poses that the user keeps in this browser; each is drawn as a figure.
import { icon } from "../common/icons.js";
import { safe } from "../common/shadow.js";
import { tell } from "../common/store.js";
import { JOINTS, LIMBS, PRESETS, STANDING } from "../common/tables.js";
import { applyPreset, poseFromRows } from "./skeleton.js";

const KEPT_KEY = "pise-poses";
const MOST_KEPT = 24;
const FIGURE = poseFromRows(STANDING, { width: 60, height: 100 });

function figure(shape) {
  const there = LIMBS.slice(0, 13).filter(([a, b]) => shape[a].on && shape[b].on);
  const bones = there.map(
    ([a, b]) => `M${shape[a].x.toFixed(1)} ${shape[a].y.toFixed(1)}L${shape[b].x.toFixed(1)} ${shape[b].y.toFixed(1)}`,
  );
  const head = shape[0].on ? `<circle cx="${shape[0].x.toFixed(1)}" cy="${(shape[0].y - 1).toFixed(1)}" r="7"/>` : "";
  return `<svg viewBox="-14 -16 88 118" aria-hidden="true"><path d="${bones.join("")}"/>${head}</svg>`;
}

// A kept pose in the size of the little figures.
function small({ people: [person] }) {
  const flat = person.pose_keypoints_2d;
  const shape = JOINTS.map((_, j) => ({ x: flat[3 * j], y: flat[3 * j + 1], on: flat[3 * j + 2] > 0 }));
  const there = shape.filter((joint) => joint.on);
  const [xs, ys] = [there.map((joint) => joint.x), there.map((joint) => joint.y)];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const factor = Math.min(96 / (Math.max(...ys) - top || 1), 84 / (Math.max(...xs) - left || 1));
  const middle = (Math.max(...xs) + left) / 2;
  return shape.map((joint) => ({ ...joint, x: 30 + (joint.x - middle) * factor, y: 2 + (joint.y - top) * factor }));
}

/** Draw the shelf of `editor`, and let poses be chosen, kept and forgotten. */
export function createLibrary(editor, placing) {
  const { $ } = editor;
  let kept = [];
  function readable(entry) {
    try {
      return typeof entry.name === "string" && small(JSON.parse(entry.file)).some((joint) => joint.on);
    } catch {
      return false;
    }
  }
  // Another tab may have kept or forgotten one meanwhile.
  function readKept() {
    try {
      kept = JSON.parse(localStorage.getItem(KEPT_KEY) ?? "[]").filter(readable);
    } catch {
      // Nothing is stored, or nothing that can be read: those of this page stay.
    }
  }
  function keep(poses) {
    kept = poses;
    drawShelf();
    try {
      localStorage.setItem(KEPT_KEY, JSON.stringify(kept));
      return true;
    } catch {
      tell("status", {
        kind: "error",
        text: "This browser keeps nothing: the pose is on the shelf until the page closes. Save it as a file.",
      });
      return false;
    }
  }

  function drawShelf() {
    const presets = PRESETS.map(
      (preset, n) =>
        `<button data-preset="${n}" title="${preset.name}">${figure(applyPreset(FIGURE, preset))}<span>${preset.name}</span></button>`,
    );
    const own = kept.map(
      ({ name, file }, n) =>
        `<span class="kept"><button data-kept="${n}" title="${safe(name)}, a pose that you kept">${figure(small(JSON.parse(file)))}<span translate="no">${safe(name)}</span></button>` +
        `<button class="forget" data-edit="${n}" aria-label="Rename, move or forget ${safe(name)}" title="Rename, move or forget it">${icon("more")}</button></span>`,
    );
    $("#presets").innerHTML = presets.join("") + own.join("");
    showFurther();
  }

  // The end at which more of them are fades, and has an arrow.
  function showFurther() {
    const { scrollLeft, clientWidth, scrollWidth } = $("#presets");
    $("#reel").classList.toggle("earlier", scrollLeft > 2);
    $("#reel").classList.toggle("later", scrollLeft + clientWidth < scrollWidth - 2);
  }
  $("#presets").addEventListener("scroll", showFurther);
  new ResizeObserver(showFurther).observe($("#presets"));
  $("#reel").addEventListener("click", (event) => {
    const way = Number(event.target.closest("[data-further]")?.dataset.further ?? 0);
    $("#presets").scrollBy({ left: way * 0.8 * $("#presets").clientWidth, behavior: "smooth" });
  });
  readKept();
  drawShelf();

  $("#presets").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button || !editor.pose) return;
    const { preset, kept: chosen, edit } = button.dataset;
    if (preset) {
      editor.change(applyPreset(editor.pose, PRESETS[Number(preset)]));
      if (editor.placing) editor.view.fit();
    } else if (edit) {
      openNaming(kept[Number(edit)].name);
    } else if (chosen) {
      editor.loadPose(kept[Number(chosen)].file);
    }
  });

  // ---- the name and the place of a pose that was kept

  const naming = $("#naming");
  const field = $("#pose-name");
  let named = ""; // which one
  function openNaming(name) {
    named = name;
    naming.hidden = false;
    field.value = name;
    field.setCustomValidity("");
    field.focus();
    field.select();
  }
  const placeOf = () => kept.findIndex((entry) => entry.name === named);
  function closeNaming() {
    naming.hidden = true;
  }
  naming.addEventListener("input", () => {
    const taken = field.value.trim() !== named && kept.some((entry) => entry.name === field.value.trim());
    field.setCustomValidity(taken ? "Another pose has that name." : "");
  });
  naming.addEventListener("submit", (event) => {
    event.preventDefault();
    readKept();
    const name = field.value.trim() || named;
    keep(kept.map((entry) => (entry.name === named ? { ...entry, name } : entry)));
    closeNaming();
  });
  naming.addEventListener("keydown", (event) => event.key === "Escape" && closeNaming());
  naming.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.forgetNamed !== undefined) {
      readKept();
      keep(kept.filter((entry) => entry.name !== named));
      closeNaming();
    } else if (button.dataset.move) {
      readKept();
      const from = placeOf();
      const to = from + Number(button.dataset.move);
      if (from < 0 || to < 0 || to >= kept.length) return;
      const next = [...kept];
      [next[from], next[to]] = [next[to], next[from]];
      keep(next);
      $("#presets").children[PRESETS.length + to].scrollIntoView({ inline: "nearest", block: "nearest" });
    }
  });

  editor.actions.keep = () => {
    if (!editor.pose || placing.first()) return;
    readKept();
    if (kept.length >= MOST_KEPT) {
      tell("status", { kind: "error", text: `There are ${MOST_KEPT} poses of yours already; forget one first.` });
      return;
    }
    const number = 1 + Math.max(0, ...kept.map(({ name }) => Number(/^Mine (\d+)$/.exec(name)?.[1] ?? 0)));
    if (keep([...kept, { name: `Mine ${number}`, file: editor.poseFile() }])) {
      tell("status", { kind: "ok", text: `Kept as Mine ${number}. It fits the person in any photo.` });
    }
    $("#presets").lastElementChild.scrollIntoView({ inline: "end", block: "nearest" });
  };
}
