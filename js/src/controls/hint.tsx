// What can be done here, told once: it goes when a cell is selected or it is closed, and doesn't come back.

import { useSignal, useSignalEffect } from "@preact/signals";
import { Close } from "../pieces/close.js";
import type { Shared } from "../state/settings.js";

const KEY = "lenswidget-hint";

export function Hint({ settings }: { settings: Shared }) {
  const isKnown = useSignal(stored());
  const close = () => {
    isKnown.value = true;
    try {
      localStorage.setItem(KEY, "known");
    } catch {
      // a sandboxed frame has no storage: the hint comes back with the next view
    }
  };
  useSignalEffect(() => {
    if (settings.selected.value && !isKnown.peek()) close();
  });
  if (isKnown.value) return null;
  return (
    <p class="lw-hint">
      Point at a cell to see what the model would say there. A click holds it; a click on a token in its card follows
      that token; a click on two layers’ names compares them. Arrow keys work, too.
      <Close label="Close the hint" act={close} />
    </p>
  );
}

function stored(): boolean {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    return false;
  }
}
