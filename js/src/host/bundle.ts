// What the script of the package offers: a widget to a notebook, a view to any element. Where a page holds it as a plain
// script it shows the figures of that page; as a module it has no `currentScript`, and waits to be asked.

import { mountPage } from "./page.js";

export { default, mount } from "./widget.js";

const script = document.currentScript;
if (script) mountPage(script.previousElementSibling as HTMLElement);
