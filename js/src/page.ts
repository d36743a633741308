// The script of a page that stands alone: it shows each element's `data-lens`, a message in base64, in that element,
// beginning with the settings in its `data-settings`.

import { mount } from "./widget.js";

for (const el of document.querySelectorAll<HTMLElement>("[data-lens]")) {
  const text = atob(el.dataset.lens!);
  mount(
    el,
    Uint8Array.from(text, (character) => character.charCodeAt(0)),
    JSON.parse(el.dataset.settings ?? "{}"),
  );
}
