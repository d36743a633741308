// Light or dark, as the host is. Hosts say so on <html> or <body>, each in its own way, and else their background does; a
// widget may stand in a shadow root, where selectors don't reach them, so it is read here and the stylesheet only knows
// `data-theme`.

import { reader } from "./palette.js";
import { printing } from "./print.js";

/** Keeps `root`'s `data-theme` as the host's theme is, and calls back once it is set and after each change. */
export function followTheme(root: HTMLElement, signal: AbortSignal, changed: () => void): void {
  const { documentElement: html, body, head } = root.ownerDocument;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const forced = matchMedia("(forced-colors: active)");
  const isDark = () => {
    if (printing.peek()) return false; // paper is white
    if (forced.matches) return dark.matches; // the reader's own colors
    return hostTheme(html, body) ?? isDarkBehind(root.parentElement!) ?? dark.matches;
  };
  let before = "";
  const update = () => {
    root.dataset.theme = isDark() ? "dark" : "light";
    const now = root.dataset.theme + getComputedStyle(root).backgroundColor;
    if (now !== before) changed();
    before = now;
  };
  const observer = new MutationObserver(update);
  for (const element of [html, body]) observer.observe(element, { attributes: true });
  // pages change their theme by another stylesheet, too, which may come late, or fade from one to the other
  observer.observe(head, { attributes: true, childList: true, subtree: true });
  html.addEventListener("load", update, { signal, capture: true });
  html.addEventListener("transitionend", ({ propertyName }) => propertyName.startsWith("background") && update(), {
    signal,
  });
  for (const query of [dark, forced]) query.addEventListener("change", update, { signal });
  const end = printing.subscribe(update); // calls back at once, too
  signal.addEventListener("abort", () => {
    observer.disconnect();
    end();
  });
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

/** Whether what can be seen behind a view is dark; undefined in a frame that can be seen through. */
function isDarkBehind(place: HTMLElement): boolean | undefined {
  const read = reader();
  for (let at: Element | null = place; at; at = around(at)) {
    const [r, g, b, a] = read(getComputedStyle(at).backgroundColor);
    if (a! > 0.5) return 0.299 * r! + 0.587 * g! + 0.114 * b! < 0.5;
  }
  if (parent !== window) return undefined;
  // nothing is painted there: what the browser paints beneath a page
  const [r] = read(getComputedStyle(place).outlineColor);
  return r! < 0.5;
}

function around(element: Element): Element | null {
  return element.parentElement ?? (element.getRootNode() as Partial<ShadowRoot>).host ?? null;
}
