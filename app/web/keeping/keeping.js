// What the visitor is told and asked about the work kept in this browser, and about the server.
import { remember, remembered } from "../common/memory.js";
import { fetchText, openShadow } from "../common/shadow.js";
import { page, tell } from "../common/store.js";
import { root, watchServer } from "./connection.js";
import { kept } from "./store.js";

const html = await fetchText("keeping.html", import.meta.url);
const CONSENT = "pise-keep";
const TAB = "pise-work";

const wanted = () => remembered("localStorage", CONSENT) === "yes";
const clock = (time) => new Date(time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

/** Fill the part; `props` are what Python says, and `trigger` tells Python of an event. */
export function mount({ element, trigger, props, watch }) {
  const $ = openShadow(element, html);

  // One thing is said at a time.
  let chosen = {};
  function ask(text, yes, no, choose = {}) {
    chosen = choose;
    $("#text").textContent = text;
    for (const [id, label] of [
      ["yes", yes],
      ["no", no],
    ]) {
      $(`#${id}`).textContent = label ?? "";
      $(`#${id}`).hidden = !label;
    }
    $(".note").hidden = false;
  }
  function quiet() {
    $(".note").hidden = true;
  }
  element.shadowRoot.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    quiet();
    chosen[button.id]?.();
  });

  // ---- keeping

  let mine = remembered("sessionStorage", TAB); // the work of this tab
  let have = ""; // which document lies here
  let asked = ""; // of which edit
  let timer = 0;
  function keep() {
    if (!wanted() || !page.history?.save) return;
    const { document: number, edit } = page.history;
    if (`${number} ${edit}` === asked) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      asked = `${number} ${edit}`;
      props.value = { have };
      trigger("keep");
    }, 400);
  }
  async function take(news) {
    if (!news || !wanted()) return;
    if (news.error) return ask(`Your work is not kept in this browser: ${news.error}`);
    try {
      mine ??= `${Date.now()}-${Math.random().toString(36).slice(2)}`;
      const base = news.base ? await (await fetch(news.base)).blob() : (await kept.get(mine))?.base;
      if (!base) {
        have = "";
        return;
      }
      await kept.put({ id: mine, saved: Date.now(), name: news.name, base, edits: news.edits });
      remember("sessionStorage", TAB, mine);
      have = news.key;
      page.keptAt = Date.now();
      tell("saved");
      hold(mine);
    } catch {
      have = "";
      if (page.keepingFailed) return; // said once
      page.keepingFailed = true;
      ask("Your work is not kept in this browser: its storage is full, or closed to this page.", null, "All right");
    }
  }
  // A tab that is open holds its work: another one doesn't offer it.
  const held = new Set();
  function hold(id) {
    if (!held.has(id)) navigator.locks?.request(`pise-work-${id}`, () => new Promise(() => {}));
    held.add(id);
  }
  async function free(id) {
    if (!navigator.locks || held.has(id)) return true;
    return navigator.locks.request(`pise-work-${id}`, { ifAvailable: true }, (lock) => lock !== null);
  }
  async function forget() {
    clearTimeout(timer);
    have = "";
    asked = "";
    mine = null;
    remember("sessionStorage", TAB, null);
    remember("localStorage", CONSENT, null);
    remember("sessionStorage", CONSENT, "no");
    await kept.clear().catch(() => {});
  }
  function agree() {
    remember("localStorage", CONSENT, "yes");
    remember("sessionStorage", CONSENT, null);
    asked = "";
    keep();
  }
  page.addEventListener("history", ({ detail }) => {
    page.history = detail;
    if (!detail.save) return;
    if (wanted()) keep();
    else if (detail.undo && remembered("sessionStorage", CONSENT) !== "no" && !page.consentAsked) {
      page.consentAsked = true;
      ask(
        "Keep this photo and your edits in this browser for 24 hours, in case the connection or the server fails? Nobody else sees them.",
        "Keep",
        "No",
        {
          yes: agree,
          no: () => remember("sessionStorage", CONSENT, "no"),
        },
      );
    }
  });
  page.addEventListener("keeping", () => {
    if (!wanted()) return ask("Your work is not kept in this browser.", "Keep it for 24 hours", null, { yes: agree });
    const until = page.keptAt ? `, last at ${clock(page.keptAt)}` : "";
    ask(
      `Your photo and edits are kept in this browser for 24 hours${until}. Forget deletes them here.`,
      null,
      "Forget",
      { no: forget },
    );
  });
  watch("kept", () => take(props.kept));

  // ---- bringing back

  async function offer() {
    if (page.document || !$(".note").hidden) return;
    for (const work of await kept.all().catch(() => [])) {
      if (page.document || !(await free(work.id))) continue;
      ask(`Your work on “${work.name}” of ${clock(work.saved)} is kept in this browser.`, "Go on with it", "Forget", {
        yes: () => bringBack(work),
        no: forget,
      });
      return;
    }
  }
  async function bringBack(work) {
    tell("status", { kind: "busy", text: "Bringing your work back…" });
    try {
      const form = new FormData();
      form.append("files", new File([work.base], `${work.name}.pise`));
      const sent = await fetch(new URL("gradio_api/upload", root), { method: "POST", body: form });
      if (!sent.ok) throw new Error(sent.statusText);
      const [file] = await sent.json();
      mine = work.id;
      remember("sessionStorage", TAB, mine);
      hold(mine);
      props.value = { file, edits: work.edits };
      trigger("restore");
    } catch {
      tell("status", { kind: "error", text: "The server did not take it. Your work is still kept here; try again." });
      offer();
    }
  }
  if (!page.offering) {
    page.offering = true;
    setTimeout(offer, 1500); // a page that was reloaded has its document back by then
    setInterval(() => kept.all().catch(() => {}), 600000); // what is a day old goes, whether or not the page is reloaded
  }

  // ---- the server

  page.addEventListener("lost", () => {
    const safe = page.keptAt
      ? `Your work of ${clock(page.keptAt)} is kept in this browser.`
      : "What you see can still be saved with a right click.";
    tell("status", { kind: "error", text: `The server does not answer. ${safe} This page tries again until it does.` });
  });
  page.addEventListener("found", ({ detail }) => {
    if (!detail.other) return tell("status", { kind: "ok", text: "The server answers again. Go on." });
    if (!page.document || page.keptAt) return location.reload(); // the work is offered then
    tell("status", {
      kind: "error",
      text: "The server was restarted, and what was open there is gone. Open the photo again.",
    });
    ask("The server was restarted, and your work was not kept.", "Reload the page", null, {
      yes: () => location.reload(),
    });
  });
  take(props.kept);
  watchServer();
}
