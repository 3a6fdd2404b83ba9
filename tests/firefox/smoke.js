// The studio in Firefox, from photo to download: node tests/firefox/smoke.js ADDRESS FIREFOX FOLDER
// What is downloaded comes into the folder; anything that goes wrong ends it with a message and status 1.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import puppeteer from "puppeteer-core";

const [address, firefox, folder] = process.argv.slice(2);
const PATIENCE = { timeout: 90_000, polling: 100 };

const browser = await puppeteer.launch({
  browser: "firefox",
  executablePath: firefox,
  headless: true,
  extraPrefsFirefox: {
    "browser.download.folderList": 2,
    "browser.download.dir": folder,
    "browser.helperApps.neverAsk.saveToDisk": "image/png",
    "intl.accept_languages": "en",
  },
});
const problems = [];
try {
  const page = await browser.newPage();
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  await page.setViewport({ width: 1280, height: 800 });
  await page.goto(address);
  await page.waitForFunction("window.piseStudio?.uploads", PATIENCE);

  const find = (selector) => page.waitForSelector(selector, { visible: true, timeout: PATIENCE.timeout });
  const middle = async (selector) => {
    const box = await (await find(selector)).boundingBox();
    return [box.x + box.width / 2, box.y + box.height / 2];
  };
  const drag = async ([x, y], [dx, dy]) => {
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x + dx, y + dy, { steps: 6 });
    await page.mouse.up();
  };
  // Does something that renders; the exact picture that follows, as its address and the colours of a small copy.
  const after = async (action) => {
    const before = await page.evaluate(() => window.piseStudio.seq);
    await action();
    await page.waitForFunction(
      (number) => {
        const inside = (part) => document.querySelector(`#${part} .html-container > div`)?.shadowRoot;
        const shown = inside("result")?.querySelector("#after");
        const done = inside("bar")?.querySelector('#status[data-kind="ok"]');
        return done && shown?.dataset.live === "false" && Number(shown.dataset.seq) > number && shown.complete;
      },
      PATIENCE,
      before,
    );
    return page.evaluate(async () => {
      const shown = document.querySelector("#result .html-container > div").shadowRoot.querySelector("#after");
      await shown.decode();
      const canvas = Object.assign(document.createElement("canvas"), { width: 48, height: 72 });
      const context = canvas.getContext("2d");
      context.drawImage(shown, 0, 0, 48, 72);
      return [...context.getImageData(0, 0, 48, 72).data];
    });
  };
  const differ = (a, b) => Math.max(...a.map((value, n) => Math.abs(value - b[n])));
  const expect = (holds, what) => {
    if (!holds) throw new Error(what);
  };

  await (await find("#welcome #examples >>> button")).click();
  await find('#bar >>> #status[data-kind="ok"]');
  const wrist = await middle('#pose >>> circle[data-joint="right_wrist"]');
  const posed = await after(() => drag(wrist, [-40, -60]));
  const moved = await middle('#pose >>> circle[data-joint="right_wrist"]');
  expect(Math.hypot(moved[0] - wrist[0], moved[1] - wrist[1]) > 10, "the joint has not moved");

  await (await find("#tab-regions")).click();
  const [x, y] = await middle("#regions >>> #stage");
  await page.keyboard.press("5");
  const painted = await after(() => drag([x - 10, y], [-50, 40]));
  expect(differ(posed, painted) > 20, "the stroke changed no picture");

  const undo = await find("#bar >>> [data-do=undo]");
  const undone = await after(() => undo.click());
  expect(differ(posed, undone) <= 2, "undo did not bring back the picture before the stroke");

  const label = await (await find("#download")).evaluate((button) => button.textContent.trim());
  await (await find("#download")).click();
  const saved = async () => (await readdir(folder)).find((name) => name.endsWith(".png"));
  for (let tries = 0; tries < 300 && !(await saved()); tries++) await new Promise((done) => setTimeout(done, 200));
  expect(await saved(), "nothing was downloaded");
  console.log(JSON.stringify({ file: join(folder, await saved()), label, browser: await browser.version(), problems }));
} finally {
  await browser.close();
}
