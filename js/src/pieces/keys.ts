// Keys for what has one tab stop and moves within itself.

/** Hands keys to `act`, which says whether one meant anything here; those that did go no further. */
export function keysFor(act: (key: string) => boolean): (event: KeyboardEvent) => void {
  return (event) => {
    if (isCommand(event) || !act(event.key)) return;
    event.preventDefault();
  };
}

/** Whether a key is meant for the page or the browser, whatever has the focus: to save, to search, to go back. */
function isCommand({ ctrlKey, metaKey, altKey }: KeyboardEvent): boolean {
  return ctrlKey || metaKey || altKey;
}

/**
 * Keeps the keys that are typed anywhere in a view from the page around it, until the signal is aborted: to a notebook an
 * "x" on a button means to cut the cell, and an arrow to leave it.
 */
export function keepKeys(place: HTMLElement, aborted: AbortSignal): void {
  const options = { signal: aborted };
  // JupyterLab takes keys on their way down from the document, unless what has the focus has this attribute itself; the
  // window comes before the document. From outside a shadow root, its host is what has the focus.
  const mark = (event: KeyboardEvent) => {
    const path = event.composedPath();
    if (!path.includes(place)) return;
    const [focused] = path as Element[];
    const isOurs = !isCommand(event) || focused!.matches(":read-write"); // where text is edited, so is Ctrl Z
    for (const target of [focused!, event.target as Element])
      target.toggleAttribute("data-lm-suppress-shortcuts", isOurs);
  };
  addEventListener("keydown", mark, { ...options, capture: true });
  // all others, on their way up, but for what leads out of here: Tab, and Escape where there is nothing to let go
  const stop = (event: KeyboardEvent) => {
    const leaves = event.key === "Tab" || (event.key === "Escape" && !event.defaultPrevented);
    if (!isCommand(event) && !leaves) event.stopPropagation();
  };
  for (const name of ["keydown", "keypress", "keyup"] as const) place.addEventListener(name, stop, options);
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
