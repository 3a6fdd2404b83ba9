// Textures: for every region its own look, a reference's, or a mix of several.

import { icon } from "../common/icons.js";
import { drawIcons, fetchText, openShadow, safe } from "../common/shadow.js";
import { createPump, nextEdit, page, showPicture, tell } from "../common/store.js";
import { LABELS, PALETTE, REGIONS } from "../common/tables.js";
import { createBlend } from "../preview/blend.js";
import { markGarments } from "./garment_box.js";
import { createRecolour } from "./recolour.js";
import { createWearing } from "./wearing.js";

const html = await fetchText("panel.html", import.meta.url);

/** What a reference is said to be instead, by whether it is taken for a garment. */
const REDECLARE = { true: "It shows a person, who wears it", false: "It is a garment alone, which nobody wears" };

/** Fill the part; `props` are what Python says, and `trigger` tells Python of an event. */
export function mount({ element, trigger, props, server, watch }) {
  const $ = openShadow(element, html);
  const looks = {
    styles: {}, // region -> id of a reference -> its weight; what is missing to 1 is the person's own
    wear: {}, // region -> id of the reference whose garment is worn, cut and all
    recolour: {}, // region -> {colour, hue, saturation, lightness}, what changes of its colours
    present: [], // the regions that the photo shows
  };
  let newest = 0; // order number of the newest change
  let mixing = false; // whether a click mixes lenders: fingers have no modifier key

  const label = (name) => LABELS[REGIONS.indexOf(name)];
  const title = (name) => label(name)[0].toUpperCase() + label(name).slice(1);
  const references = () => props.references ?? [];
  // The region itself, where it is borrowed; the whole person where there is none of it.
  const pictureOf = (reference, region) => `<img src="${reference.regions[region] ?? reference.image}" alt="">`;
  const total = (mix) => Object.values(mix).reduce((sum, weight) => sum + weight, 0);
  // The share of the person's own look; what rounding has left of it is none.
  const own = (mix) => (total(mix) < 0.995 ? 1 - total(mix) : 0);

  $("#rows").innerHTML = REGIONS.map((name, index) =>
    index === 0
      ? ""
      : `<li data-region="${name}">
          <div class="name"><i style="background:rgb(${PALETTE[index]})"></i><b>${title(name)}</b><small></small></div>
          <div class="choices" role="group" aria-label="Looks of ${title(name)}"></div>
          <div class="mixes"></div>
          <div class="row-tools">
            <button class="tool" data-strip data-icon="steps" title="Steps from own to borrowed, side by side" aria-label="Steps of ${title(name)}"><span class="short">Steps</span></button>
            <button class="tool" data-look data-icon="save" title="Save this look as a small file, to be added as a reference later" aria-label="Save look: ${title(name)}"><span class="short">Save look</span></button>
          </div>
          <div class="strip" role="group" aria-label="Steps of ${title(name)}" hidden></div>
        </li>`,
  ).join("");

  drawIcons($("#rows"));

  // ---- talking to the server

  const blend = createBlend();
  const pump = createPump(
    ({ slider, weight, ...asked }) => server.render_live({ ...asked, session: props.session }),
    async (picture, { slider, weight, styles: asked, recolour: coloured, wear }) => {
      if (slider) await blend.learn(slider, weight, picture.url).catch(() => false);
      if (asked === looks.styles && coloured === looks.recolour && wear === looks.wear) showPicture(picture);
      else mixAtOnce();
    },
  );
  const wanted = () => ({ styles: looks.styles, recolour: looks.recolour, wear: looks.wear });
  const live = () => pump.push(wanted());
  function mixAtOnce() {
    if (sliding && blend.at(looks.styles[sliding.region][sliding.mix])) tell("carry", blend);
  }
  let sliding = null; // {region, mix, before, at, name}: the slider that is moved
  let keying = 0; // timer of a slider moved by keys that is no step of the history yet
  function commit() {
    clearTimeout(keying);
    keying = 0;
    sliding = null;
    pump.drop();
    tell("status", { kind: "busy", text: "Rendering at full size…" });
    const order = nextEdit();
    newest = order.seq;
    props.value = { ...order, ...wanted() };
    tell("edited", "textures");
    trigger("commit");
  }

  // ---- mixing

  // Rounded down, so that all sum to 1 at most.
  const times = (mix, factor) =>
    Object.fromEntries(Object.entries(mix).map(([id, weight]) => [id, Math.floor(10000 * weight * factor) / 10000]));

  // One weight changes; the own look makes room first, then the others.
  function weigh(mix, reference, weight) {
    const others = total(mix) - (mix[reference] ?? 0);
    return { ...times(mix, others + weight > 1 ? (1 - weight) / others : 1), [reference]: weight };
  }

  // A click takes one lender instead of another, or gives the region its own look back; with a modifier key lenders are
  // mixed, and whoever is taken out of the mix gives the share back to the own look.
  function choose(region, reference, mixing) {
    if (wearing.isWorn(region)) {
      wearing.wear(region, reference);
      return;
    }
    const mix = looks.styles[region] ?? {};
    const alone = Object.keys(mix).length === 1;
    looks.styles = { ...looks.styles };
    if (!reference || (alone && reference in mix)) delete looks.styles[region];
    else if (mixing && reference in mix) {
      const { [reference]: gone, ...rest } = mix;
      looks.styles[region] = rest;
    } else if (!mixing) {
      looks.styles[region] = { [reference]: 1 };
    } else {
      // It gets an equal share of the looks, the own one if that is seen; all others make room, and none is lost.
      const count = Object.keys(mix).length + (own(mix) ? 1 : 0);
      const weight = Object.keys(mix).length ? 1 / (count + 1) : 1;
      looks.styles[region] = { ...times(mix, 1 - weight), [reference]: weight };
    }
  }

  // ---- rows

  function drawChoices() {
    $("#empty").textContent = references().length
      ? "Or take an example:"
      : `Add a photo of somebody who wears what you want to borrow${props.examples?.length ? ", or take an example:" : "."}`;
    $("#source").hidden = !props.examples?.length && references().length > 0;
    $("#examples").innerHTML = (props.examples ?? [])
      .map(
        (image, n) =>
          `<li><button data-example="${n}" aria-label="Borrow from example person ${n + 1}"><img src="${image}" alt=""></button></li>`,
      )
      .join("");
    $("#references").innerHTML = references()
      .map(
        (r) => `<li data-garment="${r.garment}"><img src="${r.image}" alt=""><span translate="no">${safe(r.name)}</span>
          <button class="redeclare" data-redeclare="${r.id}" title="${REDECLARE[String(r.garment)]}" aria-label="${safe(r.name)}: ${REDECLARE[String(r.garment)]}">${icon("swap")}</button>
          <button data-remove="${r.id}" data-tip title="Remove ${safe(r.name)}" aria-label="Remove ${safe(r.name)}">${icon("close")}</button></li>`,
      )
      .join("");
    for (const row of $("#rows").children) {
      const name = row.dataset.region;
      row.querySelector(".choices").innerHTML = [{ id: "", name: "Own" }, ...references()]
        .map((r) => {
          const lacks = r.id && !r.present.includes(name) ? ` (no ${label(name)} to borrow)` : "";
          const more = r.id && !lacks ? " (with Shift: mixed with others)" : "";
          return `<button data-reference="${r.id}" title="${safe(r.name)}${lacks}${more}" aria-label="${safe(r.name)}${lacks}" ${lacks ? "disabled" : ""}>${r.id ? pictureOf(r, name) : "Own"}</button>`;
        })
        .join("");
    }
    drawRows();
  }

  // Whether there is anything of a region to recolour or to save: the photo's, a texture or a garment that is worn.
  const shows = (name) => looks.present.includes(name) || total(looks.styles[name] ?? {}) > 0 || name in looks.wear;

  function drawRows() {
    recolour.draw();
    for (const row of $("#rows").children) {
      const name = row.dataset.region;
      const mix = looks.styles[name] ?? {};
      for (const button of row.querySelectorAll("[data-reference]"))
        button.setAttribute(
          "aria-pressed",
          button.dataset.reference
            ? button.dataset.reference in mix || looks.wear[name] === button.dataset.reference
            : own(mix) > 0 && !looks.wear[name],
        );
      wearing.draw(row, name);
      drawSliders(row, name, mix);
      row.querySelector("[data-strip]").disabled = Object.keys(mix).length !== 1;
      row.querySelector("[data-look]").disabled = !shows(name);
      drawStrip(row, name, mix);
      const absent = !looks.present.includes(name) && !looks.wear[name];
      row.querySelector("small").textContent = absent ? "not in the photo" : "";
      row.classList.toggle("absent", absent);
    }
  }

  // Sliders stay the same nodes while one of them is dragged.
  function drawSliders(row, name, mix) {
    const list = row.querySelector(".mixes");
    const ids = references()
      .map((r) => r.id)
      .filter((id) => id in mix);
    if (list.dataset.ids !== ids.join()) {
      list.dataset.ids = ids.join();
      list.innerHTML = ids
        .map((id) => {
          const reference = references().find((r) => r.id === id);
          const head = ids.length > 1 ? pictureOf(reference, name) : "<span>Own</span>";
          return `<label class="mix">${head}<input type="range" min="0" max="100" data-mix="${id}" aria-label="${title(name)}: how much of ${safe(reference.name)}">${ids.length > 1 ? "" : "<span>Borrowed</span>"}<output></output></label>`;
        })
        .join("");
      // One slider says how much is the own look; several don't.
      if (ids.length > 1) list.innerHTML += '<div class="mix" data-own><span>Own</span><output></output></div>';
    }
    for (const range of list.querySelectorAll("input")) {
      const percent = Math.round(100 * mix[range.dataset.mix]);
      if (Number(range.value) !== percent) range.value = percent;
      range.parentElement.querySelector("output").textContent = `${percent}%`;
    }
    const rest = list.querySelector("[data-own] output");
    if (rest) rest.textContent = `${Math.round(100 * own(mix))}%`;
  }

  // The steps are those of one region and one reference, and go when another one is chosen.
  function drawStrip(row, name, mix) {
    const strip = props.strip;
    const list = row.querySelector(".strip");
    list.hidden = !(strip && strip.region === name && Object.keys(mix).join() === strip.reference);
    if (list.hidden) return;
    if (list.strip !== strip) {
      list.strip = strip;
      list.innerHTML = strip.weights
        .map(
          (weight, n) =>
            `<button data-step="${weight}"><img src="${strip.pictures[n]}" alt=""><span>${Math.round(100 * weight)}%</span></button>`,
        )
        .join("");
    }
    for (const button of list.children)
      button.setAttribute("aria-pressed", String(Math.abs(Number(button.dataset.step) - mix[strip.reference]) < 0.005));
  }

  element.shadowRoot.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button || button.closest("#garment")) return;
    if (button.id === "mixing") {
      mixing = !mixing;
      button.setAttribute("aria-pressed", String(mixing));
      return;
    }
    const region = button.closest("[data-region]")?.dataset.region;
    if (button.dataset.way) wearing.change(region, button.dataset.way);
    else if (button.dataset.recolour !== undefined) recolour.show(button);
    else if (button.dataset.recolourReset !== undefined) {
      recolour.set(region, {});
      commit();
    } else if (button.dataset.strip !== undefined) {
      tell("status", { kind: "busy", text: "Rendering the steps…" });
      props.value = { document: page.document, region, reference: Object.keys(looks.styles[region])[0] };
      trigger("steps");
    } else if (button.dataset.look !== undefined) {
      tell("status", { kind: "busy", text: "Saving the look…" });
      tell("settle"); // what is still being changed with the keys belongs to it
      props.value = { ...nextEdit(false), region };
      trigger("save_look");
    } else if (button.dataset.step) {
      looks.styles = { ...looks.styles, [region]: { [props.strip.reference]: Number(button.dataset.step) } };
      drawRows();
      commit();
    } else if (button.dataset.example) {
      tell("status", { kind: "busy", text: "Analysing the reference…" });
      props.value = { index: Number(button.dataset.example) };
      trigger("example");
    } else if (button.dataset.redeclare) {
      tell("status", { kind: "busy", text: "Looking at the reference again…" });
      props.value = { ...nextEdit(), reference: button.dataset.redeclare };
      trigger("redeclare");
    } else if (button.dataset.remove) {
      props.value = { ...nextEdit(), reference: button.dataset.remove };
      trigger("remove");
    } else {
      const mix = mixing || event.shiftKey || event.ctrlKey || event.metaKey;
      if (mix && looks.wear[region]) {
        const text = "Garments that are worn don't mix. Choose Texture to mix lenders, or click without Shift to swap.";
        tell("status", { kind: "hint", text });
        return;
      }
      choose(region, button.dataset.reference, mix);
      blend.close();
      drawRows();
      live();
      commit();
    }
  });

  // The other weights make room while one is dragged, and come back when it is dragged back.
  function grasp(region, mix) {
    const from = looks.styles;
    const before = from[region][mix];
    const at = (weight) => ({ ...from, [region]: weigh(from[region], mix, weight) });
    sliding = { region, mix, before, at, name: JSON.stringify([page.document, region, mix, at(0)]) };
    const exact = page.shown === page.seq;
    if (blend.open(sliding.name) && exact) blend.learn(sliding.name, before, page.picture).catch(() => false);
  }
  function slide(event) {
    if (recolour.change(event)) return;
    const { mix } = event.target.dataset;
    const region = event.target.closest("[data-region]").dataset.region;
    if (!(mix in (looks.styles[region] ?? {}))) return;
    if (sliding?.region !== region || sliding.mix !== mix) grasp(region, mix);
    const { before, at, name } = sliding;
    const weight = Number(event.target.value) / 100;
    looks.styles = at(weight);
    drawRows();
    if (event.type === "change") {
      clearTimeout(keying);
      if (byKeys)
        keying = setTimeout(commit, 400); // a row of key presses is one step of the history
      else commit();
      return;
    }
    const end = Number(weight > before); // known soon, it lets all weights on this side be mixed
    if (!blend.knows(end)) pump.push({ ...wanted(), styles: at(end), slider: name, weight: end });
    pump.push({ ...wanted(), slider: name, weight });
    mixAtOnce();
  }
  let byKeys = false;
  $("#rows").addEventListener("keydown", () => (byKeys = true));
  $("#rows").addEventListener("pointerdown", () => (byKeys = false));
  $("#rows").addEventListener("input", slide);
  $("#rows").addEventListener("change", slide);

  const recolour = createRecolour({ $, looks, blend, live, commit, title, shows });
  const wearing = createWearing({ $, looks, references, blend, live, commit, title, drawRows });

  // ---- from the server

  function takeStyles() {
    const seq = props.styles?.seq ?? newest;
    if (!props.styles || seq < newest) return; // a newer answer follows, or was here already
    newest = seq;
    blend.close();
    sliding = null;
    clearTimeout(keying);
    keying = 0;
    looks.styles = props.styles.styles;
    looks.recolour = props.styles.recolour;
    looks.wear = props.styles.wear;
    looks.present = props.styles.present;
    drawRows();
  }
  page.addEventListener("settle", () => keying && commit());
  page.addEventListener("posed", () => blend.close());
  page.addEventListener("edited", ({ detail }) => detail !== "textures" && blend.close());
  watch("strip", drawRows);
  watch("references", drawChoices);
  watch("styles", takeStyles);
  drawChoices();
  takeStyles();
  markGarments({ $, trigger, props, watch });
}
