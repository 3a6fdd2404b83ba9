// What all parts of the page share: the order of requests, the picture shown last, and small helpers.
export const page = (globalThis.piseStudio ??= Object.assign(new EventTarget(), {
  seq: 0, // order number of the newest request
  edit: 0, // and of the newest edit
  document: 0, // which opened photo
  shown: 0, // order number of the newest picture shown
  picture: null, // its address
  exact: null, // the newest exact picture, whether or not a newer live one is on show
  givenUp: 0, // previews that were asked for up to this number are not wanted any more
}));

export function tell(type, detail) {
  page.dispatchEvent(new CustomEvent(type, { detail }));
}

// Requests may overtake each other on their way: each edit names the one before it, for which the server waits. Most are a
// step of the history.
export function nextEdit(step = true) {
  const after = page.edit;
  page.edit = ++page.seq;
  if (step) tell("step");
  return { seq: page.edit, after, document: page.document };
}

export function download(url, name) {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
}

export function showPicture(picture) {
  // A picture that was asked for before the one on show, or for another photo, comes too late.
  if (picture.document < page.document) return;
  if (!picture.live) page.exact = { document: picture.document, seq: picture.seq, url: picture.url };
  if (picture.document === page.document && picture.seq < page.shown) return;
  page.document = picture.document;
  page.shown = picture.seq;
  page.seq = Math.max(page.seq, picture.seq);
  page.picture = picture.url;
  if (picture.before) document.body.dataset.studio = "editing"; // the style sheet shows the canvases
  tell("picture", picture);
}

// A gesture was given up: what was shown of it goes back to the newest exact picture.
export function showExact() {
  page.givenUp = page.seq;
  if (page.exact?.document !== page.document) return;
  page.shown = page.exact.seq;
  page.picture = page.exact.url;
  tell("picture", page.exact);
  tell("carried");
}

// Answers that take longer than this, in milliseconds, wait for others: asked for sooner they would only be older.
const OVERLAP = 400;

// Always the newest state next, and no backlog can build: one request is under way, and the next one goes out when the
// answer has come, or when half of the time has passed that the last one took. While an answer is on its way back, and
// is drawn, the server computes already.
/**
 * @param {(request: any) => Promise<any>} ask
 * @param {(picture: any, request?: any) => any} show
 */
export function createPump(ask, show = showPicture) {
  let waiting = null;
  let underWay = 0;
  let sent = 0; // when the last one went out
  let usual = Number.POSITIVE_INFINITY; // how long the last answer took
  let taken = 0; // order number of the newest answer
  let timer;
  async function run() {
    const request = waiting;
    waiting = null;
    const start = performance.now();
    sent = start;
    underWay += 1;
    try {
      const reply = await ask(request);
      tell("answer", request);
      usual = performance.now() - start;
      if (request.seq <= page.givenUp || request.seq < taken) return;
      taken = request.seq;
      if (reply?.ok) show({ document: reply.document, seq: reply.seq, url: reply.image, live: true }, request);
      else if (reply?.error) tell("status", { kind: "error", text: reply.error });
    } catch {
      usual = Number.POSITIVE_INFINITY;
      tell("status", { kind: "error", text: "The preview did not come. Your work is kept; go on." });
    } finally {
      underWay -= 1;
      next();
    }
  }
  function next() {
    clearTimeout(timer);
    if (!waiting || underWay > 1) return;
    const early = sent + usual / 2 - performance.now();
    if (!underWay || (usual < OVERLAP && early <= 0)) run();
    else if (usual < OVERLAP) timer = setTimeout(next, early);
  }
  return {
    push(request) {
      waiting = { ...request, seq: ++page.seq, document: page.document };
      next();
    },
    drop() {
      waiting = null;
    },
  };
}

export function fullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen();
}

export function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}

// The text of a file that Windows' programs may have written, too; a mark of the encoding at the beginning counts.
export async function readText(file) {
  const bytes = new Uint8Array(await file.slice(0, 10000001).arrayBuffer());
  const marks = { "255,254": "utf-16le", "254,255": "utf-16be" };
  return new TextDecoder(marks[String(bytes.slice(0, 2))] ?? "utf-8").decode(bytes);
}
