// The user says where the joints of the person are in the photo: nobody was found there, or joints were found wrong.
// "Use this pose" has the person analysed again with them. A page that is reloaded goes on where it was.
import { page, tell } from "../common/store.js";
import { poseFromRows, rowsFromPose, scaleFigure } from "./skeleton.js";

const PLACING_KEY = "pise-placing";
const PLACING = {
  nobody: {
    text: "Drag the skeleton, then its joints, onto the person.",
    first: "Place the skeleton first, then press Use this pose.",
  },
  wrong: {
    text: "Drag each joint to its place in the photo; hide those that it doesn't show.",
    first: "Press Use this pose or Cancel first.",
  },
};

/** The placing of joints on the canvas of `editor`, whose state it changes. */
export function createPlacing(editor) {
  const { $, photo, props, pump, trigger } = editor;

  function remember(rows) {
    try {
      if (rows)
        sessionStorage.setItem(
          PLACING_KEY,
          JSON.stringify({ session: props.session, document: props.photo.document, rows }),
        );
      else sessionStorage.removeItem(PLACING_KEY);
    } catch {
      // A browser that stores nothing forgets what was placed when the page is reloaded.
    }
  }
  function remembered() {
    try {
      const { session, document, rows } = JSON.parse(sessionStorage.getItem(PLACING_KEY));
      return session === props.session && document === props.photo.document ? rows : null;
    } catch {
      return null;
    }
  }

  function setBones(keep) {
    editor.keepBones = keep;
    editor.press("bones", keep);
  }

  function showBanner(on) {
    $("#placing").hidden = !on;
    $("#chips").hidden = on;
  }

  // Begin with these rows, or with the pose as it is, which comes back when it is cancelled.
  function startPlacing(reason, rows) {
    pump.drop();
    const before = editor.placing ?? { under: editor.under, keepBones: editor.keepBones };
    editor.placing = { reason, under: before.under, keepBones: before.keepBones, wanted: editor.pose };
    if (rows) editor.pose = poseFromRows(rows, photo);
    editor.placing.trail = [editor.pose]; // for taking back
    if (reason === "wrong") setBones(false);
    editor.under = "photo";
    editor.showUnder();
    $("#placing span").textContent = PLACING[reason].text;
    for (const button of $("#placing").querySelectorAll("[data-for]")) button.hidden = button.dataset.for !== reason;
    showBanner(true);
  }
  function endPlacing() {
    showBanner(false);
    if (!editor.placing) return;
    editor.under = editor.placing.under;
    setBones(editor.placing.keepBones);
    editor.placing = null;
    editor.showUnder();
  }

  // Another pose or photo has come from the server. What was being placed in this photo is not lost.
  function goOnPlacing(nobody) {
    const rows = remembered();
    if (nobody || rows) startPlacing(nobody ? "nobody" : "wrong", rows);
    else endPlacing();
  }

  function placed() {
    editor.placing.trail.push(editor.pose);
    remember(rowsFromPose(editor.pose));
  }
  function takeBack() {
    editor.settle();
    if (!editor.placing || editor.placing.trail.length < 2) return false;
    editor.placing.trail.pop();
    editor.pose = editor.placing.trail.at(-1);
    remember(rowsFromPose(editor.pose));
    editor.showSelection();
    return true;
  }

  // Whether something has to wait until the joints are placed; then the user is told.
  function placingFirst() {
    if (editor.placing) tell("status", { kind: "error", text: PLACING[editor.placing.reason].first });
    return Boolean(editor.placing);
  }

  function place(anyway) {
    tell("status", { kind: "busy", text: "Analysing with your pose…" });
    props.value = { document: page.document, keypoints: rowsFromPose(editor.pose), anyway };
    trigger("place");
  }

  const actions = {
    correct() {
      if (!editor.pose || !editor.own || editor.placing) return;
      editor.settle();
      startPlacing("wrong", rowsFromPose(editor.own));
      $("#anyway").hidden = true;
      remember(rowsFromPose(editor.pose));
      editor.showSelection();
      tell("status", {
        kind: "hint",
        text: "With “Use this pose” the person is analysed again. Undo then brings back your edits until now.",
      });
    },
    use: () => place(false),
    anyway: () => place(true),
    cancel() {
      editor.pose = editor.placing.wanted;
      remember(null);
      endPlacing();
      editor.showSelection();
      tell("status", { kind: "ok", text: "The joints are as they were." });
    },
    smaller: () => editor.change(scaleFigure(editor.pose, 1 / 1.08)),
    larger: () => editor.change(scaleFigure(editor.pose, 1.08)),
  };
  return { actions, goOn: goOnPlacing, placed, takeBack, first: placingFirst, setBones };
}
