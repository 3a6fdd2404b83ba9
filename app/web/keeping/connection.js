// Whether the server answers: asked every few seconds, and told to the visitor within ten.
import { page, tell } from "../common/store.js";

const PAUSE = 2500;
const LIMIT = 3000;
/** The address of the page, with a slash at its end. */
export const root = new URL(
  `${(globalThis.gradio_config?.root ?? location.href).replace(/[?#].*$/, "").replace(/\/$/, "")}/`,
);

async function server() {
  try {
    const answer = await fetch(new URL("healthz", root), { cache: "no-store", signal: AbortSignal.timeout(LIMIT) });
    return answer.ok ? (await answer.json()).server : null;
  } catch {
    return null;
  }
}
/** What is known of the server. */
page.connection ??= { server: null, lost: false, misses: 0 };

async function look() {
  const known = page.connection;
  const name = await server();
  if (name === null) {
    known.misses += 1;
    // Once may be an accident. A computer that was asleep has its network back a moment later.
    if (known.misses > 1 && !known.lost) {
      known.lost = true;
      tell("lost");
    }
    return known.lost ? PAUSE : 300;
  }
  known.misses = 0;
  const other = known.server !== null && known.server !== name;
  if (known.lost || other) tell("found", { other });
  known.lost = false;
  known.server = name;
  return PAUSE;
}
/** Tell, as `lost` and `found`, when the server goes and comes back. */
export function watchServer() {
  if (!page.looking) {
    page.looking = true;
    const again = async () => setTimeout(again, await look());
    again();
    // Timers of a page in the background rest.
    document.addEventListener("visibilitychange", () => document.hidden || look());
  }
}
