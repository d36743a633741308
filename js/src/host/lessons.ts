// What the script with the lessons' parts offers: all that the other does, and each part as a widget and in a page.

import type { Source } from "../export/saved-page.js";
import { followCourse } from "../lessons/course.js";
import { explainTerms } from "../lessons/prose-terms.js";
import { mountPage } from "./page.js";
import { mountPart, renderPart } from "./parts.js";
import createWidget, { type Host } from "./widget.js";

export { mount } from "./widget.js";

export default (source?: Source) => ({
  render(host: Host): void {
    const model = host.model as unknown as Parameters<typeof renderPart>[0];
    if (model.get("part")) renderPart(model, host.el, host.signal, source);
    else createWidget(source).render(host);
  },
});

const script = document.currentScript;
if (script) {
  mountPage(script.previousElementSibling as HTMLElement, mountPart);
  explainTerms();
  followCourse();
}
