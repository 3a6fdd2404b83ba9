// What is held, painted over the photo as it was opened. A stroke alone is sent: the server joins it with what is there.
import { page } from "../common/store.js";
import { createLabelMap, pack, unpack } from "./label_map.js";

const COLOUR = (255 << 24) | (215 << 16) | (175 << 8) | 0; // little-endian ABGR
const UNTOUCHED = 255;

/**
 * @param {any} canvas over the photo
 * @param {(labels: Promise<string>, erase: boolean) => any} tellServer
 */
export function createThings(canvas, tellServer) {
  const context = canvas.getContext("2d");
  let known = null; // row-wise, above 0 where something is held
  let mask = null; // of the newest stroke: 0 where it went
  let erasing = false;
  let drawing = false;
  let sent = 0; // the page's order number when the newest one was sent

  const held = (i) => (mask && mask.paint[i] === 0 ? !erasing : known?.[i] > 0);

  function draw([x0, y0, x1, y1]) {
    if (x1 <= x0 || y1 <= y0) return;
    const image = context.createImageData(x1 - x0, y1 - y0);
    const pixels = new Uint32Array(image.data.buffer);
    let k = 0;
    for (let y = y0; y < y1; y++) for (let x = x0; x < x1; x++) pixels[k++] = held(y * canvas.width + x) ? COLOUR : 0;
    context.putImageData(image, x0, y0);
  }
  const drawAll = () => draw([0, 0, canvas.width, canvas.height]);

  return {
    /** What the server knows, with the map of regions. */
    async take(news) {
      const labels = news?.held ? await unpack(news.held) : null;
      known = labels;
      if (news && (canvas.width !== news.width || canvas.height !== news.height))
        [canvas.width, canvas.height] = [news.width, news.height];
      if (!drawing && (news?.version ?? sent) >= sent) mask = null;
      drawAll();
    },
    begin(erase) {
      mask = createLabelMap(canvas.width, canvas.height, new Uint8Array(canvas.width * canvas.height).fill(UNTOUCHED));
      erasing = erase;
      drawing = true;
    },
    stroke(ax, ay, bx, by, radius) {
      const changed = mask.stroke(ax, ay, bx, by, radius, 0);
      if (changed) draw(changed);
    },
    polygon(corners) {
      const changed = mask.polygon(corners, 0);
      if (changed) draw(changed);
      return changed;
    },
    send() {
      drawing = false;
      tellServer(pack(mask.paint), erasing);
      sent = page.seq;
    },
    cancel() {
      drawing = false;
      mask = null;
      drawAll();
    },
  };
}
