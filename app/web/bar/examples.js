// A strip of pictures to choose from; only the number of the chosen one is sent.
import { fetchText, openShadow } from "../common/shadow.js";
import { tell } from "../common/store.js";

const html = await fetchText("examples.html", import.meta.url);

/** Fill the part; `props` are what Python says, and `trigger` tells Python of an event. */
export function mount({ element, trigger, props, watch }) {
  const $ = openShadow(element, html);

  function draw() {
    $("#list").innerHTML = (props.pictures ?? [])
      .map(
        (image, n) =>
          `<li><button data-index="${n}" aria-label="Example person ${n + 1}"><img src="${image}" alt=""></button></li>`,
      )
      .join("");
  }
  element.shadowRoot.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    tell("status", { kind: "busy", text: "Opening the example…" });
    props.value = { index: Number(button.dataset.index) };
    trigger("choose");
  });
  watch("pictures", draw);
  draw();
}
