// The page in another language. Code and Python say everything in English; here, where it reaches the screen, words are
// looked up in one table: `strings/de.json`, by the English text, in which {names} stand for what changes.
import { tableOf, translated } from "./words.js";

const KEY = "pise-language";
const LANGUAGES = ["en", "de"];
const ATTRIBUTES = ["title", "aria-label", "alt", "placeholder"];
// What the style sheet says.
const STYLED = {
  "--said-drop": "Drop a photo or a .pise document here, or click to choose one",
  "--said-tap": "Tap to choose a photo or a .pise document",
  "--said-download": "Download",
};

// Gradio has a few words of its own, which it says in the browser's language.
const OF_GRADIO = new Map([
  ["Über API verwenden", "Use via API"],
  ["Datei hier ablegen", "Drop File Here"],
  ["- oder -", "- or -"],
  ["Hochladen", "Click to Upload"],
]);
const inGerman = navigator.language.startsWith("de");

/** Texts that were to be translated and are not in the table, for the tests. @type {Set<string>} */
export const missing = new Set();

/** @type {import("./words.js").Table | null} */
let table = null; // null: English
/** @type {Map<string, string | null>} */
let known = new Map();
/** @type {Set<Node>} */
const roots = new Set();
/** What a node said in English, and what it was made to say. @type {WeakMap<Node, Record<string, [string, string]>>} */
const originals = new WeakMap();

/** @param {string} text */
function say(text) {
  const [, before, core, after] = /** @type {string[]} */ (/^(\s*)(.*?)(\s*)$/s.exec(text));
  if (!/\p{L}{2}/u.test(core)) return text;
  const line = OF_GRADIO.get(core) ?? core.replace(/\s+/g, " ");
  if (!table) return OF_GRADIO.has(core) ? `${before}${line}${after}` : text;
  if (!known.has(line)) {
    if (known.size > 3000) known = new Map();
    known.set(line, translated(line, table));
  }
  const found = known.get(line);
  if (found === null || found === undefined) missing.add(line);
  return `${before}${found ?? core}${after}`;
}

/** @param {Node} node @param {string} part @param {string} now @param {(text: string) => void} put */
function speak(node, part, now, put) {
  const entry = originals.get(node) ?? {};
  const [english, made] = entry[part] ?? [now, now];
  const source = now === made ? english : now;
  const text = say(source);
  if (text !== source || entry[part]) originals.set(node, Object.assign(entry, { [part]: [source, text] }));
  if (text !== now) put(text);
}

/** @param {Node} node */
function visit(node) {
  const element = node instanceof Element ? node : node.parentElement;
  if (element?.closest("[translate=no], script, style, textarea, svg")) return;
  if (node instanceof Text) speak(node, "text", node.data, (text) => (node.data = text));
  if (!(node instanceof Element)) return;
  for (const name of ATTRIBUTES) {
    const now = node.getAttribute(name);
    if (now) speak(node, name, now, (text) => node.setAttribute(name, text));
  }
}

/** @param {Node} root */
function visitAll(root) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let node = /** @type {Node | null} */ (root); node; node = walker.nextNode()) visit(node);
}

const watcher = new MutationObserver((records) => {
  if (!table && !inGerman) return;
  for (const { type, target, addedNodes } of records) {
    if (type !== "childList") visit(target);
    else for (const node of addedNodes) if (node.isConnected) visitAll(node);
  }
});

/** Everything below a root, now and later, is said in the language of the page. @param {Node} root */
export function speaks(root) {
  if (roots.has(root)) return;
  roots.add(root);
  if (table || inGerman) visitAll(root);
  const what = { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ATTRIBUTES };
  watcher.observe(root, what);
}

let chosen = "auto"; // or a language
try {
  chosen = localStorage.getItem(KEY) ?? chosen;
} catch {
  // A browser that stores nothing forgets it when the page closes.
}

/** What was chosen: a language, or "auto" for the browser's. */
export function chosenLanguage() {
  return chosen;
}

/** The language of the page, one of LANGUAGES. */
function wanted() {
  const asked = navigator.languages.map((one) => one.slice(0, 2).toLowerCase());
  return LANGUAGES.find((one) => one === chosen) ?? asked.find((one) => LANGUAGES.includes(one)) ?? "en";
}

/** Choose "auto" or a language; the page speaks it at once. @param {string} language */
export async function chooseLanguage(language) {
  chosen = language;
  try {
    localStorage.setItem(KEY, chosen);
  } catch {
    // As above: it is chosen until the page closes.
  }
  await apply();
}

async function apply() {
  const language = wanted();
  try {
    const address = new URL(`../strings/${language}.json`, import.meta.url);
    const comma = new Intl.NumberFormat(language).format(0.5).charAt(1);
    table = language === "en" ? null : tableOf(await (await fetch(address)).json(), comma);
  } catch {
    table = null; // the page goes on in English
  }
  known = new Map();
  document.documentElement.lang = table ? language : "en";
  for (const [name, text] of Object.entries(STYLED))
    document.documentElement.style.setProperty(name, JSON.stringify(say(text)));
  for (const root of roots) visitAll(root);
}

await apply();
speaks(document.body);
