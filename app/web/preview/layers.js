// The person moved part by part over the background, at once: what is seen until the generator's picture comes.
// The parts were cut out of the picture on show, at the pose that it has; they are sent again with every exact picture.
// In between, what the generator paints for a pose that was passed on the way is carried on from there.
import { page } from "../common/store.js";
import { partMoves, shadowMove } from "./part_transforms.js";
import { freshParts, isShadow } from "./refresh.js";
import { compose, drawMoved, gridOf, moveTo, STILL } from "./warp_canvas.js";

const HOLE_RIM = 4; // so many pixels about a part that moves away, the background behind the person is seen

const onward = (move, back) => (Array.isArray(move) ? compose(move, back) : move); // what bends was bent back already

export function createCarrier() {
  let layers = null; // {document, pose, scale, base, parts: [{name, image, x, y, hole}]}
  const carrier = { seq: 0 };
  let asked = 0; // pictures of the generator so far,
  let freshest = 0; // and the newest of them that parts were cut out of

  const canvasOf = (width, height) => Object.assign(document.createElement("canvas"), { width, height });
  function load(url) {
    const image = new Image();
    image.src = url;
    return image.decode().then(() => image);
  }

  // The background behind a part and a rim about it.
  function holeOf(part, background) {
    const rim = HOLE_RIM;
    const hole = canvasOf(part.image.width + 2 * rim, part.image.height + 2 * rim);
    const context = hole.getContext("2d");
    for (let k = 0; k < 12; k++) {
      const angle = (k * Math.PI) / 6;
      context.drawImage(part.image, rim + rim * Math.cos(angle), rim + rim * Math.sin(angle));
    }
    context.drawImage(part.image, rim, rim);
    context.globalCompositeOperation = "source-in";
    context.drawImage(background, rim - part.x, rim - part.y);
    return hole;
  }

  carrier.take = async (news) => {
    carrier.newest = news.version;
    let pictures;
    try {
      pictures = await Promise.all([news.base, news.background, news.sheet].map(load));
    } catch {
      return; // they are gone already: newer ones are on their way
    }
    if (carrier.newest !== news.version) return;
    const [base, background, sheet] = pictures;
    const under = canvasOf(news.width, news.height);
    under.getContext("2d").drawImage(base, 0, 0, news.width, news.height);
    const parts = news.parts.map(([name, x, y, width, height, sx, sy]) => {
      const image = canvasOf(width, height);
      image.getContext("2d").drawImage(sheet, sx, sy, width, height, 0, 0, width, height);
      return { name, image, x, y };
    });
    for (const part of parts) part.hole = holeOf(part, background);
    const pose = news.pose.map((row) =>
      row ? { x: row[0] * news.scale, y: row[1] * news.scale, on: true } : { on: false },
    );
    layers = { document: news.document, pose, scale: news.scale, base: under, parts };
  };

  // The move of each part for a pose in pixels of the photo; null for one that stays. A shadow lies on the ground once,
  // so that the ground is always shown below it, and it is drawn again.
  function movesOf(pose) {
    const scaled = pose.map((joint) => ({ x: joint.x * layers.scale, y: joint.y * layers.scale, on: joint.on }));
    const moves = partMoves(layers.pose, scaled);
    return layers.parts.map(({ name, x, y, image }) => {
      if (isShadow(name)) return shadowMove(layers.pose, scaled, name) ?? STILL;
      const move = moves[name];
      const shifted = ([u, v]) => moveTo(move, u, v).some((to, k) => Math.abs(to - [u, v][k]) > 0.05);
      return move && gridOf(move, x, y, image.width, image.height).some(shifted) ? move : null;
    });
  }

  // Compute the moves for a pose in pixels of the photo. False if there is nothing to draw them with.
  carrier.pose = (pose) => {
    if (layers?.document !== page.document) return false;
    movesOf(pose).forEach((move, k) => (layers.parts[k].move = move));
    carrier.seq = page.seq;
    return true;
  };

  // Go on from what the generator painted for a pose, the picture at `url`. False if it came too late.
  carrier.freshen = async (url, pose) => {
    const before = layers;
    const number = ++asked;
    const picture = await load(url);
    if (!layers || layers !== before || layers.document !== page.document || number < freshest) return false;
    freshest = number;
    const fresh = freshParts(layers.parts, movesOf(pose), picture, layers.base.width, layers.base.height);
    fresh.forEach((part, k) => (layers.parts[k].fresh = part));
    return true;
  };

  carrier.draw = (canvas) => {
    const { base, parts } = layers;
    if (canvas.width !== base.width || canvas.height !== base.height)
      [canvas.width, canvas.height] = [base.width, base.height];
    const context = canvas.getContext("2d", { alpha: false });
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(base, 0, 0);
    for (const part of parts) if (part.move) context.drawImage(part.hole, part.x - HOLE_RIM, part.y - HOLE_RIM);
    for (const { move, image, x, y, fresh } of parts) {
      drawMoved(context, move ?? STILL, image, x, y);
      if (fresh) drawMoved(context, onward(move ?? STILL, fresh.back), fresh.image, fresh.x, fresh.y);
    }
  };
  return carrier;
}

// A canvas over a picture: shown while something is drawn at once ({seq, draw}), until a picture comes that is as new.
export function showCarried(canvas, wanted) {
  let carrier = null;
  page.addEventListener("carry", ({ detail }) => {
    carrier = detail;
    const box = canvas.parentElement.getBoundingClientRect();
    const seen = box.bottom > 0 && box.top < innerHeight && box.width > 0;
    if (seen && wanted()) carrier.draw(canvas);
    canvas.hidden = !(seen && wanted());
  });
  page.addEventListener("picture", ({ detail }) => {
    if (detail.near || detail.seq >= (carrier?.seq ?? 0)) canvas.hidden = true;
  });
  page.addEventListener("carried", () => (canvas.hidden = true)); // nothing is carried any more
  page.addEventListener("status", ({ detail }) => detail.kind === "error" && (canvas.hidden = true));
}
