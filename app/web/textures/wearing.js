// Whether a garment lends its texture alone, or is worn with its own cut: sleeves, length and neckline.
import { GARMENTS } from "../common/tables.js";

/** Add the choice to the rows of a panel of textures, `{$, looks, references, blend, live, commit, title, drawRows}`. */
export function createWearing({ $, looks, references, blend, live, commit, title, drawRows }) {
  const chosen = {}; // region -> whether it is to be worn, where that was said

  for (const name of GARMENTS)
    $(`#rows [data-region="${name}"] .name`).insertAdjacentHTML(
      "beforeend",
      `<span class="way" role="group" aria-label="How ${title(name)} is borrowed">
        <button data-way="texture" title="Its texture on the garment that is there">Texture</button>
        <button data-way="wear" title="The garment itself: its sleeves, length and neckline">Wear it</button>
      </span>`,
    );

  const others = (from, region) => Object.fromEntries(Object.entries(from).filter(([name]) => name !== region));

  /** Whether a lender that is chosen now is worn. A texture needs a garment to lie on. */
  function isWorn(region) {
    if (!GARMENTS.includes(region)) return false;
    if (looks.wear[region]) return true;
    if (Object.keys(looks.styles[region] ?? {}).length) return false;
    return chosen[region] ?? !looks.present.includes(region);
  }

  /** Wear a reference's garment, or the person's own again where it is worn already or none is given. */
  function wear(region, reference) {
    looks.styles = others(looks.styles, region);
    const worn = reference && looks.wear[region] !== reference;
    looks.wear = worn ? { ...looks.wear, [region]: reference } : others(looks.wear, region);
  }

  /** A button of the choice was pressed: what is borrowed there already changes its way. Where nothing is and one lender
   * alone has such a garment, that is the one to be worn. */
  function change(region, way) {
    chosen[region] = way === "wear";
    const worn = looks.wear[region];
    const lenders = references().filter((reference) => reference.present.includes(region));
    let [lender] = Object.entries(looks.styles[region] ?? {}).sort(([, a], [, b]) => b - a)[0] ?? [];
    if (!lender && !worn && lenders.length === 1) lender = lenders[0].id;
    if (way === "wear" && lender) wear(region, lender);
    else if (way === "texture" && worn) {
      looks.wear = others(looks.wear, region);
      looks.styles = { ...looks.styles, [region]: { [worn]: 1 } };
    } else {
      drawRows();
      return;
    }
    blend.close();
    drawRows();
    live();
    commit();
  }

  function draw(row, region) {
    for (const button of row.querySelectorAll("[data-way]"))
      button.setAttribute("aria-pressed", String((button.dataset.way === "wear") === isWorn(region)));
  }

  return { isWorn, wear, change, draw };
}
