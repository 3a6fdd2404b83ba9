// A page that is reloaded over work: web/early.js keeps the start page away until the work is back, or known to be gone.
import { remember } from "../common/memory.js";
import { page, tell } from "../common/store.js";

/** Milliseconds after which the start page is shown in any case. */
const PATIENCE = 60000;

/** Say that work is coming back, and show the start page if it does not. */
export function watchReturning() {
  const state = document.body.dataset;
  const giveUp = () => {
    if (state.studio !== "returning") return;
    state.studio = "";
    remember("sessionStorage", "pise-open", null);
  };
  page.addEventListener("picture", ({ detail }) => detail.before && remember("sessionStorage", "pise-open", "yes"));
  page.addEventListener("status", ({ detail }) => detail.kind === "error" && giveUp());
  if (state.studio !== "returning") return;
  tell("status", { kind: "busy", text: "Bringing your work back…" });
  setTimeout(giveUp, PATIENCE);
}
