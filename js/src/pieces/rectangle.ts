// Where something lies in the page, in CSS pixels.

export interface Size {
  width: number;
  height: number;
}

export interface Rectangle extends Size {
  x: number;
  y: number;
}

/** It as a style. */
export function box(left: number, top: number, width: number, height: number) {
  return { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` };
}
