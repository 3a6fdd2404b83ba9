// A slider between two looks, at once: of the generator's pictures that are known for this slider, the two that lie
// nearest on either side are mixed, until the generator's own picture of the place in between comes.
import { page } from "../common/store.js";

export function createBlend() {
  const blend = { seq: 0 };
  let slider = ""; // what the pictures belong to
  let known = new Map(); // weight -> picture
  let weight = 0;

  const sides = () => {
    const weights = [...known.keys()];
    const below = Math.max(...weights.filter((w) => w <= weight));
    const above = Math.min(...weights.filter((w) => w >= weight));
    return [below, above];
  };

  // Begin with another slider, or go on with this one. True if it is another one.
  blend.open = (name) => {
    if (name === slider) return false;
    slider = name;
    known = new Map();
    return true;
  };
  blend.close = () => (slider = "");
  blend.knows = (at) => known.has(at);

  // The picture at `url` is what the slider `name` gives at that weight. False if that slider is closed by now.
  blend.learn = async (name, at, url) => {
    const picture = new Image();
    picture.src = url;
    await picture.decode();
    if (name !== slider) return false;
    known.set(at, picture);
    return true;
  };

  // False if the weight doesn't lie between two that are known.
  blend.at = (next) => {
    weight = next;
    blend.seq = page.seq;
    return sides().every(Number.isFinite);
  };

  blend.draw = (canvas) => {
    const [below, above] = sides();
    const [first, second] = [known.get(below), known.get(above)];
    // Previews are small: the larger of the two would only be drawn smaller again.
    const width = Math.min(first.naturalWidth, second.naturalWidth);
    const height = Math.min(first.naturalHeight, second.naturalHeight);
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    const context = canvas.getContext("2d", { alpha: false });
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.globalAlpha = 1;
    context.drawImage(first, 0, 0, width, height);
    context.globalAlpha = above > below ? (weight - below) / (above - below) : 0;
    context.drawImage(second, 0, 0, width, height);
    context.globalAlpha = 1;
  };
  return blend;
}
