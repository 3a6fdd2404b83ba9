// Places that are to be taken away, painted over the picture until the server has done so.
import { page } from "../common/store.js";
import { createLabelMap, pack } from "./label_map.js";

const COLOUR = "rgb(255 45 120 / 60%)";
const UNTOUCHED = 255;

/**
 * @param {any} canvas over the map
 * @param {(labels: Promise<string>, remove: boolean) => any} tellServer
 */
export function createMarks(canvas, tellServer) {
  const context = canvas.getContext("2d");
  let mask = null;
  let sent = 0; // the page's order number when the newest ones were sent

  return {
    begin(width, height) {
      mask = createLabelMap(width, height, new Uint8Array(width * height).fill(UNTOUCHED));
      if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    },
    stroke(ax, ay, bx, by, radius) {
      mask.stroke(ax, ay, bx, by, radius, 0);
      Object.assign(context, { strokeStyle: COLOUR, lineWidth: 2 * radius, lineCap: "round" });
      // Where a stroke crosses itself its colour is not to add up.
      context.globalCompositeOperation = "destination-out";
      context.strokeStyle = "#000";
      draw();
      context.globalCompositeOperation = "source-over";
      context.strokeStyle = COLOUR;
      draw();
      function draw() {
        context.beginPath();
        context.moveTo(ax, ay);
        context.lineTo(bx + 0.01, by);
        context.stroke();
      }
    },
    send(remove) {
      tellServer(pack(mask.paint), remove);
      sent = page.seq;
    },
    /** An exact picture is on show, with the edits up to that number. */
    shown(seq) {
      if (seq >= sent) this.cancel();
    },
    cancel() {
      context.clearRect(0, 0, canvas.width, canvas.height);
    },
  };
}
