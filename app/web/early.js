// Runs before anything is drawn: the colours that were chosen, and no empty start page over work that is coming back.
// Whatever it can't know, it leaves as it is.
(() => {
  const [entry] = performance.getEntriesByType("navigation");
  const again = ["reload", "back_forward"].includes(/** @type {any} */ (entry)?.type);
  let open = false;
  try {
    open = again && sessionStorage.getItem("pise-open") === "yes";
  } catch {
    return; // a browser that stores nothing
  }
  document.addEventListener("DOMContentLoaded", () => open && (document.body.dataset.studio ??= "returning"));
})();
