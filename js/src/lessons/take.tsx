// Answers, taken out as a file and put in again: to go on elsewhere, or for a teacher to read.

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { putIn, takeOut } from "./storage.js";

const NAME = "answers.json";

export function Take() {
  const told = useSignal("");
  const file = useRef<HTMLInputElement>(null);
  const save = () => {
    const url = URL.createObjectURL(new Blob([takeOut()], { type: "application/json" }));
    const link = document.createElement("a");
    Object.assign(link, { href: url, download: NAME, target: "_blank", rel: "noreferrer" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    told.value = `Saved as ${NAME}.`;
  };
  const put = async ({ currentTarget }: { currentTarget: HTMLInputElement }) => {
    const [chosen] = currentTarget.files!;
    if (!chosen) return;
    told.value = putIn(await chosen.text());
    currentTarget.value = "";
  };
  return (
    <div class="lw-away">
      <div>
        <h4>Take your answers with you</h4>
        <p class="lw-muted">
          They are sent nowhere. The file opens in this lesson on another computer, and your teacher can read it.
        </p>
        <p role="status">{told.value}</p>
      </div>
      <p class="lw-acts">
        <button type="button" class="lw-main" onClick={save}>
          Save {NAME}
        </button>
        <button type="button" class="lw-second" onClick={() => file.current!.click()}>
          Open {NAME}…
        </button>
        <input ref={file} type="file" accept=".json,application/json" hidden onChange={put} />
      </p>
    </div>
  );
}
