// The user says where the joints of the person are in the photo: nobody was found there, or joints were found wrong.
// "Use this pose" has the person analysed anew with them. A page that is loaded anew goes on where it was.
const PLACING_KEY = "pise-placing";
const PLACING = {
  nobody: { text: "Drag the skeleton, then its joints, onto the person.", first: "Place the skeleton first, then press Use this pose." },
  wrong: { text: "Drag each joint to its place in the photo; hide those that it doesn't show.", first: "Press Use this pose or Cancel first." },
};

function remember(rows) {
  try {
    if (rows) sessionStorage.setItem(PLACING_KEY, JSON.stringify({ session: props.session, document: props.photo.document, rows }));
    else sessionStorage.removeItem(PLACING_KEY);
  } catch {
    // A browser that stores nothing forgets what was placed when the page is loaded anew.
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
  keepBones = keep;
  press("bones", keep);
}

function showBanner(on) {
  $("#placing").hidden = !on;
  $("#chips").hidden = on;
}

// Begin with these rows, or with the pose as it is, which comes back when it is cancelled.
function startPlacing(reason, rows) {
  pump.drop();
  const before = placing ?? { under, keepBones };
  placing = { reason, under: before.under, keepBones: before.keepBones, wanted: pose };
  if (rows) pose = poseFromRows(rows, photo);
  placing.trail = [pose]; // for taking back
  if (reason === "wrong") setBones(false);
  under = "photo";
  showUnder();
  $("#placing span").textContent = PLACING[reason].text;
  for (const button of $("#placing").querySelectorAll("[data-for]")) button.hidden = button.dataset.for !== reason;
  showBanner(true);
}
function endPlacing() {
  showBanner(false);
  if (!placing) return;
  under = placing.under;
  setBones(placing.keepBones);
  placing = null;
  showUnder();
}

// Another pose or photo has come from the server. What was being placed in this photo is not lost.
function goOnPlacing(nobody) {
  const rows = remembered();
  if (nobody || rows) startPlacing(nobody ? "nobody" : "wrong", rows);
  else endPlacing();
}

function placed() {
  placing.trail.push(pose);
  remember(rowsFromPose(pose));
}
function takeBack() {
  settle();
  if (!placing || placing.trail.length < 2) return false;
  placing.trail.pop();
  pose = placing.trail.at(-1);
  remember(rowsFromPose(pose));
  showSelection();
  return true;
}

// Whether something has to wait until the joints are placed; then the user is told.
function placingFirst() {
  if (placing) tell("status", { kind: "error", text: PLACING[placing.reason].first });
  return Boolean(placing);
}

function place(anyway) {
  tell("status", { kind: "busy", text: "Analysing with your pose…" });
  props.value = { document: page.document, keypoints: rowsFromPose(pose), anyway };
  trigger("place");
}

const placingActions = {
  correct() {
    if (!pose || !own || placing) return;
    settle();
    startPlacing("wrong", rowsFromPose(own));
    $("#anyway").hidden = true;
    remember(rowsFromPose(pose));
    showSelection();
    tell("status", { kind: "hint", text: "With “Use this pose” the person is analysed anew. Undo then brings back your edits until now." });
  },
  use: () => place(false),
  anyway: () => place(true),
  cancel() {
    pose = placing.wanted;
    remember(null);
    endPlacing();
    showSelection();
    tell("status", { kind: "ok", text: "The joints are as they were." });
  },
  smaller: () => change(scaleFigure(pose, 1 / 1.08)),
  larger: () => change(scaleFigure(pose, 1.08)),
};
