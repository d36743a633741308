// The prompt, where there is a model to run it. The picture follows what is typed, and stays until there is another; where the
// model can write, it goes on from there.

import { effect, type ReadonlySignal, useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { spaced } from "../data/marks.js";
import type { Live } from "../state/live.js";
import type { Shared } from "../state/settings.js";
import { Prompts } from "./prompts.js";
import { Writing } from "./writing.js";

/** So long a kernel may take to say that it has begun. */
const PATIENCE = 5000;
/** So long after the last key what is typed is asked for. */
const PAUSE = 150;

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
  ask: Live["ask"] | undefined;
}

export function PromptBox({ settings, isLost, turn, ask }: Props) {
  const { live, writes, prompt, progress, turns } = settings;
  const box = useRef<HTMLTextAreaElement>(null);
  const asked = useSignal<keyof typeof ASKED>("");
  const [timer, typing] = [useRef(0), useRef(0)];
  /** What the box held when it and Python last agreed. */
  const agreed = useRef(prompt.peek());
  const answered = () => {
    clearTimeout(timer.current);
    asked.value = "";
  };
  useLayoutEffect(answered, [turn]);
  useLayoutEffect(
    () => () => {
      clearTimeout(timer.current);
      clearTimeout(typing.current);
    },
    [],
  );
  // at once, where useSignalEffect waits for a frame, within which a quick run begins and ends
  useLayoutEffect(
    () =>
      effect(() => {
        if (progress.value.state !== "idle") answered();
      }),
    [],
  );
  useLayoutEffect(
    () =>
      effect(() => {
        const text = prompt.value;
        if (!text) return; // on the way to the same one again
        // what is being typed stays; what the model wrote is added, and what was chosen takes its place
        if (box.current && box.current.value === agreed.current) box.current.value = text;
        agreed.current = text;
      }),
    [],
  );
  // what was asked in a chat stands above the box, which is free for what comes next
  useLayoutEffect(
    () =>
      effect(() => {
        if (turns.value.length && box.current) agreed.current = box.current.value = prompt.peek();
      }),
    [],
  );
  if (!live.value) return null;

  const { state, done, message } = progress.value;
  const isWaiting = asked.value === "asking" || asked.value === "late";
  const isRunning = !isLost.value && (state === "running" || isWaiting);
  /** Whether there is something to ask for, with what follows from that. */
  const begin = (text: string): boolean => {
    clearTimeout(timer.current);
    clearTimeout(typing.current);
    asked.value = text.trim() ? "asking" : "empty";
    if (asked.value === "empty") return false;
    agreed.current = box.current!.value = text;
    timer.current = window.setTimeout(() => {
      if (asked.value === "asking") asked.value = "late";
    }, PATIENCE);
    return true;
  };
  const run = (text: string) => {
    if (isLost.value || !begin(text)) return;
    if (text === prompt.peek()) prompt.value = ""; // a trait that keeps its value tells nobody
    prompt.value = text;
  };
  const follow = (event: InputEvent) => {
    clearTimeout(typing.current);
    if (!writes.value || isLost.value || event.isComposing) return;
    typing.current = window.setTimeout(() => {
      const text = box.current!.value;
      if (text !== agreed.current && begin(text)) ask?.({ do: "type", prompt: text });
    }, PAUSE);
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
        run(box.current!.value);
      }}
    >
      {turns.value.length > 0 && (
        <div class="lw-turns">
          {turns.value.map(({ role, content }, i) => (
            <p key={i}>
              <span class="lw-muted">{role}</span> <bdi>{spaced(content)}</bdi>
            </p>
          ))}
          <button type="button" onClick={() => ask?.({ do: "new chat" })}>
            new chat
          </button>
        </div>
      )}
      <textarea
        ref={box}
        rows={1}
        aria-label="Prompt"
        placeholder={writes.value ? "type a prompt" : "a prompt, then Enter"}
        spellcheck={false}
        defaultValue={prompt.peek()}
        disabled={isLost.value}
        onInput={follow}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          run(box.current!.value);
        }}
      />
      <div class="lw-asks">
        <Prompts {...{ settings, ask, run }} />
        {writes.value ? (
          <Writing ask={ask} isLost={isLost.value} isRunning={state === "running"} />
        ) : (
          <button type="submit" disabled={isLost.value}>
            run
          </button>
        )}
      </div>
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
