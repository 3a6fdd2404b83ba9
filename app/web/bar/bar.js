// One history for every kind of edit, the document as a file, and the line that says what is happening.
import { fetchText, openShadow } from "../common/shadow.js";
import { download, nextEdit, page, tell } from "../common/store.js";
import { nameGroups } from "./groups.js";
import { watchReturning } from "./returning.js";
import { watchUnsaved } from "./unsaved.js";
import { takeUploads } from "./uploads.js";

const html = await fetchText("bar.html", import.meta.url);

/** Fill the part; `props` are what Python says, and `trigger` tells Python of an event. */
export function mount({ element, trigger, props, watch }) {
  const $ = openShadow(element, html);

  let stoppable = false;
  function drawStop() {
    $("#stop").hidden = !(stoppable || page.rendering);
  }
  function say({ kind, text, stop = false }) {
    stoppable = stop;
    drawStop();
    $("#status").dataset.kind = kind;
    $("#status span").textContent = text;
    $("#status").title = text;
    delete $("#status").dataset.whole;
  }
  function act(name, held = {}) {
    const button = $(`[data-do="${name}"]`);
    const newest = page.seq;
    tell("settle"); // an edit that is still being made with the keys comes first, and can be undone
    if (button.disabled && page.seq === newest) return;
    // What was undone can be done again before the server has answered.
    if (name === "undo") $('[data-do="redo"]').disabled = false;
    say({ kind: "busy", text: name === "save" ? "Packing the document…" : "Rendering…" });
    props.value = { ...nextEdit(name === "start_over"), ...held };
    trigger(name);
  }
  // A long line is cut after three rows; a finger, which sees no title, opens it.
  $("#status").addEventListener("click", ({ currentTarget: { dataset } }) => {
    if ("whole" in dataset) delete dataset.whole;
    else dataset.whole = "";
  });
  element.shadowRoot.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.id === "stop") trigger("stop");
    else if (button?.id === "help") tell("help");
    else if (button) act(button.dataset.do);
  });
  for (const name of ["undo", "redo", "start_over", "save"])
    page.addEventListener(name, ({ detail }) => act(name, detail));
  // Undo belongs to the whole page: after a click on a preset the focus is there and not on the canvas. The listener is one
  // object for all times, so that mounting the bar again does not double it.
  page.keys ??= (event) => {
    if (event.altKey) return;
    const key = event.key.toLowerCase();
    const command = event.ctrlKey || event.metaKey;
    if (!command && key !== "?") return;
    // A key that is held down, or pressed while joints are placed, leads to no other photo.
    const held = { within: event.repeat || Boolean(page.placing) };
    if (
      event
        .composedPath()[0]
        .matches?.("input:not([type=range], [type=checkbox], [type=radio]), textarea, [contenteditable]")
    )
      return;
    if (key === "?" && !command) tell("help");
    else if (!command) return;
    else if (key === "z") tell(event.shiftKey ? "redo" : "undo", held);
    else if (key === "y") tell("redo", held);
    else if (key === "s") tell("save");
    else return;
    event.preventDefault();
  };
  document.addEventListener("keydown", page.keys);
  page.addEventListener("status", ({ detail }) => say(detail));
  // A motion is rendered, whatever else is done and said meanwhile.
  page.addEventListener("rendering", drawStop);

  function takeStatus() {
    if (props.status?.text) tell("status", props.status);
    takeHistory();
  }
  // An edit is on its way: it can be undone before the server has answered.
  page.addEventListener("step", () => {
    $('[data-do="undo"]').disabled = $('[data-do="start_over"]').disabled = false;
  });
  let told = 0; // order number of the newest edit that the history has told of
  function takeHistory() {
    const may = props.history ?? {};
    // What was said before the newest edit was made comes too late.
    if (may.edit < told || (may.document === page.document && may.edit < page.edit)) return;
    told = may.edit ?? told;
    for (const name of ["undo", "redo", "start_over", "save"]) $(`[data-do="${name}"]`).disabled = !may[name];
    tell("history", may);
  }
  function takeFile() {
    if (!props.file) return;
    download(props.file.url, props.file.name);
    tell("saved");
  }
  // The tab keeps the name of its session: a page that is reloaded gets its work back. The lock of that name tells a
  // duplicated tab, which has a copy, that it is another one.
  function takeSession() {
    if (props.session) navigator.locks?.request(`pise-${props.session}`, () => new Promise(() => {}));
    try {
      if (props.session) sessionStorage.setItem("pise-session", props.session);
    } catch {
      // A browser that stores nothing starts again when the page is reloaded.
    }
  }
  // There is a menu of weights only where the server was started with several.
  function takeWeights() {
    const { names, chosen } = props.weights ?? { names: [] };
    $("#weights").hidden = names.length < 2;
    $("#weights select").replaceChildren(...names.map((name) => new Option(name, name, false, name === chosen)));
  }
  $("#weights select").addEventListener("change", (event) => {
    say({ kind: "busy", text: "Loading other weights…" });
    props.value = { name: event.target.value };
    trigger("choose_weights");
  });
  // All places are taken: the page asks again by itself, until it is let in or its user has had enough.
  let knocking = 0;
  function takeDoor() {
    clearTimeout(knocking);
    if (props.door) knocking = setTimeout(() => trigger("knock"), 1000 * props.door.seconds);
  }
  watch("door", takeDoor);
  watch("weights", takeWeights);
  takeWeights();
  watch("session", takeSession);
  watch("file", takeFile);
  watch("status", takeStatus);
  watch("history", takeHistory);
  // What was said while the module was on its way.
  watchReturning();
  nameGroups();
  takeSession();
  takeStatus();
  takeUploads();
  watchUnsaved();
}
