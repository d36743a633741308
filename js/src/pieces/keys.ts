// Keys for what has one tab stop and moves within itself.

/** Hands keys to `act`, which says whether one meant anything here; those that did go no further. */
export function keysFor(act: (key: string) => boolean): (event: KeyboardEvent) => void {
  return (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !act(event.key)) return;
    event.preventDefault();
    event.stopPropagation(); // a notebook has meanings of its own for most keys
  };
}

/** Where keys lead in a grid of cells. */
export const ARROWS: Record<string, [up: number, right: number]> = {
  ArrowUp: [1, 0],
  ArrowDown: [-1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  Home: [0, Number.NEGATIVE_INFINITY],
  End: [0, Number.POSITIVE_INFINITY],
  PageUp: [Number.POSITIVE_INFINITY, 0],
  PageDown: [Number.NEGATIVE_INFINITY, 0],
};
