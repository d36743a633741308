// Ids for what refers to another element: of its own in the whole page, which may hold many views.

import { useMemo } from "preact/hooks";

// another script in the page counts, too
const script = Math.random().toString(36).slice(2, 7);
let count = 0;

/** An id that stays; Preact's own begin anew in each view. */
export function useOwnId(): string {
  return useMemo(() => `lw-${script}-${count++}`, []);
}
