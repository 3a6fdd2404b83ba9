// Whoever closes the page with work that lies nowhere else is asked first.
import { page } from "../common/store.js";

/** Milliseconds after a key for it within which the page that goes is one that is reloaded. */
const RELOADING = 2000;

/** Ask before the page is closed, from now on. */
export function watchUnsaved() {
  page.unsaved ??= {
    steps: 0, // of the history that this page has asked for
    now: "", // which state of the work it is; empty if there is nothing to lose
    safe: "", // the one of which there is a file, or that the browser keeps
    reloading: Number.NEGATIVE_INFINITY,
    history({ detail }) {
      const { document, position, steps = [] } = detail;
      this.now = detail.undo ? [document, position, steps.length, this.steps].join() : "";
    },
    saved() {
      this.safe = this.now;
    },
    /** @param {KeyboardEvent} event */
    key(event) {
      const again = event.key === "F5" || ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "r");
      if (again) this.reloading = performance.now();
    },
    /** @param {BeforeUnloadEvent} event */
    leave(event) {
      const { now, safe, reloading } = page.unsaved;
      // The work of a page that is reloaded comes back.
      if (!now || now === safe || performance.now() - reloading < RELOADING) return;
      event.preventDefault();
      event.returnValue = true; // as older browsers want it
    },
  };
  page.addEventListener("history", (event) => page.unsaved.history(event));
  page.addEventListener("step", () => page.unsaved.steps++);
  page.addEventListener("saved", () => page.unsaved.saved());
  document.addEventListener("keydown", (event) => page.unsaved.key(event), true);
  window.addEventListener("beforeunload", page.unsaved.leave);
}
