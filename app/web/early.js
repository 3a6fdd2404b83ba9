// Runs before anything of the page is drawn, for Gradio reads its head first: the colours that were chosen, and no empty start page over work that is coming back.
(() => {
  const stored = (/** @type {() => string | null} */ read) => {
    try {
      return read();
    } catch {
      return null; // a browser that stores nothing
    }
  };
  const [entry] = performance.getEntriesByType("navigation");
  const again = ["reload", "back_forward"].includes(/** @type {any} */ (entry)?.type);
  const open = again && stored(() => sessionStorage.getItem("pise-open")) === "yes";

  // Gradio takes the system's colours when it mounts, and whenever those change: what was chosen holds all the same.
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = stored(() => localStorage.getItem("pise-theme")) ?? "auto";
  function apply() {
    const dark = chosen === "auto" ? system.matches : chosen === "dark";
    if (document.body.classList.contains("dark") !== dark) document.body.classList.toggle("dark", dark);
  }
  globalThis.piseTheme = {
    get: () => chosen,
    set(/** @type {string} */ theme) {
      chosen = theme;
      stored(() => {
        localStorage.setItem("pise-theme", theme);
        return null;
      });
      apply();
    },
  };
  function begin() {
    if (open) document.body.dataset.studio ??= "returning";
    apply();
    new MutationObserver(apply).observe(document.body, { attributes: true, attributeFilter: ["class"] });
    system.addEventListener("change", apply);
  }
  if (document.body) begin();
  else document.addEventListener("DOMContentLoaded", begin);
})();
