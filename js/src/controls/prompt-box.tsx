// The prompt, where there is a model to run it. The picture beneath stays until there is another.

import { effect, type ReadonlySignal, useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Shared } from "../state/settings.js";

/** So long a kernel may take to say that it has begun. */
const PATIENCE = 5000;

/** What became of the last request, while nothing has come of it. */
const ASKED = {
  "": "",
  empty: "There is nothing to run: the prompt is empty.",
  asking: "Asking the kernel…",
  late: "The kernel doesn’t answer: it is busy with another cell, or gone.",
};

interface Props {
  settings: Shared;
  isLost: ReadonlySignal<boolean>;
  /** Of the message that is shown: another one is an answer. */
  turn: number;
}

export function PromptBox({ settings, isLost, turn }: Props) {
  const { live, prompt, progress } = settings;
  const box = useRef<HTMLTextAreaElement>(null);
  const asked = useSignal<keyof typeof ASKED>("");
  const timer = useRef(0);
  const answered = () => {
    clearTimeout(timer.current);
    asked.value = "";
  };
  useLayoutEffect(answered, [turn]);
  // at once, where useSignalEffect waits for a frame, within which a quick run begins and ends
  useLayoutEffect(
    () =>
      effect(() => {
        if (progress.value.state !== "idle") answered();
      }),
    [],
  );
  if (!live.value) return null;

  const { state, done, message } = progress.value;
  const isWaiting = asked.value === "asking" || asked.value === "late";
  const isRunning = !isLost.value && (state === "running" || isWaiting);
  const run = () => {
    const text = box.current!.value;
    if (isLost.value) return;
    clearTimeout(timer.current);
    asked.value = text.trim() ? "asking" : "empty";
    if (asked.value === "empty") return;
    if (text === prompt.peek()) prompt.value = ""; // a trait that keeps its value tells nobody
    prompt.value = text;
    timer.current = window.setTimeout(() => {
      if (asked.value === "asking") asked.value = "late";
    }, PATIENCE);
  };
  let said = "";
  if (isLost.value)
    said = "The kernel was restarted or has gone. The picture stays; to run prompts, run the cell again.";
  else if (asked.value) said = ASKED[asked.value];
  else if (state === "running") said = message || "Running…";
  else if (state === "failed") said = `${message || "That didn’t run."} The picture is of the last prompt that did.`;
  return (
    <form
      class="lw-prompt"
      aria-label="Prompt"
      onSubmit={(event) => {
        event.preventDefault();
        run();
      }}
    >
      <textarea
        ref={box}
        rows={1}
        aria-label="Prompt"
        placeholder="a prompt, then Enter"
        spellcheck={false}
        defaultValue={prompt.peek()}
        disabled={isLost.value}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          run();
        }}
      />
      <button type="submit" disabled={isLost.value}>
        run
      </button>
      <progress
        aria-label="Progress"
        hidden={!isRunning}
        {...(state === "running" && typeof done === "number" ? { value: done } : {})}
      />
      <p role="status" class={isLost.value || asked.value === "late" || state === "failed" ? "lw-warning" : "lw-muted"}>
        {said}
      </p>
    </form>
  );
}
