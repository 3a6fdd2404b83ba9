// The region canvas: paints labels 0 to 7 over the photo. What is sent is the painted layer alone, exactly.
import { icon } from "../common/icons.js";
import { fetchText, openShadow } from "../common/shadow.js";
import { clamp, createPump, fullScreen, nextEdit, page, showExact, tell } from "../common/store.js";
import { LABELS, PALETTE } from "../common/tables.js";
import { createGestures, createViewport } from "../common/viewport.js";
import { coloursOf } from "./colours.js";
import { createLabelMap, pack, unpack } from "./label_map.js";
import { listenToMapFile } from "./map_file.js";
import { createMarks } from "./marks.js";
import { createThings } from "./things.js";

const html = await fetchText("painter.html", import.meta.url);
/** How far apart colours may be for the brush that stops at edges, and for the wand: at a click, and for each pixel of
 * the screen that it is dragged. */
const EDGE = 30;
const WAND = 22;
const WAND_STEP = 0.4;
/** The colour of held things on the page, and the tools that these are painted with. */
const HELD = "rgb(0 175 215)";
const HOLDING = ["brush", "lasso", "restore", "hand"];

/** Fill the part; `props` are what Python says, and `trigger` tells Python of an event. */
export function mount({ element, trigger, props, server, watch }) {
  const $ = openShadow(element, html);
  const stage = $("#stage");
  const canvas = $("#map");
  const context = canvas.getContext("2d");
  const ring = $("#ring");
  const photo = { url: "", width: 0, height: 0 };
  let map = null;
  let region = 3;
  let holding = false; // what is held is painted, over the photo
  let tool = "brush";
  let size = 24; // diameter in pixels of the screen
  let under = "picture";
  let stroke = null; // {last: [x, y], before}
  let strokeSeq = 0; // order number of the newest stroke
  let known = null; // the painted layer that the server and this page both know, packed; null if nothing is painted
  let pointer = null;
  let corners = []; // of the lasso, in pixels of the map
  let snapping = false; // the brush stops at edges
  let colours = null; // {url, of}: those of the picture, for wand and edges
  const hidden = new Set(); // regions whose colour is not shown

  const view = createViewport(stage, $("#world"), () => {
    drawRing();
    drawLasso();
  });

  function drawRing() {
    const painting = pointer && map && ["brush", "restore", "heal", "remove"].includes(tool);
    ring.hidden = !painting;
    if (!painting) return;
    ring.style.width = ring.style.height = `${size}px`;
    ring.style.transform = `translate(${pointer[0] - size / 2}px, ${pointer[1] - size / 2}px)`;
    ring.style.setProperty("--colour", tool === "brush" ? (holding ? HELD : `rgb(${PALETTE[region]})`) : "#fff");
  }

  function drawLasso() {
    const points = corners.map(fromMap);
    const text = points.map((p) => p.join()).join(" ");
    for (const line of [$("#lasso-halo"), $("#lasso")]) line.setAttribute("points", text);
    $("#lasso-start").style.display = points.length ? "" : "none";
    if (points.length) [$("#lasso-start").cx.baseVal.value, $("#lasso-start").cy.baseVal.value] = points[0];
  }

  function showUnder() {
    $("#backdrop").src = (under === "picture" && !holding && page.picture) || photo.url || "";
    for (const button of element.shadowRoot.querySelectorAll("[data-under]")) {
      button.setAttribute("aria-pressed", button.dataset.under === (holding ? "photo" : under));
      button.disabled = holding;
    }
  }

  // ---- talking to the server

  const pump = createPump(async ({ seq }) => {
    if (!map) return null;
    const { document } = map; // the page may be a photo ahead of it
    const [labels, before] = await Promise.all([pack(map.paint), known]);
    return server.render_live({ labels, before, seq, document, session: props.session });
  });

  async function commit() {
    pump.drop();
    tell("status", { kind: "busy", text: "Rendering at full size…" });
    const order = { ...nextEdit(), document: map.document };
    strokeSeq = order.seq;
    // The layer without the stroke goes along: the server's may have moved with the body meanwhile.
    const packed = [pack(map.paint), known];
    known = packed[0];
    const [labels, before] = await Promise.all(packed);
    props.value = { ...order, labels, before };
    tell("edited", "regions");
    trigger("commit");
  }

  const marks = createMarks($("#marks"), async (labels, remove) => {
    pump.drop();
    tell("settle");
    tell("status", { kind: "busy", text: remove ? "Removing…" : "Healing…" });
    const order = { ...nextEdit(), document: map.document };
    props.value = { ...order, labels: await labels, remove };
    tell("edited", "regions");
    trigger("retouch");
  });

  const things = createThings($("#things"), async (labels, erase) => {
    pump.drop();
    tell("settle");
    tell("status", { kind: "busy", text: "Rendering at full size…" });
    const order = { ...nextEdit(), document: map.document };
    props.value = { ...order, labels: await labels, erase };
    tell("edited", "regions");
    trigger("paint_held");
  });

  // The colours of the picture that the map belongs to; null until they are there.
  const picture = () => page.exact?.url ?? photo.url;
  function look() {
    const url = picture();
    if (!map || !url || colours?.url === url) return colours?.of;
    const asked = { url, of: null };
    colours = asked;
    coloursOf(url, map.width, map.height).then(
      (of) => (asked.of = of),
      () => colours === asked && (colours = null),
    );
    return null;
  }

  // ---- gestures

  const toMap = (point) => {
    const [x, y] = view.toWorld(...point);
    return [(x * map.width) / photo.width, (y * map.height) / photo.height];
  };

  const fromMap = ([x, y]) => view.toScreen((x * photo.width) / map.width, (y * photo.height) / map.height);
  const show = (changed) => map.draw(context, changed, hidden);

  function dropLasso() {
    corners = [];
    drawLasso();
  }

  // The lasso is closed by letting go after drawing, or by a click on its first corner.
  function closeLasso() {
    if (holding) {
      if (corners.length > 2) {
        things.begin(false);
        things.polygon(corners);
        things.send();
      }
      dropLasso();
      return;
    }
    const changed = corners.length > 2 && map.polygon(corners, region);
    dropLasso();
    if (!changed) return;
    show(changed);
    commit();
  }

  /** @param {number[]} place */
  function paintTo([x, y]) {
    const radius = Math.max(0.5, ((size / 2 / view.scale) * map.width) / photo.width);
    const from = stroke.last;
    stroke.last = [x, y];
    if (stroke.marks) {
      stroke.marks.stroke(...from, x, y, radius);
      return;
    }
    if (snapping && tool === "brush" && look()) {
      const steps = Math.max(1, Math.ceil(Math.hypot(x - from[0], y - from[1]) / Math.max(1, radius / 3)));
      for (let n = 1; n <= steps; n++) {
        const at = [0, 1].map((k) => from[k] + (n / steps) * ([x, y][k] - from[k]));
        map.set(look().disc(at[0], at[1], radius, EDGE), region);
      }
      drawAll();
      return;
    }
    const changed = map.stroke(...from, x, y, radius, tool === "restore" ? null : region);
    if (changed) show(changed);
  }

  // The piece of one colour about the place where the wand was set down, as far as the map has one region there.
  function wave(distance) {
    const { wand, before } = stroke;
    map.paint = before.slice();
    const from = map.at(wand[1] * map.width + wand[0]);
    const found = look()?.piece(...wand, WAND + WAND_STEP * distance, (i) => map.at(i) === from) ?? [];
    map.set(found, region);
    drawAll();
  }

  createGestures(stage, view, {
    down(point, event) {
      if (!map && photo.url && tool !== "hand")
        tell("status", {
          kind: "error",
          text: "Nobody to paint on yet: place the skeleton under Pose first, then press Use this pose.",
        });
      if (!map || tool === "hand") return false;
      const [x, y] = toMap(point);
      const inside = x >= 0 && y >= 0 && x < map.width && y < map.height;
      if (event.altKey) {
        if (inside && !holding) choose(map.at(Math.floor(y) * map.width + Math.floor(x)));
        return true;
      }
      if (tool === "fill" || tool === "replace") {
        // A second finger may still turn this into a pinch: fill on release.
        stroke = inside ? { fill: [Math.floor(x), Math.floor(y)] } : null;
        return true;
      }
      if (tool === "lasso") {
        const reach = event.pointerType === "touch" ? 24 : 10;
        const [sx, sy] = corners.length ? fromMap(corners[0]) : [0, 0];
        const closing = corners.length > 2 && Math.hypot(sx - point[0], sy - point[1]) <= reach;
        stroke = { lasso: corners.length, closing, at: point };
        if (!closing) corners.push([x, y]);
        drawLasso();
        return true;
      }
      if (tool === "wand") {
        if (!look()) tell("status", { kind: "hint", text: "Just a moment: the picture is being looked at." });
        stroke =
          inside && look() ? { wand: [Math.floor(x), Math.floor(y)], from: point, before: map.paint.slice() } : null;
        if (stroke) wave(0);
        return true;
      }
      if (tool === "heal" || tool === "remove") {
        marks.begin(map.width, map.height);
        stroke = { last: [x, y], marks };
        paintTo([x, y]);
        return true;
      }
      if (holding) {
        things.begin(tool === "restore");
        stroke = { last: [x, y], marks: things };
        paintTo([x, y]);
        return true;
      }
      stroke = { last: [x, y], before: map.paint.slice() };
      paintTo([x, y]);
      pump.push({});
      return true;
    },
    move(point) {
      if (!stroke || stroke.fill) return;
      if (stroke.wand) {
        wave(Math.hypot(point[0] - stroke.from[0], point[1] - stroke.from[1]));
        return;
      }
      if (stroke.at) {
        const [lx, ly] = stroke.at;
        if (stroke.closing || Math.hypot(lx - point[0], ly - point[1]) < 4) return;
        Object.assign(stroke, { at: point, drawn: true });
        corners.push(toMap(point));
        drawLasso();
        return;
      }
      paintTo(toMap(point));
      if (!stroke.marks) pump.push({});
    },
    up() {
      if (!stroke) return;
      if (stroke.marks) {
        stroke.marks.send(tool === "remove");
        stroke = null;
        return;
      }
      if (stroke.wand && map.paint.every((label, i) => label === stroke.before[i])) {
        stroke = null;
        tell("status", { kind: "hint", text: "That piece is the chosen region already; choose another region." });
        return;
      }
      if (stroke.fill) {
        const [x, y] = stroke.fill;
        const changed = tool === "fill" ? map.fill(x, y, region) : map.replace(map.at(y * map.width + x), region);
        if (changed) show(changed);
        stroke = null;
        if (!changed) return;
      }
      if (stroke?.at) {
        const { closing, drawn } = stroke;
        stroke = null;
        if (closing || drawn) closeLasso();
        return;
      }
      stroke = null;
      commit();
    },
    cancel() {
      if (stroke?.before) {
        map.paint = stroke.before;
        drawAll();
        pump.drop();
        showExact();
      }
      stroke?.marks?.cancel();
      if (stroke?.at) corners.length = stroke.lasso;
      drawLasso();
      stroke = null;
    },
    wheel(event) {
      if (!event.shiftKey) return false;
      resize(size * Math.exp(-clamp(event.deltaY || event.deltaX, -120, 120) / 400));
      return true;
    },
    hover(point, event) {
      pointer = event.pointerType === "touch" ? null : point;
      drawRing();
    },
  });

  stage.addEventListener("contextmenu", (event) => event.preventDefault());
  stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.toLowerCase();
    const tools = {
      b: "brush",
      l: "lasso",
      g: "fill",
      w: "wand",
      r: "replace",
      e: "restore",
      h: "heal",
      x: "remove",
    };
    if (key >= "0" && key <= "7" && key.length === 1) choose(Number(key));
    else if (key === "8") hold(true);
    else if (tools[key]) take(tools[key]);
    else if (key === "s") actions.snap();
    else if (key === "[") resize(size / 1.2);
    else if (key === "]") resize(size * 1.2);
    else if (key === "enter" && corners.length) closeLasso();
    else if (key === "escape") dropLasso();
    else return;
    event.preventDefault();
  });

  // ---- tools

  function choose(index) {
    region = index;
    hold(false);
    if (["restore", "hand", "heal", "remove"].includes(tool)) take("brush");
    drawRing();
  }

  // What is held is marked over the photo as it was opened, wherever the body is now.
  function hold(on) {
    holding = on;
    for (const button of $("#palette").querySelectorAll("[data-region], [data-held]"))
      button.setAttribute(
        "aria-pressed",
        String(
          button.dataset.held
            ? on && (button.dataset.held === "erase") === (tool === "restore")
            : !on && Number(button.dataset.region) === region,
        ),
      );
    $("#things").hidden = !on;
    canvas.hidden = on;
    showUnder();
    if (on && !HOLDING.includes(tool)) take("brush");
    drawRing();
  }

  function take(name) {
    if (name !== "lasso") dropLasso();
    tool = name;
    stage.dataset.tool = name;
    hold(holding && HOLDING.includes(name));
    if (name === "wand") look();
    for (const button of element.shadowRoot.querySelectorAll("[data-tool].tool"))
      button.setAttribute("aria-pressed", button.dataset.tool === name);
    drawRing();
  }

  function toggleColour(button) {
    const index = Number(button.dataset.eye);
    hidden.has(index) ? hidden.delete(index) : hidden.add(index);
    button.setAttribute("aria-pressed", String(!hidden.has(index)));
    button.querySelector("svg").outerHTML = icon(hidden.has(index) ? "hide" : "eye");
    if (map) drawAll();
  }

  function resize(value) {
    size = clamp(Math.round(value), 2, 120);
    $("#size").value = size;
    $("#size-value").textContent = size;
    drawRing();
  }

  const dark = ([r, g, b]) => 0.3 * r + 0.59 * g + 0.11 * b < 105;
  $("#palette").innerHTML =
    LABELS.map(
      (label, index) =>
        `<span class="cell"><button data-region="${index}" title="Paint ${label} (key ${index})">` +
        `<i style="background:rgb(${PALETTE[index]});color:${dark(PALETTE[index]) ? "#fff" : "#111"}" aria-hidden="true">${index}</i>` +
        `<span>${label}</span></button>` +
        `<button class="eye" data-eye="${index}" aria-pressed="true" title="Show or hide this region's colour" aria-label="Show ${label}">${icon("eye")}</button></span>`,
    ).join("") +
    `<span class="cell"><button data-held="paint" title="Paint what is held, such as a bag, over the photo: under Pose it goes with a hand or stays (key 8)">` +
    `<i style="background:${HELD};color:#fff" aria-hidden="true">8</i><span>Held thing</span></button>` +
    `<button class="eye" data-held="erase" title="Erase what is held there" aria-label="Erase held things">${icon("restore")}</button></span>`;
  $("#size").addEventListener("input", (event) => resize(Number(event.target.value)));
  $("#opacity").addEventListener("input", (event) => {
    canvas.style.opacity = $("#things").style.opacity = event.target.value / 100;
  });
  canvas.style.opacity = $("#things").style.opacity = 0.6;
  const mapFile = listenToMapFile($, (file) => {
    if (!map) return;
    tell("settle");
    tell("status", { kind: "busy", text: "Reading the map…" });
    props.value = { ...nextEdit(), document: map.document, ...file };
    tell("edited", "regions");
    trigger("load_map");
  });
  const actions = {
    in: () => view.zoom(1.25),
    out: () => view.zoom(0.8),
    fit: () => view.fit(),
    full: fullScreen,
    file: mapFile.toggle,
    snap() {
      snapping = !snapping;
      $('[data-do="snap"]').setAttribute("aria-pressed", String(snapping));
      if (snapping) {
        look();
        take("brush");
      }
    },
  };
  element.shadowRoot.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.do) actions[button.dataset.do]();
    if (button.dataset.tool) take(button.dataset.tool);
    if (button.dataset.cut && map) {
      tell("settle");
      tell("status", { kind: "busy", text: "Cutting…" });
      props.value = { ...nextEdit(), document: map.document, change: button.dataset.cut };
      tell("edited", "regions");
      trigger("cut");
    }
    if (button.dataset.region) choose(Number(button.dataset.region));
    if (button.dataset.held) {
      holding = true;
      take(button.dataset.held === "erase" ? "restore" : "brush");
    }
    if (button.dataset.eye) toggleColour(button);
    if (button.dataset.under) {
      under = button.dataset.under;
      showUnder();
    }
  });
  take(tool);
  choose(region);

  // ---- from the server

  function drawAll() {
    show([0, 0, map.width, map.height]);
  }
  function takePhoto() {
    if (!props.photo) return;
    Object.assign(photo, props.photo);
    dropLasso();
    showUnder();
    view.open(photo.width, photo.height);
  }
  async function takeMap() {
    const news = props.map;
    things.take(news);
    if (!news) {
      map = null;
      context.clearRect(0, 0, canvas.width, canvas.height);
      return;
    }
    const [base, paint] = await Promise.all([unpack(news.base), news.paint && unpack(news.paint)]);
    if (news.version < (props.map?.version ?? 0)) return; // a newer one came meanwhile
    // Strokes that the server had not heard of yet stay.
    const keep = map?.document === news.document && (stroke || news.version < strokeSeq);
    map = createLabelMap(news.width, news.height, base, keep ? map.paint : paint);
    if (!keep) known = news.paint;
    map.document = news.document;
    [canvas.width, canvas.height] = [map.width, map.height];
    drawAll();
  }
  watch("photo", takePhoto);
  watch("map", takeMap);
  page.addEventListener("mode", ({ detail }) => detail === "regions" && stage.focus({ preventScroll: true }));
  page.addEventListener("picture", ({ detail }) => {
    if (under === "picture") showUnder();
    if (detail.live) return;
    marks.shown(detail.seq);
    if (snapping || tool === "wand") look();
  });
  page.addEventListener("status", ({ detail }) => detail.kind === "error" && !stroke?.marks && marks.cancel());
  takePhoto();
  takeMap();
}
