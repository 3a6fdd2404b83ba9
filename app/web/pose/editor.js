// The pose canvas: 18 joints over the photo. The page's copy of the pose is the true one while the user drags.

import { icon } from "../common/icons.js";
import { fetchText, openShadow } from "../common/shadow.js";
import { createPump, download, fullScreen, nextEdit, page, readText, showPicture, tell } from "../common/store.js";
import { JOINTS, LIMBS } from "../common/tables.js";
import { createViewport } from "../common/viewport.js";
import { createCarrier, showCarried } from "../preview/layers.js";
import { listenToGestures } from "./gestures.js";
import { createLibrary } from "./library.js";
import { createPlacing } from "./placing.js";
import { createSelection } from "./selection.js";
import { copyPose, mirrorJoints, poseFromRows, rowsFromPose, swapSides } from "./skeleton.js";

const html = await fetchText("editor.html", import.meta.url);
const SVG = "http://www.w3.org/2000/svg";

const sideOf = (joint) => (/^right/.test(JOINTS[joint]) ? "right" : /^left/.test(JOINTS[joint]) ? "left" : "centre");
const label = (joint) => JOINTS[joint][0].toUpperCase() + JOINTS[joint].slice(1).replace("_", " ");

/** Fill the part; `props` are what Python says, and `trigger` tells Python of an event. */
export function mount({ element, trigger, props, server, watch }) {
  const $ = openShadow(element, html);
  const stage = $("#stage");
  const photo = { url: "", width: 0, height: 0 };
  // What the files of this folder share; poses are as skeleton.js has them.
  const editor = {
    $,
    element,
    photo,
    props,
    stage,
    trigger,
    pose: null, // the one on show
    own: null, // the person's
    selected: -1, // the joint in the list, the last one chosen
    placing: null, // while the user says where the joints are in the photo: see placing.js
    keepBones: true,
    marquee: false, // a drag beside the joints selects, instead of moving the view
    under: "picture", // what lies under the skeleton: the result, which follows the finger, or the photo
    drag: null, // {kind, joint, start, from: [x, y], moved}
    nudging: 0, // timer of a nudge that is no step of the history yet
    generated: null, // the pose of the generator's picture on show
  };
  let newest = 0; // order number of the newest change

  const carrier = (page.carrier = createCarrier());
  showCarried($("#carry"), () => editor.under === "picture");

  // ---- drawing

  const view = createViewport(stage, $("#world"), draw);
  const make = (parent, name, attributes) => {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return parent.appendChild(node);
  };
  const selection = createSelection($("#selection"), view);
  const halos = LIMBS.map(() => make($("#halos"), "line", {}));
  const limbs = LIMBS.map(([a, b]) =>
    make($("#limbs"), "line", { class: sideOf(b) === "centre" ? sideOf(a) : sideOf(b) }),
  );
  const circles = JOINTS.map((name, joint) =>
    make($("#joints"), "circle", { class: sideOf(joint), "data-joint": name, r: joint >= 14 ? 4.5 : 6.5 }),
  );

  function draw() {
    if (!editor.pose) return;
    const points = editor.pose.map((joint) => view.toScreen(joint.x, joint.y));
    LIMBS.forEach(([a, b], index) => {
      const there = editor.pose[a].on && editor.pose[b].on;
      for (const line of [halos[index], limbs[index]]) {
        line.style.display = there ? "" : "none";
        if (!there) continue;
        line.setAttribute("x1", points[a][0]);
        line.setAttribute("y1", points[a][1]);
        line.setAttribute("x2", points[b][0]);
        line.setAttribute("y2", points[b][1]);
      }
    });
    circles.forEach((circle, joint) => {
      circle.setAttribute("cx", points[joint][0]);
      circle.setAttribute("cy", points[joint][1]);
      circle.classList.toggle("off", !editor.pose[joint].on);
      circle.classList.toggle("selected", selection.joints.has(joint));
    });
    selection.draw(editor.pose);
    drawBoxes();
  }

  let people = { boxes: [], chosen: 0 };
  function drawBoxes() {
    const nodes = $("#boxes").children;
    people.boxes.forEach(([x0, y0, x1, y1], index) => {
      const [left, top] = view.toScreen(x0, y0);
      const [right, bottom] = view.toScreen(x1, y1);
      const box = { x: left, y: top, width: right - left, height: bottom - top };
      for (const [key, value] of Object.entries(box)) nodes[index]?.setAttribute(key, value);
    });
  }

  function showUnder() {
    $("#backdrop").src = (editor.under === "picture" && page.picture) || photo.url || "";
    if (editor.under !== "picture") $("#carry").hidden = true;
    for (const button of element.shadowRoot.querySelectorAll("[data-under]"))
      button.setAttribute("aria-pressed", button.dataset.under === editor.under);
  }

  function select(joint) {
    selection.set(joint < 0 ? [] : [joint]);
    showSelection();
  }

  function showSelection() {
    const { joints } = selection;
    editor.selected = joints.size ? [...joints].at(-1) : -1;
    $("#joint").value = selection.several() ? "several" : String(editor.selected);
    $("#joint [value=several]").textContent = `${joints.size} joints`;
    $("#joint [value=several]").hidden = !selection.several();
    const button = $('[data-do="toggle"]');
    button.disabled = !joints.size || !editor.pose;
    const off = editor.pose && joints.size > 0 && [...joints].every((j) => !editor.pose[j].on);
    button.querySelector("span").textContent = off ? "Show" : "Hide";
    button.querySelector("svg").outerHTML = icon(off ? "eye" : "hide");
    draw();
  }

  // ---- talking to the server

  // The generator's picture takes the place of the carried parts where the finger rests, and stays until it moves on.
  // One that comes while it moves is carried the rest of the way: nothing on show is ever behind the finger.
  const RESTING = 0.003; // of the photo's longer side
  const behind = (joints) =>
    Math.max(
      0,
      ...editor.pose.map((joint, j) =>
        joint.on && joints[j] ? Math.hypot(joint.x - joints[j][0], joint.y - joints[j][1]) : 0,
      ),
    );
  const rests = (joints) => behind(joints) <= RESTING * Math.max(photo.width, photo.height);
  async function show(picture, { keypoints }) {
    const fresh = await carrier.freshen(picture.url, poseFromRows(keypoints, photo)).catch(() => false);
    // Meanwhile an exact picture may have come, or another photo.
    if (picture.document !== page.document || picture.seq < page.shown) return;
    if (rests(keypoints)) {
      editor.generated = keypoints;
      showPicture({ ...picture, near: true });
    } else if (fresh && editor.drag && carrier.pose(editor.pose)) {
      tell("carry", carrier);
      tell("freshened", picture);
    }
  }
  const pump = createPump((request) => server.render_live({ ...request, session: props.session }), show);
  function live() {
    if (editor.placing) return;
    pump.push({ keypoints: rowsFromPose(editor.pose) });
    if (editor.generated && rests(editor.generated)) return;
    editor.generated = null;
    if (carrier.pose(editor.pose)) tell("carry", carrier);
  }

  function commit() {
    clearTimeout(editor.nudging);
    editor.nudging = 0;
    if (editor.placing) {
      placing.placed();
      return;
    }
    pump.drop();
    takeChoice();
    editor.generated = null;
    tell("status", { kind: "busy", text: "Rendering at full size…" });
    const order = nextEdit();
    newest = order.seq;
    props.value = { ...order, keypoints: rowsFromPose(editor.pose) };
    tell("edited", "pose");
    trigger("commit");
  }

  // A row of nudges becomes a step now, before anything else is done.
  function settle() {
    if (editor.nudging) commit();
  }

  // Pointers report more often than the screen is drawn.
  let following = 0;
  function follow() {
    following ||= requestAnimationFrame(() => {
      following = 0;
      draw();
      live();
    });
  }

  // True if a move was not followed yet.
  function unfollow() {
    const behind = following;
    cancelAnimationFrame(following);
    following = 0;
    return Boolean(behind);
  }

  function change(next) {
    editor.pose = next;
    draw();
    live();
    commit();
  }

  // The pose as OpenPose writes it. The person's own pose tells whose it is: for the same person it is loaded as it was,
  // for others it is fitted.
  function poseFile() {
    const flat = editor.pose.flatMap((j) => (j.on ? [j.x, j.y, j.score] : [0, 0, 0]));
    const size = { canvas_width: photo.width, canvas_height: photo.height };
    return JSON.stringify({ people: [{ pose_keypoints_2d: flat }], ...size, own: props.pose.own });
  }

  let loaded = ""; // the text of the pose file that was loaded last
  function loadPose(text, person = undefined) {
    if (placing.first()) return;
    loaded = text;
    settle();
    tell("status", { kind: "busy", text: "Fitting the pose…" });
    const order = nextEdit();
    newest = order.seq;
    props.value = { ...order, text, person };
    tell("edited", "pose");
    trigger("load_pose");
  }

  // What is held goes with a hand, or stays with the body.
  const CARRIERS = { left_hand: "with the left hand", right_hand: "with the right hand", stays: "stays" };
  function takeHeld(held = []) {
    $("#held").hidden = !held.length;
    const options = (carrier) =>
      Object.entries(CARRIERS)
        .map(([name, text]) => `<option value="${name}"${name === carrier ? " selected" : ""}>${text}</option>`)
        .join("");
    $("#held").innerHTML = held
      .map(({ carrier }, n) => {
        const name = held.length > 1 ? `Held thing ${n + 1}` : "Held thing";
        return `<label data-thing="${n}">${name} <select aria-label="${name}">${options(carrier)}</select></label>`;
      })
      .join("");
    $("#holds").innerHTML = "";
    for (const _ of held) make($("#holds"), "rect", { class: "held" });
    showThing(-1);
  }
  // A frame about the thing whose choice is pointed at, or has the focus.
  function showThing(thing) {
    [...$("#holds").children].forEach((node, n) => {
      node.style.display = n === thing ? "" : "none";
      if (n !== thing) return;
      const [x0, y0, x1, y1] = props.pose.held[n].box;
      const [left, top] = view.toScreen(x0, y0);
      const [right, bottom] = view.toScreen(x1, y1);
      const box = { x: left, y: top, width: right - left, height: bottom - top };
      for (const [key, value] of Object.entries(box)) node.setAttribute(key, value);
    });
  }
  function hold() {
    settle();
    tell("status", { kind: "busy", text: "Rendering at full size…" });
    const order = nextEdit();
    newest = order.seq;
    props.value = { ...order, held: [...$("#held").querySelectorAll("select")].map((choice) => choice.value) };
    tell("edited", "pose");
    trigger("hold");
  }
  const thingAt = (event) => Number(event.target.closest("[data-thing]")?.dataset.thing ?? -1);

  // ---- buttons

  const press = (name, on) => $(`[data-do="${name}"]`).setAttribute("aria-pressed", String(on));
  const actions = {
    in: () => view.zoom(1.25),
    out: () => view.zoom(0.8),
    fit: () => view.fit(),
    full: fullScreen,
    bones: () => placing.setBones(!editor.keepBones),
    marquee: () => press("marquee", (editor.marquee = !editor.marquee)),
    all() {
      if (!editor.pose) return;
      selection.set([...editor.pose.keys()].filter((j) => editor.pose[j].on));
      showSelection();
    },
    none: () => select(-1),
    mirror: () =>
      editor.pose &&
      change(mirrorJoints(editor.pose, selection.several() ? selection.joints : new Set(editor.pose.keys()))),
    swap: () =>
      editor.pose &&
      change(swapSides(editor.pose, selection.several() ? selection.joints : new Set(editor.pose.keys()))),
    own: () => editor.pose && editor.own && change(copyPose(editor.own)),
    toggle() {
      if (!editor.pose || editor.selected < 0) return;
      const next = copyPose(editor.pose);
      const off = [...selection.joints].every((j) => !editor.pose[j].on);
      for (const j of selection.joints) next[j].on = off;
      if (next.filter((joint) => joint.on).length < 2) return;
      change(next);
      showSelection();
    },
    room() {
      settle();
      $("#room").hidden = true;
      tell("status", { kind: "busy", text: "Making room for the pose…" });
      props.value = nextEdit(false);
      trigger("make_room");
    },
    load: () => $("#file").click(),
    save() {
      if (!editor.pose) return;
      const url = URL.createObjectURL(new Blob([poseFile()], { type: "application/json" }));
      download(url, "pose.json");
      setTimeout(() => URL.revokeObjectURL(url), 1000);
    },
  };
  Object.assign(editor, { view, selection, pump, actions, draw, select, showSelection, showUnder });
  Object.assign(editor, { live, commit, settle, follow, unfollow, change, poseFile, loadPose, press });
  const placing = createPlacing(editor);
  Object.assign(actions, placing.actions);
  createLibrary(editor, placing);
  listenToGestures(editor, placing);
  element.shadowRoot.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.do) actions[button.dataset.do]();
    if (button.dataset.under) {
      editor.under = button.dataset.under;
      showUnder();
    }
    if (button.dataset.other) loadPose(loaded, Number(button.dataset.other));
    if (button.dataset.person) {
      tell("status", { kind: "busy", text: "Analysing…" });
      props.value = { document: page.document, index: Number(button.dataset.person) };
      trigger("choose");
    }
  });
  $("#file").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    event.target.value = "";
    if (file && editor.pose) loadPose(await readText(file));
  });
  $("#held").addEventListener("change", hold);
  for (const kind of ["pointerover", "focusin"])
    $("#held").addEventListener(kind, (event) => showThing(thingAt(event)));
  for (const kind of ["pointerout", "focusout"]) $("#held").addEventListener(kind, () => showThing(-1));
  $("#joint").innerHTML =
    `<option value="-1">Joint…</option><option value="several" hidden></option>${JOINTS.map((_, j) => `<option value="${j}">${label(j)}</option>`).join("")}`;
  $("#joint").addEventListener(
    "change",
    (event) => editor.pose && event.target.value !== "several" && select(Number(event.target.value)),
  );
  $("#dim").addEventListener("input", (event) => ($("#backdrop").style.opacity = event.target.value / 100));

  // For the motion: the pose that is wanted; null, and the user is told why, while nobody is there to be posed.
  page.pose = () => {
    if (editor.placing?.reason === "nobody") return placing.first() && null;
    return editor.pose && rowsFromPose(editor.placing?.wanted ?? editor.pose);
  };

  // ---- from the server

  function takePhoto() {
    if (!props.photo) return;
    const another = props.photo.document !== photo.document;
    Object.assign(photo, props.photo);
    if (another) select(-1); // what was selected were joints of somebody else
    showUnder();
    view.open(photo.width, photo.height);
  }
  function takePose() {
    if (!props.pose || !photo.width) return;
    const { seq } = props.pose;
    if (seq !== null && seq < newest) return; // a newer answer follows
    newest = seq ?? newest;
    clearTimeout(editor.nudging);
    editor.nudging = 0;
    pump.drop();
    editor.drag = null;
    delete stage.dataset.dragging;
    tell("posed");
    page.placing = props.pose.placing;
    editor.pose = poseFromRows(props.pose.rows, photo);
    editor.own = props.pose.own ? poseFromRows(props.pose.own, photo) : copyPose(editor.pose);
    takeChoice(props.pose.choice);
    takeHeld(props.pose.held);
    placing.goOn(props.pose.placing);
    $("#anyway").hidden = !props.pose.doubtful;
    showSelection();
  }
  // A file that shows several people: whose pose it is to be.
  function takeChoice(choice = undefined) {
    $("#others").hidden = !choice;
    $("#others").innerHTML = Array.from({ length: choice?.count ?? 0 })
      .map((_, n) => `<button data-other="${n}" aria-pressed="${n === choice.taken}">Pose ${n + 1}</button>`)
      .join("");
  }
  function takeLayers() {
    if (props.layers?.document >= page.document) carrier.take(props.layers);
  }
  function takeRoom() {
    $("#room").hidden = !props.room;
  }
  function takePeople() {
    people = props.people ?? people;
    const several = people.boxes.length > 1;
    $("#people").hidden = !several;
    $("#people").innerHTML = people.boxes
      .map((_, n) => `<button data-person="${n}" aria-pressed="${n === people.chosen}">Person ${n + 1}</button>`)
      .join("");
    $("#boxes").innerHTML = "";
    if (several)
      people.boxes.forEach((_, n) => make($("#boxes"), "rect", { class: n === people.chosen ? "chosen" : "" }));
    draw();
  }
  watch("photo", takePhoto);
  watch("pose", takePose);
  watch("people", takePeople);
  watch("layers", takeLayers);
  watch("room", takeRoom);
  page.addEventListener("mode", ({ detail }) => detail === "pose" && stage.focus({ preventScroll: true }));
  page.addEventListener("settle", settle);
  page.addEventListener("picture", () => editor.under === "picture" && showUnder());
  showUnder();
  takePhoto();
  takePose();
  takePeople();
  takeLayers();
  takeRoom();
}
