// The prompt, where there is a model to run it. The picture follows what is typed, and stays until there is another; where the
// model can write, it goes on from there.

import { useRef } from "preact/hooks";
import { spaced } from "../data/marks.js";
import { ASKED, type Asks, useAsking } from "./asking.js";
import { Prompts } from "./prompts.js";
import { Writing } from "./writing.js";

export function PromptBox(asks: Asks) {
  const { settings, isLost, ask } = asks;
  const { live, writes, prompt, progress, turns } = settings;
  const box = useRef<HTMLTextAreaElement>(null);
  const { asked, run, follow } = useAsking(box, asks);
  if (!live.value) return null;

  const { state, done, message } = progress.value;
  const isWaiting = asked.value === "asking" || asked.value === "late";
  const isRunning = !isLost.value && (state === "running" || isWaiting);
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
