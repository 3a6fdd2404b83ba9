// The result, with the photo as it was under a slider. Live pictures come from the canvases, exact ones from Python.

import { fetchText, openShadow } from "../common/shadow.js";
import { page, showPicture } from "../common/store.js";
import { showCarried } from "../preview/layers.js";

const html = await fetchText("view.html", import.meta.url);

/** Fill the part; `props` are what Python says, and `trigger` tells Python of an event. */
export function mount({ element, props, watch }) {
  const $ = openShadow(element, html);
  const stage = $("#stage");
  const frame = $("#frame");
  let size = null;

  function layout() {
    if (!size) return;
    const scale = Math.min((stage.clientWidth - 24) / size[0], (stage.clientHeight - 24) / size[1]);
    frame.style.width = `${size[0] * scale}px`;
    frame.style.height = `${size[1] * scale}px`;
  }
  new ResizeObserver(layout).observe(stage);

  function split() {
    const percent = Number($("#slide").value);
    $("#before").style.clipPath = `inset(0 ${100 - percent}% 0 0)`;
    $("#divider").style.left = `${percent}%`;
    $("#tag-before").hidden = percent < 2;
  }
  $("#slide").addEventListener("input", split);
  split();

  $("#before").addEventListener("load", () => {
    size = [$("#before").naturalWidth, $("#before").naturalHeight];
    $("#empty").hidden = true;
    frame.hidden = false;
    layout();
  });

  page.addEventListener("picture", ({ detail }) => {
    if (detail.before) {
      $("#before").src = detail.before;
      $("#slide").value = 0;
      split();
    }
    $("#after").src = detail.url;
    $("#after").dataset.live = String(Boolean(detail.live));
    $("#after").dataset.seq = detail.seq;
    $("#live").hidden = !detail.live;
  });
  page.addEventListener("status", ({ detail }) => ($("#progress").hidden = detail.kind !== "busy"));

  showCarried($("#carry"), () => true);

  function takeResult() {
    if (props.result) showPicture(props.result);
  }
  watch("result", takeResult);
  takeResult();
}
