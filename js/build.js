// Builds what the Python package carries: the module and stylesheet of the widget, and the script of a page that
// stands alone. `--watch` keeps building.
import { build, context } from "esbuild";

const common = {
  outdir: "../lenswidget/static",
  bundle: true,
  minify: true,
  charset: "utf8",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  logLevel: "info",
};
const widget = {
  ...common,
  format: "esm",
  entryPoints: [
    { in: "src/widget.ts", out: "widget" },
    { in: "src/style.css", out: "widget" },
  ],
};
// an old-fashioned script, because a page opened from a file may not load modules
const page = { ...common, format: "iife", entryPoints: ["src/page.ts"] };

for (const options of [widget, page]) {
  if (process.argv.includes("--watch")) await (await context(options)).watch();
  else await build(options);
}
