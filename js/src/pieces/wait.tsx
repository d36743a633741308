// What stands in the place of an answer that isn't there yet, or never will be.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { isSameJump } from "../state/jumps.js";
import type { Live } from "../state/live.js";
import type { Jump } from "../state/settings.js";

const PATIENCE = 4000;

export function Wait({ live, jump }: { live: Live | null; jump: Jump }) {
  const late = useSignal(false);
  useEffect(() => {
    const timer = setTimeout(() => {
      late.value = true;
    }, PATIENCE);
    return () => clearTimeout(timer);
  }, [late]);
  const answer = live?.explained.value;
  if (answer?.error && isSameJump(answer.jump, jump)) return <p class="lw-warning">{answer.error}</p>;
  if (!live?.explains.value) {
    return (
      <p>This jump isn’t among those saved, and there is no model here to ask: run the notebook to open any step.</p>
    );
  }
  return (
    <p role="status">
      {live.isLost.value
        ? "The kernel that could be asked is gone. Run the cell again."
        : late.value
          ? "No answer yet: the kernel is busy, or gone. If it is gone, run the cell again."
          : "Asking the model…"}
    </p>
  );
}
