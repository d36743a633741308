// Keys for what has one tab stop and moves within itself.

/** Hands keys to `act`, which says whether one meant anything here; those that did go no further. */
export function keysFor(act: (key: string) => boolean): (event: KeyboardEvent) => void {
  return (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !act(event.key)) return;
    event.preventDefault();
    event.stopPropagation(); // a notebook has meanings of its own for most keys
  };
}
