// What a reader asks of the model behind a prompt, and what became of it while nothing has come.

import { effect, type ReadonlySignal, useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Live } from "../state/live.js";
import type { Shared } from "../state/settings.js";

/** So long a kernel may take to say that it has begun. */
const PATIENCE = 5000;
/** So long after the last key what is typed is asked for. */
const PAUSE = 150;

/** What became of the last request, while nothing has come of it. */
export const ASKED = {
  "": "",
  empty: "There is nothing to run: the prompt is empty.",
  asking: "Asking the kernel…",
  late: "The kernel doesn’t answer: it is busy with another cell, or gone.",
};

export interface Asks {
  settings: Shared;
  isLost: ReadonlySignal<boolean>;
  /** Of the message that is shown: another one is an answer. */
  turn: number;
  ask: Live["ask"] | undefined;
}

interface Asking {
  asked: ReadonlySignal<keyof typeof ASKED>;
  /** Runs a prompt. */
  run: (prompt: string) => void;
  /** Asks for what is typed, once the keys rest. */
  follow: (event: InputEvent) => void;
}

export function useAsking(box: RefObject<HTMLTextAreaElement | null>, { settings, isLost, turn, ask }: Asks): Asking {
  const { writes, prompt, progress, turns } = settings;
  const asked = useSignal<keyof typeof ASKED>("");
  const [timer, typing] = [useRef(0), useRef(0)];
  /** What the box held when it and Python last agreed. */
  const agreed = useRef(prompt.peek());
  const forget = () => {
    clearTimeout(timer.current);
    clearTimeout(typing.current);
  };
  const answered = () => {
    clearTimeout(timer.current);
    asked.value = "";
  };
  useLayoutEffect(answered, [turn]);
  // at once, where useSignalEffect waits for a frame, within which a quick run begins and ends
  useLayoutEffect(() => {
    const ends = [
      effect(() => {
        if (progress.value.state !== "idle") answered();
      }),
      effect(() => {
        const text = prompt.value;
        if (!text) return; // on the way to the same one again
        // what is being typed stays; what the model wrote is added, and what was chosen takes its place
        if (box.current && box.current.value === agreed.current) box.current.value = text;
        agreed.current = text;
      }),
      effect(() => {
        // what was asked in a chat stands above the box, which is free for what comes next
        if (turns.value.length && box.current) agreed.current = box.current.value = prompt.peek();
      }),
      forget,
    ];
    return () => {
      for (const end of ends) end();
    };
  }, []);

  /** Whether there is something to ask for, with what follows from that. */
  const begin = (text: string): boolean => {
    forget();
    asked.value = text.trim() ? "asking" : "empty";
    if (asked.value === "empty") return false;
    agreed.current = box.current!.value = text;
    timer.current = window.setTimeout(() => {
      if (asked.value === "asking") asked.value = "late";
    }, PATIENCE);
    return true;
  };
  return {
    asked,
    run(text) {
      if (isLost.value || !begin(text)) return;
      if (text === prompt.peek()) prompt.value = ""; // a trait that keeps its value tells nobody
      prompt.value = text;
    },
    follow(event) {
      clearTimeout(typing.current);
      if (!writes.value || isLost.value || event.isComposing) return;
      typing.current = window.setTimeout(() => {
        const text = box.current!.value;
        if (text !== agreed.current && begin(text)) ask?.({ do: "type", prompt: text });
      }, PAUSE);
    },
  };
}
