// Gradio writes above its choices what is chosen there, and does not say to screen readers that this is their name.

const UNNAMED = 'fieldset:not([aria-labelledby]) > [data-testid="block-info"]';
let named = 0;

function name() {
  for (const title of document.querySelectorAll(UNNAMED)) {
    title.id ||= `group-${++named}`;
    title.parentElement?.setAttribute("aria-labelledby", title.id);
  }
}

const watcher = new MutationObserver(name);

/** Name every group of choices that the page has, or will have: what an accordion hides comes when it is opened. */
export function nameGroups() {
  name();
  watcher.observe(document.body, { childList: true, subtree: true });
}
