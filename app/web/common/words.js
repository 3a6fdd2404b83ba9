// Lines of text in another language, by a table of the English ones, in which {names} stand for what changes. {n} is a
// number: it takes no space, and so no sentence before it.

/** @typedef {{ exact: Map<string, string>, patterns: { match: RegExp, names: string[], text: string }[], comma: string }} Table */

const lower = (text) => text.charAt(0).toLowerCase() + text.slice(1);
const upper = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");

/** @param {Record<string, string>} words @param {string} comma what parts whole and decimal digits @returns {Table} */
export function tableOf(words, comma = ".") {
  const exact = new Map();
  const patterns = [];
  for (const [english, text] of Object.entries(words)) {
    const parts = english.split(/\{(\w+)\}/);
    if (parts.length === 1) exact.set(english, text);
    else {
      const names = parts.filter((_, n) => n % 2);
      const gap = (/** @type {string} */ name) => (name === "n" ? "(\\S+?)" : "(.+?)");
      const match = parts.map((part, n) => (n % 2 ? gap(part) : escaped(part))).join("");
      patterns.push({ match: new RegExp(`^${match}$`, "su"), names, text, length: english.length });
    }
  }
  patterns.sort((a, b) => b.length - a.length); // what says most fits best
  return { exact, patterns, comma };
}

/** A line in the language of a table; null if that doesn't know it. @param {string} line @param {Table} words */
export function translated(line, words) {
  /** @type {(text: string) => string | null} */
  const whole = (text) => {
    const exact = words.exact.get(text);
    if (exact !== undefined) return exact;
    for (const { match, names, text: into } of words.patterns) {
      const found = match.exec(text);
      if (!found) continue;
      const value = (/** @type {string} */ name) => found[names.indexOf(name) + 1] ?? "";
      return into.replace(/\{(\w+)\}/g, (_, name) => look(value(name)) ?? local(value(name)));
    }
    return null;
  };
  const local = (/** @type {string} */ text) => text.replace(/^(-?\d+)\.(\d+)$/, `$1${words.comma}$2`);
  // Messages begin with a small letter in the code, and with a capital on the page.
  /** @type {(text: string) => string | null} */
  const look = (text) => {
    const found = whole(text);
    if (found !== null || !/^\p{Lu}/u.test(text)) return found;
    const small = whole(lower(text));
    return small === null ? null : upper(small);
  };
  const found = look(line) ?? (line.endsWith(".") ? look(line.slice(0, -1)) : null);
  if (found !== null) return line.endsWith(".") && !/[.!?…]$/.test(found) ? `${found}.` : found;
  const sentences = line.split(/(?<=[.!?…])\s+(?=[\p{Lu}\d“"])/u);
  for (let count = sentences.length - 1; count > 0; count--) {
    // As many of them together as are known as one.
    const head = look(sentences.slice(0, count).join(" "));
    if (head === null) continue;
    const rest = translated(sentences.slice(count).join(" "), words);
    return rest === null ? null : `${head} ${rest}`;
  }
  return null;
}
