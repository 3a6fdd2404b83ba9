// Motion: key poses in a row, played with the carried parts; the pictures themselves are rendered when they are saved.

import { handOver, isVideo } from "../bar/uploads.js";
import { icon } from "../common/icons.js";
import { fetchText, openShadow } from "../common/shadow.js";
import { nextEdit, page, readText, tell } from "../common/store.js";
import { LIMBS, OFFERED } from "../common/tables.js";
import { showCarried } from "../preview/layers.js";
import { lengthOf, placeAt } from "./timing.js";

const html = await fetchText("panel.html", import.meta.url);
/** Milliseconds until an answer that did not come is asked for again. */
const PATIENCE = 3000;
/** How many times as long as the others the way to the next key may take. */
const TIMES = [0.25, 0.5, 1, 1.5, 2, 3, 4];

/** Fill the part; `props` are what Python says, and `trigger` tells Python of an event. */
export function mount({ element, trigger, props, watch }) {
  const $ = openShadow(element, html);
  const stage = $("#stage");
  let keys = []; // each 18 rows
  let times = []; // for each key how many times as long as usual the way to the next one takes
  let poses = []; // those between the keys, `steps` from each key to the next
  let steps = 12;
  let start = 0; // when playing began
  let playing = 0; // the animation frame asked for
  let newest = 0; // order number of the newest change
  let answered = 0; // of the newest one that was answered
  let sent = null; // what the newest one was
  let missing = 0; // the timer that asks again for its answer

  // ---- the stage

  let size = null;
  function layout() {
    if (!size || !stage.clientWidth) return;
    const scale = Math.min((stage.clientWidth - 24) / size[0], (stage.clientHeight - 24) / size[1]);
    const [x, y] = [(stage.clientWidth - size[0] * scale) / 2, (stage.clientHeight - size[1] * scale) / 2];
    Object.assign($("#world").style, {
      width: `${size[0] * scale}px`,
      height: `${size[1] * scale}px`,
      transform: `translate(${x}px, ${y}px)`,
    });
  }
  new ResizeObserver(layout).observe(stage);
  $("#backdrop").addEventListener("load", () => {
    size = [$("#backdrop").naturalWidth, $("#backdrop").naturalHeight];
    layout();
  });
  page.addEventListener("picture", ({ detail }) => ($("#backdrop").src = detail.url));
  showCarried($("#carry"), () => document.body.dataset.mode === "motion");

  const jointsOf = (rows) => rows.map((row) => (row ? { x: row[0], y: row[1], on: true } : { on: false }));
  // The pose at a place between two neighbours of the row.
  function between(a, b, share) {
    return a.map((row, j) =>
      row && b[j] ? [row[0] + share * (b[j][0] - row[0]), row[1] + share * (b[j][1] - row[1])] : null,
    );
  }
  function show(rows) {
    if (page.carrier?.pose(jointsOf(rows))) tell("carry", page.carrier);
  }

  // ---- playing

  function play() {
    if (!poses.length) return;
    start = performance.now();
    const seconds = Number($("#seconds").value);
    const ways = $("#loop").checked ? times : times.slice(0, -1);
    const whole = lengthOf(ways);
    const frame = (now) => {
      const time = (Math.max(0, now - start) / 1000 / seconds) % whole;
      const place = placeAt(time, ways, $("#easing").value) * steps;
      const index = Math.floor(place);
      show(between(poses[index], poses[(index + 1) % poses.length], place - index));
      mark(Math.floor(place / steps));
      playing = requestAnimationFrame(frame);
    };
    playing = requestAnimationFrame(frame);
    drawButtons();
  }
  function halt() {
    if (!playing) return;
    cancelAnimationFrame(playing);
    playing = 0;
    rest();
    drawButtons();
  }
  // The pictures under the carried parts come back.
  function rest() {
    mark(-1);
    tell("carried", null);
  }

  // ---- keys

  function figure(rows) {
    const joints = jointsOf(rows);
    const there = joints.filter((joint) => joint.on);
    const [xs, ys] = [there.map((joint) => joint.x), there.map((joint) => joint.y)];
    const [x, y, right, bottom] = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
    const pad = 0.14 * Math.max(bottom - y, right - x);
    const bones = LIMBS.slice(0, 13).filter(([a, b]) => joints[a].on && joints[b].on);
    const path = bones.map(([a, b]) => `M${joints[a].x} ${joints[a].y}L${joints[b].x} ${joints[b].y}`).join("");
    const head = joints[0].on ? `<circle cx="${joints[0].x}" cy="${joints[0].y}" r="${0.45 * pad}"/>` : "";
    return `<svg viewBox="${x - pad} ${y - pad} ${right - x + 2 * pad} ${bottom - y + 2 * pad}" aria-hidden="true"><path d="${path}" stroke-width="${0.3 * pad}"/>${head}</svg>`;
  }
  function draw() {
    $("#empty").hidden = keys.length > 1;
    $("#keys").innerHTML = keys
      .map(
        (rows, n) =>
          `<li><button class="key" data-key="${n}" title="Show key pose ${n + 1}" aria-label="Key pose ${n + 1}">${figure(rows)}</button>
          <span><button data-left="${n}" aria-label="Earlier" title="Earlier" ${n ? "" : "disabled"}>‹</button><button data-remove="${n}" aria-label="Remove key pose ${n + 1}" title="Remove">${icon("close")}</button><button data-right="${n}" aria-label="Later" title="Later" ${n + 1 < keys.length ? "" : "disabled"}>›</button></span>
          <select data-time="${n}" aria-label="Time from key pose ${n + 1} to the next" title="Time to the next key pose" ${n + 1 < keys.length || $("#loop").checked ? "" : "disabled"}>${TIMES.map((time) => `<option value="${time}"${time === times[n] ? " selected" : ""}>${time} ×</option>`).join("")}</select></li>`,
      )
      .join("");
    drawButtons();
  }
  function mark(number) {
    [...$("#keys").children].forEach((item, n) => item.classList.toggle("current", n === number));
  }
  function drawButtons() {
    const busy = Boolean(props.progress);
    const button = $('[data-do="play"]');
    button.disabled = !poses.length;
    button.querySelector("span").textContent = playing ? "Pause" : "Play";
    button.querySelector("svg").outerHTML = icon(playing ? "pause" : "play");
    for (const save of element.shadowRoot.querySelectorAll("[data-save]"))
      Object.assign(save, { disabled: !poses.length, hidden: busy });
    $('[data-do="stop"]').hidden = !busy;
    $("#progress").hidden = !busy;
    if (page.rendering !== busy) {
      page.rendering = busy;
      tell("rendering");
    }
    if (busy) $("#progress").value = props.progress.done / props.progress.of;
  }
  function send(change, step = true) {
    const order = nextEdit(step);
    newest = order.seq;
    sent = change;
    props.value = { ...order, ...change };
    trigger("commit");
  }
  function commit(next, nextTimes = times) {
    [keys, times] = [next, nextTimes]; // the next change may come before the server's answer
    draw();
    const [seconds, loop] = [Number($("#seconds").value), $("#loop").checked];
    send({ motion: { keys, seconds, loop, times, easing: $("#easing").value } });
  }
  function swap(a, b) {
    const [next, nextTimes] = [[...keys], [...times]];
    [next[a], next[b]] = [next[b], next[a]];
    [nextTimes[a], nextTimes[b]] = [nextTimes[b], nextTimes[a]];
    commit(next, nextTimes);
  }

  const actions = {
    add() {
      const rows = page.pose?.();
      if (rows) commit([...keys, rows], [...times, 1]);
    },
    play: () => (playing ? halt() : play()),
    load: () => $("#file").click(),
    stop: () => trigger("stop"),
  };
  element.shadowRoot.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const { key, left, right, remove, save } = button.dataset;
    if (button.dataset.do) actions[button.dataset.do]();
    else if (left) swap(Number(left), Number(left) - 1);
    else if (right) swap(Number(right), Number(right) + 1);
    else if (remove) {
      const [next, nextTimes] = [keys, times].map((list) => list.filter((_, n) => n !== Number(remove)));
      commit(next, nextTimes);
    } else if (key) {
      halt();
      show(keys[Number(key)]);
      mark(Number(key));
    } else if (save) {
      halt();
      tell("status", { kind: "busy", text: "Rendering the motion…" });
      props.value = { document: page.document, format: save, size: $("#size").value };
      trigger("save");
    }
  });
  stage.addEventListener("keydown", (event) => {
    const name = { " ": "play", k: "add" }[event.key.toLowerCase()];
    if (!name || event.ctrlKey || event.metaKey) return;
    actions[name]();
    event.preventDefault();
  });
  $("#seconds").addEventListener(
    "input",
    () => ($("#seconds-value").textContent = `${Number($("#seconds").value).toFixed(1)} s`),
  );
  $("#file").accept = [".json", ".jsonl", ".csv", ".txt", ...OFFERED["motion-clip"]].join();
  $("#file").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (!file || !page.pose?.()) return;
    halt();
    if (isVideo(file)) {
      const sent = new DataTransfer();
      sent.items.add(file);
      tell("status", { kind: "busy", text: "Sending the video…" });
      handOver("motion-clip", sent.files);
      return;
    }
    tell("status", { kind: "busy", text: "Fitting the poses…" });
    const text = await readText(file);
    send({ text });
  });
  $("#keys").addEventListener("change", (event) => {
    const n = Number(event.target.dataset.time);
    commit(
      keys,
      times.map((time, k) => (k === n ? Number(event.target.value) : time)),
    );
  });
  for (const control of ["#seconds", "#loop", "#easing"]) $(control).addEventListener("change", () => commit(keys));
  page.addEventListener("opened", () => {
    halt();
    rest();
  });

  // ---- from the server

  function takeMotion() {
    const seq = props.motion?.seq ?? newest;
    if (!props.motion) return;
    clearTimeout(missing);
    if (seq < newest) {
      // A newer answer follows. If it came at the same moment, this one has taken its place: then it is asked for again.
      if (answered < newest) missing = setTimeout(() => send(sent, false), PATIENCE);
      return;
    }
    newest = answered = seq;
    const on = playing;
    halt();
    rest();
    ({ keys, poses, steps } = props.motion);
    times = props.motion.times?.length ? [...props.motion.times] : keys.map(() => 1);
    $("#easing").value = props.motion.easing ?? "even";
    $("#seconds").value = props.motion.seconds;
    $("#seconds-value").textContent = `${props.motion.seconds.toFixed(1)} s`;
    $("#loop").checked = props.motion.loop;
    draw();
    if (on) play(); // another pace or another key while it plays
  }
  watch("motion", takeMotion);
  watch("progress", drawButtons);
  takeMotion();
}
