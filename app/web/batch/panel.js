// Many photos that are edited alike: how far it is, what became of each one, and the pictures as one file.
import { fetchText, openShadow } from "../common/shadow.js";
import { download } from "../common/store.js";

const html = await fetchText("panel.html", import.meta.url);
const SIGNS = { edited: "✓", unchanged: "=", failed: "!" };
const SAID = { edited: "", unchanged: "Nothing to change", failed: "" };

/** Fill the part; `props` are what Python says, and `trigger` tells Python of an event. */
export function mount({ element, trigger, props, watch }) {
  const $ = openShadow(element, html);

  function row({ name, status, message }) {
    const item = document.createElement("li");
    item.dataset.status = status;
    const [sign, title, said] = ["i", "b", "small"].map((tag) => item.appendChild(document.createElement(tag)));
    sign.textContent = SIGNS[status];
    sign.setAttribute("role", "img");
    sign.setAttribute("aria-label", status);
    title.translate = false;
    title.textContent = title.title = name;
    said.textContent = message || SAID[status];
    return item;
  }
  function draw() {
    const news = props.batch;
    $("section").hidden = !news;
    if (!news) return;
    const { rows, of, running, note, file } = news;
    $("#title").textContent = running ? `Editing photo ${Math.min(rows.length + 1, of)} of ${of}` : note || "Stopped";
    $("#progress").hidden = !running;
    $("#progress").value = of ? rows.length / of : 0;
    const list = $("#rows");
    if (rows.length < list.children.length) list.replaceChildren();
    for (const one of rows.slice(list.children.length)) list.append(row(one));
    if (running) list.scrollTop = list.scrollHeight;
    $("#take").hidden = !file;
    $("#stop").hidden = !running;
    $("#close").hidden = running;
  }
  $("#take").addEventListener("click", () => download(props.batch.file.url, props.batch.file.name));
  $("#stop").addEventListener("click", () => trigger("stop"));
  $("#close").addEventListener("click", () => ($("section").hidden = true));
  watch("batch", draw);
  draw();
}
