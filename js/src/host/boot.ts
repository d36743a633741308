// What starts a page: it unpacks the script that stands before it, and runs that. Where that can't be done, readers keep the
// pictures that they have without scripts.

import { textOf } from "./packed.js";

const packed = document.currentScript!.previousElementSibling!;
textOf(packed.textContent!).then(
  (code) => {
    const script = document.createElement("script");
    script.textContent = code;
    packed.after(script);
  },
  () => {},
);
