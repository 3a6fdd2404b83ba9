// A photo of a garment that nobody wears: the user draws a box around it, and says what it is.
import { clamp, tell } from "../common/store.js";

/** Let the user mark the garment of the photo that `props.garment` shows. */
export function markGarments({ $, trigger, props, watch }) {
  const frame = $("#garment-frame");
  let box = [0, 0, 1, 1]; // in shares of the picture
  let from = null;

  function drawBox() {
    const [x0, y0, x1, y1] = box;
    const shape = {
      left: Math.min(x0, x1),
      top: Math.min(y0, y1),
      width: Math.abs(x1 - x0),
      height: Math.abs(y1 - y0),
    };
    for (const [side, share] of Object.entries(shape)) $("#garment-box").style[side] = `${100 * share}%`;
  }
  function shareOf(event) {
    const area = frame.getBoundingClientRect();
    return [
      clamp((event.clientX - area.left) / area.width, 0, 1),
      clamp((event.clientY - area.top) / area.height, 0, 1),
    ];
  }
  frame.addEventListener("pointerdown", (event) => {
    frame.setPointerCapture(event.pointerId);
    from = shareOf(event);
  });
  frame.addEventListener("pointermove", (event) => {
    if (!from) return;
    box = [...from, ...shareOf(event)];
    drawBox();
  });
  for (const end of ["pointerup", "pointercancel"]) frame.addEventListener(end, () => (from = null));

  $("#garment").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.garment === "cancel") {
      $("#garment").hidden = true; // until the next one comes
      props.value = { garment: props.garment.id };
      trigger("cancel_garment");
      return;
    }
    if (button.dataset.garment === "worn") {
      tell("status", { kind: "busy", text: "Analysing the reference…" });
      props.value = { garment: props.garment.id, box };
      trigger("somebody_wears_it");
      return;
    }
    tell("status", { kind: "busy", text: "Cutting out the garment…" });
    props.value = { garment: props.garment.id, box, region: $("#garment input:checked").value };
    trigger("use_garment");
  });

  function takeGarment() {
    $("#garment").hidden = !props.garment;
    if (!props.garment) return;
    $("#garment-picture").src = props.garment.url;
    frame.style.setProperty("--ratio", String(props.garment.width / props.garment.height));
    box = props.garment.box;
    drawBox();
    $("#garment").scrollIntoView({ block: "nearest" });
  }
  watch("garment", takeGarment);
  takeGarment();
}
