// The stylesheet's colors, written from the one list of them, which Python's pictures are drawn with, too.
import { existsSync, readFileSync, writeFileSync } from "node:fs";

export const SOURCE = new URL("../lenswidget/view/picture/colors.json", import.meta.url);
const WRITTEN = new URL("src/style/colors.css", import.meta.url);

/** Writes src/style/colors.css, which git doesn't keep, where it isn't what the list says. */
export function writeColors() {
  const { light, dark } = JSON.parse(readFileSync(SOURCE, "utf8"));
  const css = [rule(".lenswidget", light), rule('.lenswidget[data-theme="dark"]', dark)].join("\n");
  if (!existsSync(WRITTEN) || readFileSync(WRITTEN, "utf8") !== css) writeFileSync(WRITTEN, css);
}

function rule(selector, { page, ...named }) {
  const series = ([name, color]) =>
    Array.isArray(color) ? color.map((one, i) => [`${name}-${i + 1}`, one]) : [[name, color]];
  // a host that has a page of its own paints it
  const host = `var(--jp-layout-color0, var(--vscode-editor-background, ${page}))`;
  const colors = [["background", host], ...Object.entries(named).flatMap(series)];
  return `${selector} {\n${colors.map(([name, color]) => `  --lw-${name}: ${color};\n`).join("")}}\n`;
}
