// Pixels. The page says where a pointer is, and where a box is, in pixels of the window; on a slide that is shown larger,
// under `transform` or `zoom`, those of the layout are others.

import { signal } from "@preact/signals";

/** How many pixels of the window a pixel of an element's layout is. */
export function scaleOf(element: HTMLElement): number {
  return element.getBoundingClientRect().width / element.offsetWidth || 1;
}

/** Where a pointer is, from the corner of an element, in pixels of its layout. */
export function pointIn(element: HTMLElement, { clientX, clientY }: MouseEvent): { x: number; y: number } {
  const { x, y } = element.getBoundingClientRect();
  const scale = scaleOf(element);
  return { x: (clientX - x) / scale, y: (clientY - y) / scale };
}

/** Device pixels in a pixel of the window. */
export const density = signal(devicePixelRatio);

function ask(): void {
  density.value = devicePixelRatio;
}

/** On another screen there may be more or fewer, without any box getting another size. */
function follow(): void {
  ask();
  matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener("change", follow, { once: true });
}
follow();
// not every browser tells a frame
for (const event of ["resize", "pointermove"]) addEventListener(event, ask);
