// The way that led to the result: its steps in a row, each a place to go back or forth to.
import { nextEdit, page, tell } from "../common/store.js";

const NAMES = {
  pose: "Pose",
  retouch: "Retouch",
  regions: "Regions",
  textures: "Texture",
  wear: "Garment",
  recolour: "Colour",
  held: "Held thing",
  motion: "Motion",
  references: "References",
  all: "Started over",
};

/** Draw the shelf of steps, and let them be chosen. */
export function createHistory({ $, trigger, props }) {
  const list = $("#history");
  let shown = "";

  page.addEventListener("history", ({ detail: { steps = [], position = 0, begun = false, save } }) => {
    const first = begun ? "Edited photo" : "Photo"; // edits from before room was made, or too long ago to be undone
    const names = save ? [first, ...steps.map((step) => NAMES[step])] : [];
    if (JSON.stringify([names, position]) === shown) return;
    shown = JSON.stringify([names, position]);
    list.innerHTML = names
      .map(
        (name, n) =>
          `<li><button data-position="${n}" ${n === position ? 'aria-current="step"' : ""} data-undone="${n > position}">${n ? `<small>${n}</small>` : ""}${name}</button></li>`,
      )
      .join("");
    const current = list.querySelector("[aria-current]");
    // Its own row is scrolled, and never the page.
    if (current) list.scrollLeft = current.offsetLeft - list.clientWidth / 2 + current.offsetWidth / 2;
  });
  list.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button || button.hasAttribute("aria-current")) return;
    tell("settle");
    tell("status", { kind: "busy", text: "Rendering…" });
    props.value = { ...nextEdit(), position: Number(button.dataset.position) };
    trigger("travel");
  });
}
