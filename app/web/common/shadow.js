// The contents of a part live in a shadow root: neither the page's styles nor Gradio's re-rendering reach them.
import { icon } from "./icons.js";
import { speaks } from "./language.js";

/** The text of a file that lies beside a module. */
export async function fetchText(name, module) {
  const answer = await fetch(new URL(name, module));
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  return answer.text();
}

const css = await fetchText("canvas.css", import.meta.url);

/** Fill a part; what comes back finds an element in it by a selector. */
export function openShadow(element, html) {
  const root = element.shadowRoot ?? element.attachShadow({ mode: "open" });
  root.innerHTML = `<style>${css}</style>${html}`;
  if (!document.fullscreenEnabled) root.querySelector('[data-do="full"]')?.remove(); // phones, some embedded pages
  drawIcons(root);
  speaks(root);
  return (selector) => root.querySelector(selector);
}

/** A text that may stand in HTML, in a quoted attribute too. */
export function safe(text) {
  return String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** Put icons into the slots that ask for them. */
export function drawIcons(root) {
  for (const slot of root.querySelectorAll("[data-icon]"))
    slot.insertAdjacentHTML("afterbegin", icon(slot.dataset.icon));
}
