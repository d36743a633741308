// Light or dark, as the host is. Hosts say so on <html> or <body>, each in its own way; a widget may stand in a shadow
// root, where selectors don't reach them, so it is read here and the stylesheet only knows `data-theme`.

/** Keeps `root`'s `data-theme` as the host's theme is, and calls back once it is set and after each change. */
export function followTheme(root: HTMLElement, signal: AbortSignal, changed: () => void): void {
  const { documentElement: html, body } = root.ownerDocument;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const update = () => {
    root.dataset.theme = (hostTheme(html, body) ?? dark.matches) ? "dark" : "light";
    changed();
  };
  const observer = new MutationObserver(update);
  for (const element of [html, body]) observer.observe(element, { attributes: true });
  dark.addEventListener("change", update, { signal });
  signal.addEventListener("abort", () => observer.disconnect());
  update();
}

/** Whether the host is dark, or undefined if it doesn't say. */
function hostTheme(html: HTMLElement, body: HTMLElement): boolean | undefined {
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false"; // JupyterLab, Notebook, nbconvert
  const code = body.dataset.vscodeThemeKind;
  if (code) return !code.endsWith("light"); // "vscode-light", "vscode-high-contrast-light", or dark
  for (const element of [html, body]) {
    const named = element.getAttribute("theme") ?? element.dataset.theme; // Colab; documentation sites
    if (named === "dark" || named === "light") return named === "dark";
    if (element.classList.contains("dark")) return true; // marimo
    if (element.classList.contains("light")) return false;
  }
  return undefined;
}
