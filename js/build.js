// Builds what the Python package carries: the script and stylesheet of the view, those of the view and the lessons' parts, the
// few lines by which each widget of a notebook finds the script that all of them share, and those by which a page starts
// it. `--watch` keeps building.
import { watch } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { minify } from "@swc/core";
import { build, context } from "esbuild";
import { SOURCE, writeColors } from "./colors.js";

const common = {
  outdir: "../lenswidget/static",
  bundle: true,
  minify: true,
  charset: "utf8",
  target: "es2022",
  legalComments: "none",
  logLevel: "info",
};
const BUNDLES = ["widget", "lessons"];
// an old-fashioned script, because a page opened from a file may not load modules; one more line makes it a module
const views = {
  ...common,
  // h(…) in place of jsx(…), whose children are one property more each time: a fiftieth of the script
  tsconfigRaw: {
    compilerOptions: { jsx: "react", jsxFactory: "h", jsxFragmentFactory: "Fragment", useDefineForClassFields: false },
  },
  inject: ["jsx.js"],
  format: "esm",
  entryPoints: [
    { in: "src/host/bundle.ts", out: "widget" },
    { in: "src/style/style.css", out: "widget" },
    { in: "src/host/lessons.ts", out: "lessons" },
    { in: "src/style/lessons.css", out: "lessons" },
  ],
  plugins: [
    {
      name: "one script each",
      setup: ({ onEnd }) => onEnd(async () => void (await Promise.all(BUNDLES.map(asScript)))),
    },
  ],
};
const loader = { ...common, format: "esm", entryPoints: ["src/host/loader.ts"] };
const boot = { ...common, format: "iife", entryPoints: ["src/host/boot.ts"] };

writeColors();
if (process.argv.includes("--watch")) watch(SOURCE, writeColors);
for (const options of [views, loader, boot]) {
  if (process.argv.includes("--watch")) await (await context(options)).watch();
  else await build(options);
}

/** A module as an old-fashioned script that leaves one name, made smaller once more by another: a twentieth of what travels. */
async function asScript(bundle) {
  const path = `${common.outdir}/${bundle}.js`;
  const code = (await readFile(path, "utf8")).replace(/export\s*\{(.*)\};?\s*$/, (_, names) => {
    const given = names.split(",").map((one) => one.split(" as ").reverse().join(":"));
    return `return{${given}}`;
  });
  const compress = { passes: 6, inline: 1, sequences: false, collapse_vars: false };
  const made = await minify(`var lenswidget=(()=>{${code}})()`, {
    ...{ compress, mangle: true, ecma: 2022, format: { asciiOnly: false } },
  });
  await writeFile(path, made.code);
}
