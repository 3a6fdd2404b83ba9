// Uploads are parts of Gradio's, which would refuse a wrong file in words of its own: they take any, and the server says
// what to do. What a dialog offers is set when it opens, for its field may be another one by then. The listeners are one
// object for all times, as the keys are.
import { page, tell } from "../common/store.js";
import { LARGEST, OFFERED } from "../common/tables.js";

/** @returns {HTMLInputElement | null} */
export const fieldOf = (id) => /** @type {any} */ (document.getElementById(id)?.previousElementSibling ?? null);

/** Whether a file's name says that it is a video. */
export const isVideo = (file) => OFFERED["motion-clip"].some((suffix) => file.name.toLowerCase().endsWith(suffix));

/** Send files as if they had been chosen in one of Gradio's fields. */
export function handOver(id, files) {
  const field = fieldOf(id);
  if (!files.length || !field) return;
  field.files = files;
  field.dispatchEvent(new Event("change", { bubbles: true }));
}

// What is too large for the server is said before any of it is sent. Of several files none is then taken.
function refused(event, files) {
  const large = [...files].find((file) => file.size > LARGEST);
  if (!large) return false;
  event.preventDefault();
  event.stopImmediatePropagation();
  tell("status", {
    kind: "error",
    text: `${large.name} is larger than ${LARGEST / 1e6} MB; choose a smaller file. Nothing was sent.`,
  });
  return true;
}

/** Listen for files that are chosen or dropped anywhere on the page. */
export function takeUploads() {
  page.uploads ??= {
    click({ target }) {
      if (target.type !== "file") return;
      const id = target.closest("#drop") ? "drop" : target.nextElementSibling?.id;
      if (OFFERED[id]) target.accept = OFFERED[id].join();
    },
    change(event) {
      if (event.target.type === "file" && refused(event, event.target.files)) event.target.value = ""; // for another try
    },
    dropped(event) {
      // Gradio's field takes it for dragged over until it hears of the drop.
      if (refused(event, event.dataTransfer.files))
        event.target.dispatchEvent(new DragEvent("dragleave", { bubbles: true }));
    },
    dragover(event) {
      event.preventDefault();
    },
    // Beside the field for it, a file would take the place of the whole page.
    drop(event) {
      event.preventDefault();
      const { files } = event.dataTransfer;
      const mode = document.body.dataset.studio === "editing" ? document.body.dataset.mode : "";
      const video = mode === "motion" && files.length === 1 && isVideo(files[0]);
      if (files.length > 1 && mode !== "textures") {
        if (mode) handOver("batch-photos", files);
        else
          tell("status", {
            kind: "hint",
            text: "Open one photo and edit it; then drop the others, and they are edited like it.",
          });
        return;
      }
      handOver(video ? "motion-clip" : mode === "textures" ? "add-reference" : "open", files);
    },
  };
  document.addEventListener("click", page.uploads.click, true);
  document.addEventListener("change", page.uploads.change, true);
  document.addEventListener("drop", page.uploads.dropped, true);
  document.addEventListener("dragover", page.uploads.dragover);
  document.addEventListener("drop", page.uploads.drop);
}
