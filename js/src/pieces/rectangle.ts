// Where something lies in the page, in CSS pixels.

export interface Size {
  width: number;
  height: number;
}

export interface Rectangle extends Size {
  x: number;
  y: number;
}

/** The value nearest to one in a stretch from `start` on. */
export function within(value: number, start: number, length: number): number {
  return Math.max(start, Math.min(value, start + length));
}
