// What belongs together by the colours of the picture under the map: for the wand, and for a brush that stops at edges.

/** Colours, smoothed over three by three pixels: grain and weave would cut a piece up. */
function smoothed(pixels, width, height) {
  const out = new Uint8ClampedArray(3 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const sum = [0, 0, 0];
      let count = 0;
      for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++) {
        for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
          const at = 4 * (v * width + u);
          for (let c = 0; c < 3; c++) sum[c] += pixels[at + c];
          count++;
        }
      }
      for (let c = 0; c < 3; c++) out[3 * (y * width + x) + c] = sum[c] / count;
    }
  }
  return out;
}

/** `pixels`: RGBA, as a canvas of that size has them. */
export function createColours(width, height, pixels) {
  const colours = smoothed(pixels, width, height);

  /** How far apart two pixels' colours are, 0 to 255; green counts most, as to the eye. */
  function apart(i, j) {
    const [r, g, b] = [0, 1, 2].map((c) => colours[3 * i + c] - colours[3 * j + c]);
    return Math.sqrt((2 * r * r + 4 * g * g + 3 * b * b) / 9);
  }

  /**
   * The pixels about a place that hang together and look like it.
   * @param {number} x
   * @param {number} y
   * @param {number} tolerance how far apart colours may be, 0 to 255
   * @param {(i: number) => boolean} within where to look at all
   * @returns {number[]}
   */
  function piece(x, y, tolerance, within) {
    const first = y * width + x;
    const seen = new Uint8Array(width * height);
    const found = [first];
    seen[first] = 1;
    for (let n = 0; n < found.length; n++) {
      const i = found[n];
      const column = i % width;
      for (const next of [column > 0 ? i - 1 : -1, column < width - 1 ? i + 1 : -1, i - width, i + width]) {
        if (next < 0 || next >= seen.length || seen[next] || !within(next)) continue;
        if (apart(next, first) > tolerance) continue;
        seen[next] = 1;
        found.push(next);
      }
    }
    // Single pixels left out amid the piece are grain.
    for (const i of [...found]) {
      for (const next of [i - 1, i + 1, i - width, i + width]) {
        if (next < 0 || next >= seen.length || seen[next] || !within(next)) continue;
        const around = [next - 1, next + 1, next - width, next + width];
        if (around.reduce((sum, k) => sum + (seen[k] ?? 0), 0) < 3) continue;
        seen[next] = 1;
        found.push(next);
      }
    }
    return found;
  }

  /** The same within a disc: what a brush reaches without crossing an edge. */
  function disc(x, y, radius, tolerance) {
    const [cx, cy] = [Math.floor(x), Math.floor(y)];
    const inside = (i) => Math.hypot((i % width) + 0.5 - x, Math.floor(i / width) + 0.5 - y) <= radius;
    if (cx < 0 || cy < 0 || cx >= width || cy >= height) return [];
    return piece(cx, cy, tolerance, inside);
  }

  return { piece, disc };
}

/** The colours of the picture at an address, at the size of a map. */
export async function coloursOf(url, width, height) {
  const image = new Image();
  image.src = url;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0, width, height);
  return createColours(width, height, context.getImageData(0, 0, width, height).data);
}
