// Three steps for who is here for the first time. Each is ticked off when it is done, wherever that happens; after the
// last one, or when they are closed, they don't come back in this browser.
import { drawIcons, fetchText } from "../common/shadow.js";
import { page } from "../common/store.js";

const html = await fetchText("first_steps.html", import.meta.url);

/** Fill the part; `props` are what Python says, and `trigger` tells Python of an event. */
export function mount({ element }) {
  const KEY = "pise-first-steps";
  const ORDER = ["pose", "change", "take"];
  const done = new Set(remembered());

  function remembered() {
    try {
      return (localStorage.getItem(KEY) ?? "").split(" ").filter((step) => ORDER.includes(step));
    } catch {
      return []; // a browser that stores nothing shows them each time
    }
  }
  function close() {
    element.replaceChildren();
    delete document.body.dataset.steps;
  }
  function remember(steps) {
    try {
      localStorage.setItem(KEY, [...steps].join(" "));
    } catch {
      // As above.
    }
  }
  function draw() {
    const next = ORDER.find((step) => !done.has(step));
    for (const item of element.querySelectorAll("li")) {
      const { step } = item.dataset;
      item.dataset.done = String(done.has(step));
      const button = item.querySelector("button");
      if (step === next) button.setAttribute("aria-current", "step");
      else button.removeAttribute("aria-current");
      button.querySelector("i").textContent = done.has(step) ? "✓" : String(ORDER.indexOf(step) + 1);
      button.querySelector("i").setAttribute("aria-label", done.has(step) ? "done" : `step ${ORDER.indexOf(step) + 1}`);
    }
  }
  function tick(step) {
    if (!document.body.dataset.steps || done.has(step)) return;
    done.add(step);
    remember(done);
    draw();
    if (done.size < ORDER.length) return;
    page.addEventListener("opened", close, { once: true }); // with the next mode: the canvas must not jump under the hand
  }

  // A step leads to where it is done.
  const places = {
    pose: () => document.getElementById("tab-pose").click(),
    change: () =>
      document.getElementById(document.body.dataset.mode === "regions" ? "tab-textures" : "tab-regions").click(),
    take: () => document.getElementById("outcome").scrollIntoView({ behavior: "smooth", block: "nearest" }),
  };

  if (done.size < ORDER.length) {
    element.innerHTML = html;
    drawIcons(element);
    document.body.dataset.steps = "open";
    element.addEventListener("click", (event) => {
      const item = event.target.closest("li");
      if (event.target.closest(".close")) {
        remember(ORDER);
        close();
      }
      if (item) places[item.dataset.step]();
    });
    page.addEventListener("edited", ({ detail }) => tick(detail === "pose" ? "pose" : "change"));
    document.addEventListener(
      "click",
      ({ target }) => target instanceof Element && target.closest("#download") && tick("take"),
    );
    draw();
  }
}
