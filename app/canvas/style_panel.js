// Textures: for every region its own look, a reference's, or a mix of both.
const $ = mount(element, HTML, CSS);
let styles = {};
let present = [];

const title = (name) => name[0].toUpperCase() + name.slice(1).replace("_", " ");
const safe = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const references = () => props.references ?? [];

$("#rows").innerHTML = REGIONS.map((name, index) =>
  index === 0
    ? ""
    : `<li data-region="${name}">
        <div class="name"><i style="background:rgb(${PALETTE[index]})"></i><b>${title(name)}</b><small></small></div>
        <div class="choices" role="group" aria-label="Look of ${title(name)}"></div>
        <label class="mix"><span>Own</span><input type="range" min="0" max="100" value="0" disabled aria-label="${title(name)}: own to borrowed"><span>Borrowed</span><output>0%</output></label>
      </li>`,
).join("");

// ---- talking to the server

const pump = createPump((request) => server.render_live({ ...request, session: props.session }));
const live = () => pump.push({ styles });
function commit() {
  pump.drop();
  tell("status", { kind: "busy", text: "Rendering at full size…" });
  props.value = { seq: ++page.seq, styles };
  trigger("commit");
}

// ---- rows

function drawChoices() {
  $("#empty").textContent = references().length
    ? "Or take an example:"
    : `Add a photo of somebody who wears what you want to borrow${props.examples?.length ? ", or take an example:" : "."}`;
  $("#source").hidden = !props.examples?.length && references().length > 0;
  $("#examples").innerHTML = (props.examples ?? [])
    .map((image, n) => `<li><button data-example="${n}" aria-label="Borrow from example person ${n + 1}"><img src="${image}" alt=""></button></li>`)
    .join("");
  $("#references").innerHTML = references()
    .map(
      (r) => `<li><img src="${r.image}" alt=""><span>${safe(r.name)}</span>
        <button data-remove="${r.id}" data-tip title="Remove ${safe(r.name)}" aria-label="Remove ${safe(r.name)}">${icon("close")}</button></li>`,
    )
    .join("");
  for (const row of $("#rows").children) {
    const name = row.dataset.region;
    row.querySelector(".choices").innerHTML = [{ id: "", name: "Own" }, ...references()]
      .map((r) => {
        const lacks = r.id && !r.present.includes(name) ? ` (has no ${title(name).toLowerCase()})` : "";
        return `<button data-reference="${r.id}" title="${safe(r.name)}${lacks}" aria-label="${safe(r.name)}${lacks}" ${lacks ? "disabled" : ""}>${r.id ? `<img src="${r.image}" alt="">` : "Own"}</button>`;
      })
      .join("");
  }
  drawRows();
}

function drawRows() {
  for (const row of $("#rows").children) {
    const name = row.dataset.region;
    const style = styles[name];
    for (const button of row.querySelectorAll("[data-reference]"))
      button.setAttribute("aria-pressed", button.dataset.reference === (style?.reference ?? ""));
    const range = row.querySelector("input");
    const percent = Math.round(100 * (style?.alpha ?? 0));
    range.disabled = !style;
    if (Number(range.value) !== percent) range.value = percent;
    row.querySelector("output").textContent = `${percent}%`;
    row.querySelector("small").textContent = present.includes(name) ? "" : "not in the photo";
    row.classList.toggle("absent", !present.includes(name));
    row.classList.toggle("mixed", Boolean(style));
  }
}

element.shadowRoot.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.example) {
    tell("status", { kind: "busy", text: "Analysing the reference…" });
    props.value = { index: Number(button.dataset.example) };
    trigger("example");
    return;
  }
  if (button.dataset.remove) {
    props.value = { reference: button.dataset.remove };
    trigger("remove");
    return;
  }
  const name = button.closest("[data-region]").dataset.region;
  const reference = button.dataset.reference;
  styles = { ...styles };
  if (reference) styles[name] = { reference, alpha: styles[name]?.alpha || 1 };
  else delete styles[name];
  drawRows();
  live();
  commit();
});
function slide(event) {
  const name = event.target.closest("[data-region]").dataset.region;
  if (!styles[name]) return;
  styles = { ...styles, [name]: { ...styles[name], alpha: Number(event.target.value) / 100 } };
  drawRows();
  event.type === "change" ? commit() : live();
}
$("#rows").addEventListener("input", slide);
$("#rows").addEventListener("change", slide);

// ---- from the server

function takeStyles() {
  if (!props.styles) return;
  styles = props.styles.styles;
  present = props.styles.present;
  drawRows();
}
watch("references", drawChoices);
watch("styles", takeStyles);
drawChoices();
takeStyles();
