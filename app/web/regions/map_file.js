// A map of regions from a file: whose labels it has is chosen first.
import { tell } from "../common/store.js";
import { MAP_TABLES } from "../common/tables.js";

/** Bytes of a file at most; larger ones are no maps that were saved well. */
const LARGEST = 30e6;

async function base64(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}

/**
 * @param {(selector: string) => any} $
 * @param {(file: {name: string, table: string, data: string}) => any} take
 */
export function listenToMapFile($, take) {
  const form = $("#map-file");
  const button = $('[data-do="file"]');
  $("#table").insertAdjacentHTML(
    "beforeend",
    MAP_TABLES.map((name) => `<option value="${name}">${name.toUpperCase()}</option>`).join(""),
  );
  function show(open) {
    form.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    if (open) $("#table").focus();
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    $("#file").click();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    show(false);
    button.focus();
  });
  $("#file").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (!file) return;
    if (file.size > LARGEST) {
      const text = `${file.name} is larger than ${LARGEST / 1e6} MB; save the map as a PNG, which is smaller.`;
      tell("status", { kind: "error", text });
      return;
    }
    show(false);
    take({ name: file.name, table: $("#table").value, data: await base64(file) });
  });
  return { toggle: () => show(form.hidden) };
}
