// What starts a page: it unpacks the script that stands before it, and runs that. Where that can't be done, readers see what
// they would without scripts.

import { textOf } from "./packed.js";

const packed = document.currentScript!.previousElementSibling!;
textOf(packed.textContent!).then(
  (code) => {
    const script = document.createElement("script");
    script.textContent = code;
    packed.after(script);
  },
  () => {
    // with scripts, a browser takes what is in <noscript> for text
    for (const still of document.querySelectorAll("[data-lens] noscript")) still.outerHTML = still.textContent!;
  },
);
