// What every widget of a notebook carries. A notebook stores it once a widget, but the script, a hundred times its size,
// only once: in a model of its own that all widgets refer to, and that any host hands over by its name.

import type { Source } from "../export/saved-page.js";
import { textOf } from "./packed.js";
import type { Host } from "./widget.js";

const REFERENCE = "IPY_MODEL_";
/** Makes a module of the script. */
const EXPORT = "\nexport default lenswidget.default;";

interface Script {
  get(name: keyof Source): string;
  /** The module, kept on the model, so that ten widgets read one script once. */
  lenswidget?: Promise<typeof import("./widget.js")>;
}

interface Closing {
  on(event: "destroy", listener: () => void): void;
  set(values: Record<string, unknown>, options: { silent: true }): void;
}

export default () => ({
  /** JupyterLab keeps the model of every widget that was closed, as a cell that runs again closes it. It need not keep the data. */
  initialize({ model }: { model: Closing }): void {
    model.on("destroy", () => {
      // twice, because a model remembers what it held before
      for (let times = 0; times < 2; times++) model.set({ _esm: "", grids: null, explained: null }, { silent: true });
    });
  },
  async render({ model, el, signal: given }: Host): Promise<(() => void) | undefined> {
    // anywidget before 0.11, which Colab has, gives no signal; it calls what comes back when the view goes
    const ending = new AbortController();
    const signal = given ?? ending.signal;
    try {
      const name = model.get("script")!.slice(REFERENCE.length);
      const script = (await model.widget_manager!.get_model(name)) as Script;
      script.lenswidget ??= load(script.get("code"));
      const { default: create } = await script.lenswidget;
      if (signal.aborted) return undefined;
      // in the element, because a host may show it in a shadow root, which no style of the page reaches
      const style = document.createElement("style");
      const source = { code: script.get("code"), style: script.get("style"), page: script.get("page") };
      style.textContent = source.style;
      el.append(style);
      signal.addEventListener("abort", () => style.remove());
      create(source).render({ model, el, signal });
    } catch (reason) {
      const sentence = document.createElement("p");
      sentence.dataset.state = "error";
      sentence.setAttribute("role", "alert");
      sentence.textContent = `This widget can't open its script here (${(reason as Error).message}). Run the cell again, or try a newer browser.`;
      el.append(sentence);
    }
    return given ? undefined : () => ending.abort();
  },
});

async function load(code: string) {
  const url = URL.createObjectURL(new Blob([await textOf(code), EXPORT], { type: "text/javascript" }));
  try {
    return await import(url);
  } finally {
    URL.revokeObjectURL(url);
  }
}
