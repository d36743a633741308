// Whether the page is being printed, or shown as it would be.

import { signal } from "@preact/signals";

const paper = matchMedia("print");

export const printing = signal(paper.matches);

paper.addEventListener("change", () => (printing.value = paper.matches));
// Safari says it so
addEventListener("beforeprint", () => (printing.value = true));
addEventListener("afterprint", () => (printing.value = false));
