// The modes as tabs. All canvases stay mounted: Gradio's own tabs drop what an unopened one is told.

import { remember, remembered } from "../common/memory.js";
import { tell } from "../common/store.js";

const KEY = "pise-mode";

/** Fill the part; `props` are what Python says, and `trigger` tells Python of an event. */
export function mount({ element, props }) {
  const buttons = props.tabs.map(
    ([name, title]) =>
      `<button role="tab" id="tab-${name}" data-mode="${name}" aria-controls="panel-${name}">${title}</button>`,
  );
  element.innerHTML = `<div role="tablist" aria-label="Mode">${buttons.join("")}</div>`;
  const tabs = [...element.querySelectorAll("[role=tab]")];

  function open(mode) {
    document.body.dataset.mode = mode;
    for (const tab of tabs) {
      const chosen = tab.dataset.mode === mode;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      const panel = document.getElementById(tab.getAttribute("aria-controls"));
      panel?.setAttribute("role", "tabpanel");
      panel?.setAttribute("aria-labelledby", tab.id);
    }
    remember("sessionStorage", KEY, mode);
    tell("opened", mode);
  }
  element.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (!tab) return;
    open(tab.dataset.mode);
    if (event.detail) tell("mode", tab.dataset.mode); // by mouse or finger: the canvas's keys work at once
  });
  element.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
    open(next.dataset.mode);
    next.focus();
    event.preventDefault();
  });
  // A page that is reloaded goes on where it was.
  const before = remembered("sessionStorage", KEY);
  open(tabs.some((tab) => tab.dataset.mode === before) ? before : props.tabs[0][0]);
}
