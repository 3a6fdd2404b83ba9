// What "?" shows: the keys of every part, and how the page looks.
import { chooseLanguage, chosenLanguage } from "../common/language.js";
import { fetchText, openShadow } from "../common/shadow.js";
import { page } from "../common/store.js";

const html = await fetchText("sheet.html", import.meta.url);
const SHORTCUTS = {
  Everywhere: [
    ["Ctrl Z", "Undo"],
    ["Ctrl Shift Z", "Redo"],
    ["Ctrl S", "Save the document"],
    ["?", "This sheet"],
  ],
  "On every canvas": [
    ["+ −", "Zoom in and out"],
    ["F", "Fit the photo"],
    ["Space", "Hold to move the view"],
  ],
  Pose: [
    ["Arrows", "Nudge the chosen joints; with Shift farther"],
    ["N P", "Next and previous joint"],
    ["A", "Choose all joints"],
    ["R", "Draw a box around joints; or hold Shift"],
    ["H", "Hide or show the joints"],
    ["B", "Keep bone lengths; Alt for a moment"],
    ["M", "Mirror"],
    ["X", "Swap left and right"],
    [", .", "Turn the chosen joints"],
    ["< >", "Scale the chosen joints"],
  ],
  Regions: [
    ["0 to 7", "Choose a region"],
    ["B", "Brush"],
    ["L", "Lasso; Enter closes it, Esc drops it"],
    ["G", "Fill"],
    ["R", "Replace"],
    ["E", "Restore"],
    ["W", "Wand; drag away from the click for more"],
    ["S", "Brush stops at edges"],
    ["H", "Heal"],
    ["X", "Remove"],
    ["[ ]", "Smaller and larger brush"],
    ["Alt", "Click to take the region there"],
  ],
  Textures: [["Shift", "Click to mix a lender with others"]],
  Motion: [
    ["Space", "Play and stop"],
    ["K", "Take the pose as a key"],
  ],
};

/** Fill the part. */
export function mount({ element }) {
  const $ = openShadow(element, html);
  const sheet = /** @type {HTMLDialogElement} */ ($("#sheet"));
  const themes = [...sheet.querySelectorAll("[data-theme]")].map((button) => /** @type {HTMLElement} */ (button));

  $("#shortcuts").innerHTML = Object.entries(SHORTCUTS)
    .map(([name, rows]) => {
      const keys = (text) => text.replace(/\S+/g, (key) => `<kbd>${key.replace("<", "&lt;")}</kbd>`);
      const lines = rows.map(([key, what]) => `<dt>${keys(key)}</dt><dd>${what}</dd>`).join("");
      return `<section><h3>${name}</h3><dl>${lines}</dl></section>`;
    })
    .join("");

  function drawTheme() {
    const chosen = globalThis.piseTheme?.get() ?? "auto";
    for (const button of themes) button.setAttribute("aria-pressed", String(button.dataset.theme === chosen));
  }
  for (const button of themes)
    button.addEventListener("click", () => {
      globalThis.piseTheme?.set(button.dataset.theme);
      drawTheme();
    });
  const languages = [...sheet.querySelectorAll("[data-language]")].map((button) => /** @type {HTMLElement} */ (button));
  function drawLanguage() {
    const chosen = chosenLanguage();
    for (const button of languages) button.setAttribute("aria-pressed", String(button.dataset.language === chosen));
  }
  for (const button of languages)
    button.addEventListener("click", async () => {
      await chooseLanguage(button.dataset.language ?? "auto");
      drawLanguage();
    });
  $("#close").addEventListener("click", () => sheet.close());
  sheet.addEventListener("click", (event) => event.target === sheet && sheet.close()); // beside it
  page.addEventListener("help", () => (sheet.open ? sheet.close() : sheet.showModal()));
  drawTheme();
  drawLanguage();
}
