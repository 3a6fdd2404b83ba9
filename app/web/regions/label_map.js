// A map of regions at working size: the detected labels, what was painted over them, and exact tools.
// Labels are never read back from a canvas, which may alter colours.
import { PALETTE, REGIONS } from "../common/tables.js";

const UNTOUCHED = 255;
const [DRESS, PANTS, LEG] = ["dress", "pants", "leg"].map((name) => REGIONS.indexOf(name));

export async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

export async function pack(labels) {
  const stream = new Blob([labels]).stream().pipeThrough(new CompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}

export function createLabelMap(width, height, base, paint) {
  const map = { width, height, base, paint: paint ?? new Uint8Array(width * height).fill(UNTOUCHED) };
  map.at = (i) => (map.paint[i] === UNTOUCHED ? map.base[i] : map.paint[i]);
  // Painting a region where it already is leaves the pixel untouched, so that only real changes count as edits.
  const set = (i, region) => {
    map.paint[i] = region === null || region === map.base[i] ? UNTOUCHED : region;
  };

  // Both return the rectangle [x0, y0, x1, y1) that may have changed, or null.
  map.stroke = (ax, ay, bx, by, radius, region) => {
    const x0 = Math.max(0, Math.floor(Math.min(ax, bx) - radius));
    const y0 = Math.max(0, Math.floor(Math.min(ay, by) - radius));
    const x1 = Math.min(width, Math.ceil(Math.max(ax, bx) + radius) + 1);
    const y1 = Math.min(height, Math.ceil(Math.max(ay, by) + radius) + 1);
    const [dx, dy] = [bx - ax, by - ay];
    const length = dx * dx + dy * dy;
    for (let y = y0; y < y1; y++) {
      for (let x = x0; x < x1; x++) {
        const [px, py] = [x + 0.5 - ax, y + 0.5 - ay];
        const t = length ? Math.min(1, Math.max(0, (px * dx + py * dy) / length)) : 0;
        const [ex, ey] = [px - t * dx, py - t * dy];
        if (ex * ex + ey * ey <= radius * radius) set(y * width + x, region);
      }
    }
    return x1 > x0 && y1 > y0 ? [x0, y0, x1, y1] : null;
  };

  // The connected area of one region becomes another; with `region` null, the detected map comes back there.
  map.fill = (x, y, region) => {
    const from = map.at(y * width + x);
    if (from === region) return null;
    const seen = new Uint8Array(width * height);
    const stack = [y * width + x];
    seen[stack[0]] = 1;
    const area = [];
    while (stack.length) {
      const i = stack.pop();
      area.push(i);
      const column = i % width;
      for (const next of [column > 0 ? i - 1 : -1, column < width - 1 ? i + 1 : -1, i - width, i + width]) {
        if (next < 0 || next >= seen.length || seen[next] || map.at(next) !== from) continue;
        seen[next] = 1;
        stack.push(next);
      }
    }
    for (const i of area) set(i, region);
    return [0, 0, width, height];
  };

  // Single pixels, by their places in the row-wise list.
  map.set = (places, region) => {
    for (const i of places) set(i, region);
    return [0, 0, width, height];
  };

  function closeRows(from, region) {
    for (let y = 0; y < height; y++) {
      const row = y * width;
      let first = 0;
      let last = width - 1;
      while (first <= last && map.at(row + first) !== from) first++;
      while (last > first && map.at(row + last) !== from) last--;
      for (let x = first; x <= last; x++) if ([0, LEG].includes(map.at(row + x))) set(row + x, region);
    }
  }

  // Everything of one region becomes another, wherever it is. Trousers that become a dress hang as one: what is seen
  // between their legs is closed.
  map.replace = (from, region) => {
    if (from === region) return null;
    if (from === PANTS && region === DRESS) closeRows(from, region);
    for (let i = 0; i < map.paint.length; i++) if (map.at(i) === from) set(i, region);
    return [0, 0, width, height];
  };

  // All pixels whose centres lie inside a polygon of points [x, y].
  map.polygon = (points, region) => {
    const ys = points.map((p) => p[1]);
    const y0 = Math.max(0, Math.floor(Math.min(...ys)));
    const y1 = Math.min(height, Math.ceil(Math.max(...ys)));
    for (let y = y0; y < y1; y++) {
      const crossings = [];
      points.forEach(([ax, ay], i) => {
        const [bx, by] = points[(i + 1) % points.length];
        if (ay <= y + 0.5 !== by <= y + 0.5) crossings.push(ax + ((y + 0.5 - ay) * (bx - ax)) / (by - ay));
      });
      crossings.sort((a, b) => a - b);
      for (let k = 0; k + 1 < crossings.length; k += 2) {
        const stop = Math.min(width, Math.ceil(crossings[k + 1] - 0.5));
        for (let x = Math.max(0, Math.ceil(crossings[k] - 0.5)); x < stop; x++) set(y * width + x, region);
      }
    }
    return y1 > y0 ? [0, y0, width, y1] : null;
  };

  map.draw = (context, [x0, y0, x1, y1], hidden = new Set()) => {
    const image = context.createImageData(x1 - x0, y1 - y0);
    const pixels = new Uint32Array(image.data.buffer);
    const colours = COLOURS.map((colour, region) => (hidden.has(region) ? 0 : colour));
    let k = 0;
    for (let y = y0; y < y1; y++) for (let x = x0; x < x1; x++) pixels[k++] = colours[map.at(y * width + x)];
    context.putImageData(image, x0, y0);
  };
  return map;
}

// Little-endian ABGR; background is a veil, so that the person stands out.
const COLOURS = PALETTE.map(([r, g, b], region) => (((region ? 255 : 110) << 24) | (b << 16) | (g << 8) | r) >>> 0);
