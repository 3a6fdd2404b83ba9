// The result as a file: a format of choice, the clipboard, and the device's own way of sharing.
import { fieldOf } from "../bar/uploads.js";
import { download, page, tell } from "../common/store.js";

/** Listen to the buttons of the toolbar, and take the file that the server makes. */
export function createTaking({ $, trigger, props, watch }) {
  let waiting = null; // {use, resolve, reject}: what the file that is being made is for

  // A browser that offers neither, or a page that is not served safely, shows no button for it.
  const button = (name) => $(`[data-take="${name}"]`);
  const picture = new File([], "picture.jpg", { type: "image/jpeg" });
  button("copy").hidden = !(navigator.clipboard?.write && globalThis.ClipboardItem);
  button("share").hidden = !navigator.canShare?.({ files: [picture] });

  function ask(use, wanted) {
    waiting?.reject(new Error("another file is wanted"));
    tell("status", { kind: "busy", text: "Packing the picture…" });
    props.value = { document: page.document, use, ...wanted };
    const made = new Promise((resolve, reject) => (waiting = { use, resolve, reject }));
    trigger("save_as");
    return made;
  }
  async function blobOf(file) {
    const answer = await fetch(file.url);
    if (!answer.ok) throw new Error(answer.statusText);
    return answer.blob();
  }
  const failed = (text) => tell("status", { kind: "error", text });

  // The promise keeps the click's permission, however long the picture takes.
  async function copy() {
    const made = ask("copy", { format: "png" }).then(blobOf);
    made.catch(() => {});
    try {
      await navigator.clipboard.write([new ClipboardItem({ "image/png": made })]);
      tell("status", { kind: "ok", text: "Copied at full size. Paste it where you like." });
    } catch {
      failed("This browser did not let the picture be copied. Save it instead.");
    }
  }

  // A device that has forgotten the click by the time the picture is there wants another one.
  let ready = null; // {of, file} that was made for a click that is forgotten
  async function share() {
    try {
      const of = `${page.document} ${page.edit}`;
      if (ready?.of !== of) {
        const made = await ask("share", { format: "jpg", quality: 92 });
        ready = { of, file: new File([await blobOf(made)], made.name, { type: "image/jpeg" }) };
      }
      await navigator.share({ files: [ready.file] });
      ready = null;
      tell("status", { kind: "ok", text: "Shared." });
    } catch (error) {
      if (error.name === "NotAllowedError") {
        tell("status", { kind: "hint", text: "The picture is ready. Press Share once more." });
      } else if (error.name === "AbortError") tell("status", { kind: "ok", text: "Not shared." });
      else failed("The picture could not be shared. Save it instead.");
    }
  }

  const formats = $("#formats");
  function showFormats(open) {
    formats.hidden = !open;
    button("formats").setAttribute("aria-expanded", String(open));
    if (open) $("#format").focus();
  }
  function drawFormats() {
    const format = $("#format").value;
    $("#lossless-row").hidden = format !== "webp";
    $("#quality-row").hidden = !(format === "jpg" || (format === "webp" && !$("#lossless").checked));
    $("#cut-row").hidden = format !== "png" && format !== "webp";
    $("#quality-value").textContent = $("#quality").value;
  }
  formats.addEventListener("input", drawFormats);
  formats.addEventListener("submit", async (event) => {
    event.preventDefault();
    const format = $("#format").value;
    const quality = $("#quality-row").hidden ? null : Number($("#quality").value);
    const cut_out = !$("#cut-row").hidden && $("#cut").checked;
    showFormats(false);
    button("formats").focus();
    const file = await ask("download", { format, quality, cut_out }).catch(() => null);
    if (!file) return;
    download(file.url, file.name);
    tell("saved");
  });
  formats.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    showFormats(false);
    button("formats").focus();
  });
  drawFormats();

  button("many").addEventListener("click", () => fieldOf("batch-photos")?.click());
  button("copy").addEventListener("click", copy);
  button("share").addEventListener("click", share);
  button("formats").addEventListener("click", () => showFormats(formats.hidden));

  page.addEventListener("history", ({ detail }) => {
    for (const name of ["copy", "share", "many", "formats"]) button(name).disabled = !detail.save;
  });
  page.addEventListener("status", ({ detail }) => {
    if (detail.kind !== "error") return;
    waiting?.reject(new Error(detail.text));
    waiting = null;
  });
  watch("file", () => {
    if (!props.file || props.file.use !== waiting?.use) return;
    waiting.resolve(props.file);
    waiting = null;
  });
}
