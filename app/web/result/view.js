// The result over the photo: compared by a line or side by side, zoomed together; files of it; and the way it came about.
import { fetchText, openShadow } from "../common/shadow.js";
import { page, showPicture } from "../common/store.js";
import { createGestures, createViewport } from "../common/viewport.js";
import { showCarried } from "../preview/layers.js";
import { createHistory } from "./history.js";
import { createTaking } from "./taking.js";

const html = await fetchText("view.html", import.meta.url);
/** Pixels of the screen within which the line is grasped. */
const REACH = 28;

/** Fill the part; `props` are what Python says, and `trigger` tells Python of an event. */
export function mount({ element, trigger, props, watch }) {
  const $ = openShadow(element, html);
  const stage = $("#stage");
  let compare = "slide";
  let size = null;

  const room = () => (matchMedia("(max-width: 760px)").matches && $(".zoom").checkVisibility() ? 52 : 0);
  const view = createViewport($("#pane-after"), $("#world"), draw, room);

  // Where the line is, in pixels of the pane.
  const lineAt = () => view.x + (Number($("#slide").value) / 100) * view.width * view.scale;
  function draw() {
    $("#world-before").style.cssText = $("#world").style.cssText;
    const beside = compare === "beside";
    $("#divider").hidden = beside;
    $("#tag-before").hidden = !beside && Number($("#slide").value) < 2;
    const { clientWidth, clientHeight } = $("#pane-after");
    const [x, top] = [lineAt(), Math.max(0, view.y)];
    $("#pane-before").style.clipPath = beside ? "" : `inset(0 ${Math.max(0, clientWidth - x)}px 0 0)`;
    const height = Math.min(clientHeight, view.y + view.height * view.scale) - top;
    Object.assign($("#divider").style, { left: `${x}px`, top: `${top}px`, height: `${Math.max(0, height)}px` });
  }
  $("#slide").addEventListener("input", draw);

  /** @param {number[]} place */
  function moveLine([x]) {
    $("#slide").value = String((100 * (x - view.x)) / (view.width * view.scale));
    draw();
  }
  // Whole, a drag with the mouse moves the line wherever it begins; zoomed in, or with a finger, where the line is.
  const half = () => (compare === "beside" ? stage.clientWidth / 2 : Number.POSITIVE_INFINITY);
  const zoomAt = (factor, x, y) => view.zoomAt(factor, x % half(), y);
  createGestures(
    stage,
    { ...view, zoomAt },
    {
      down([x], event) {
        if (compare === "beside" || !size) return false;
        const near = Math.abs(x - lineAt()) <= REACH;
        if (!near && (event.pointerType === "touch" || !view.fitted())) return false;
        moveLine([x]);
        return true;
      },
      move: moveLine,
      up() {},
      cancel() {},
      hover(point) {
        const near = point && size && compare === "slide" && Math.abs(point[0] - lineAt()) <= REACH;
        stage.dataset.over = near || (point && view.fitted() && compare === "slide") ? "line" : "";
      },
    },
  );

  function setCompare(way) {
    compare = way;
    stage.dataset.compare = way;
    for (const button of element.shadowRoot.querySelectorAll("button[data-compare]"))
      button.setAttribute("aria-pressed", String(button.dataset.compare === way));
    draw();
  }
  const actions = { in: () => view.zoom(1.25), out: () => view.zoom(0.8), fit: () => view.fit() };
  element.shadowRoot.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button?.dataset.do) actions[button.dataset.do]();
    if (button?.dataset.compare) setCompare(button.dataset.compare);
  });

  $("#before").addEventListener("load", () => {
    const [width, height] = [$("#before").naturalWidth, $("#before").naturalHeight];
    const same = size?.[0] === width && size?.[1] === height;
    size = [width, height];
    $("#empty").hidden = true;
    $("#frame").hidden = false;
    if (!same) view.open(width, height);
    else view.fit();
  });

  page.addEventListener("picture", ({ detail }) => {
    if (detail.before) {
      $("#before").src = detail.before;
      $("#slide").value = 0;
      draw();
    }
    $("#after").src = detail.url;
    $("#after").dataset.live = String(Boolean(detail.live));
    $("#after").dataset.seq = detail.seq;
    $("#live").hidden = !detail.live;
  });
  page.addEventListener("status", ({ detail }) => ($("#progress").hidden = detail.kind !== "busy"));

  showCarried($("#carry"), () => true);
  createHistory({ $, trigger, props });
  createTaking({ $, trigger, props, watch });
  setCompare(compare);

  function takeResult() {
    if (props.result) showPicture(props.result);
  }
  watch("result", takeResult);
  takeResult();
}
