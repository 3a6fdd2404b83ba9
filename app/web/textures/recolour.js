// Another colour for a garment or hair: a colour to choose, and sliders for hue, saturation and lightness.
import { icon } from "../common/icons.js";
import { RECOLOURED } from "../common/tables.js";

const SLIDERS = [
  ["hue", "Hue", -180, 180, 1, 0],
  ["saturation", "Saturation", 0, 2, 0.02, 1],
  ["lightness", "Lightness", -1, 1, 0.02, 0],
];

/** Add the controls to the rows of a panel of textures, `{$, looks, blend, live, commit, title, shows}`. */
export function createRecolour({ $, looks, blend, live, commit, title, shows }) {
  for (const name of RECOLOURED) {
    const row = $(`#rows [data-region="${name}"]`);
    row
      .querySelector(".row-tools")
      .insertAdjacentHTML(
        "afterbegin",
        `<button class="tool" data-recolour aria-expanded="false" title="Another colour; folds and pattern stay" aria-label="Recolour ${title(name)}">${icon("drop")}<span class="short">Colour</span></button>`,
      );
    row.insertAdjacentHTML(
      "beforeend",
      `<div class="recolour" role="group" aria-label="Colour of ${title(name)}" hidden>
        <label class="swatch"><input type="color" data-recolour-colour aria-label="New colour of ${title(name)}" value="#3a5fa8"><span>Colour</span></label>
        ${SLIDERS.map(([key, text, least, most, step]) => `<label class="mix"><span>${text}</span><input type="range" data-recolour-value="${key}" min="${least}" max="${most}" step="${step}" aria-label="${text} of ${title(name)}"></label>`).join("")}
        <button class="tool" data-recolour-reset title="Its own colours again">${icon("reset")}<span>Own colours</span></button>
      </div>`,
    );
  }

  function drawRecolour() {
    for (const name of RECOLOURED) {
      const row = $(`#rows [data-region="${name}"]`);
      const change = looks.recolour[name] ?? {};
      if (change.colour) row.querySelector("[data-recolour-colour]").value = change.colour;
      for (const [key, , , , , usual] of SLIDERS)
        row.querySelector(`[data-recolour-value="${key}"]`).value = change[key] ?? usual;
      row.querySelector("[data-recolour-reset]").disabled = !Object.keys(change).length;
      row.querySelector("[data-recolour]").setAttribute("aria-pressed", String(Boolean(Object.keys(change).length)));
      row.querySelector("[data-recolour]").disabled = !shows(name);
    }
  }

  function showRecolour(button) {
    const panel = button.closest("[data-region]").querySelector(".recolour");
    panel.hidden = !panel.hidden;
    button.setAttribute("aria-expanded", String(!panel.hidden));
  }

  function setRecolour(region, change) {
    const { [region]: gone, ...rest } = looks.recolour;
    looks.recolour = Object.keys(change).length ? { ...rest, [region]: change } : rest;
    blend.close();
    drawRecolour();
  }

  // While a colour is chosen or a slider moved, previews follow; the step of the history comes when it is let go of.
  function changeRecolour(event) {
    const { recolourColour, recolourValue } = event.target.dataset;
    if (recolourColour === undefined && recolourValue === undefined) return false;
    const region = event.target.closest("[data-region]").dataset.region;
    const change = { ...(looks.recolour[region] ?? {}) };
    if (recolourColour !== undefined) change.colour = event.target.value;
    else {
      const usual = SLIDERS.find(([key]) => key === recolourValue)[5];
      change[recolourValue] = Number(event.target.value);
      if (change[recolourValue] === usual) delete change[recolourValue];
    }
    setRecolour(region, change);
    if (event.type === "change") commit();
    else live();
    return true;
  }
  return { draw: drawRecolour, show: showRecolour, set: setRecolour, change: changeRecolour };
}
