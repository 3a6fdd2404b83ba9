// A strip of pictures to choose from; only the number of the chosen one is sent.
const $ = mount(element, HTML, CSS);

function draw() {
  $("#list").innerHTML = (props.pictures ?? [])
    .map((image, n) => `<li><button data-index="${n}" aria-label="Example person ${n + 1}"><img src="${image}" alt=""></button></li>`)
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
