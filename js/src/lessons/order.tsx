// Things to put in order: dragged, or moved by keys.

import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { keysFor } from "../pieces/keys.js";
import { answersTo, isDone, type Kind } from "./kinds.js";
import type { Spec } from "./part.js";
import { Rich } from "./rich.js";
import { keyOf } from "./sealed.js";
import { Verdict, Verdicts } from "./verdict.js";

interface Asked extends Spec {
  /** Mixed. */
  items: string[];
  sealed: string;
}

interface Key {
  right: string[];
  say: string;
}

const STEPS: Record<string, number> = {
  ArrowUp: -1,
  ArrowDown: 1,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

export const order: Kind<Asked> = {
  label: "Put in order",
  asks: true,
  isAnswer: ({ items }, answer) =>
    Array.isArray(answer) && answer.length === items.length && items.every((one) => answer.includes(one)),
  judge: (asked, answer) => inPlace(asked, answer) === asked.items.length,
  Body({ part, once = false }) {
    const { spec } = part;
    const given = answersTo(part) as string[][];
    const done = isDone(part, once);
    const { right = [], say = "" } = keyOf<Key>(spec);
    const isSolved = given.length > 0 && order.judge(spec, given.at(-1)) === true;
    const draft = useSignal<string[] | null>(null);
    const told = useSignal("");
    const dragged = useSignal<string | null>(null);
    const list = useRef<HTMLOListElement>(null);
    /** What was moved by keys: an element that is put elsewhere loses the focus. */
    const moved = useRef<string | null>(null);
    const shown = done && part.givenUp.value ? right : ((done ? null : draft.value) ?? given.at(-1) ?? spec.items);
    useLayoutEffect(() => {
      const at = moved.current === null ? -1 : shown.indexOf(moved.current);
      moved.current = null;
      list.current!.querySelectorAll("button")[at]?.focus();
    }, [draft.value]);
    const move = (text: string, to: number) => {
      const at = shown.indexOf(text);
      const place = Math.max(0, Math.min(shown.length - 1, to));
      if (done || place === at) return;
      draft.value = shown.toSpliced(at, 1).toSpliced(place, 0, text);
      told.value = `${text}: now ${place + 1} of ${shown.length}`;
    };
    /** The place of what is dragged: that of the item under the pointer. */
    const drag = (event: PointerEvent) => {
      if (dragged.value === null) return;
      const boxes = [...list.current!.children].map((one) => one.getBoundingClientRect());
      const under = boxes.findIndex(({ top, bottom }) => event.clientY >= top && event.clientY < bottom);
      if (under >= 0) move(dragged.value, under);
    };
    const drop = () => {
      dragged.value = null;
    };
    return (
      <>
        <ol ref={list} class="lw-order" onPointerMove={drag} onPointerUp={drop} onPointerCancel={drop}>
          {shown.map((text, i) => (
            <li key={text} data-dragged={dragged.value === text}>
              <button
                type="button"
                disabled={done}
                aria-label={`${text}, ${i + 1} of ${shown.length}. Move it with the arrow keys.`}
                onKeyDown={keysFor((key) => {
                  const step = STEPS[key];
                  if (step === undefined) return false;
                  moved.current = text;
                  move(text, i + step);
                  return true;
                })}
                onPointerDown={(event) => {
                  const isHeld = event.pointerType !== "touch" || (event.target as Element).closest(".lw-grip");
                  if (done || event.button || !isHeld) return; // a finger beside the grip scrolls
                  dragged.value = text;
                  list.current!.setPointerCapture(event.pointerId);
                }}
              >
                <span class="lw-grip" aria-hidden="true" />
                <span>
                  <Rich text={text} />
                </span>
              </button>
            </li>
          ))}
        </ol>
        <p class="lw-spoken" role="status">
          {told.value}
        </p>
        {!done && (
          <p class="lw-acts">
            <button
              type="button"
              class="lw-main"
              onClick={() => {
                part.try(shown);
                told.value = "";
              }}
            >
              Check
            </button>
            <span class="lw-muted">
              Drag, or press <kbd>↑</kbd> <kbd>↓</kbd>
            </span>
          </p>
        )}
        <Verdicts>
          {given.length > 0 && !isSolved && (
            <Verdict key={given.length} stand="wrong">
              <strong>{`${inPlace(spec, given.at(-1))} of ${spec.items.length}`}</strong> stand where they belong.
            </Verdict>
          )}
          {done && (
            <Verdict stand="right">
              {isSolved ? <strong>In order. </strong> : <strong>{`${right.join(" → ")}. `}</strong>}
              <Rich text={say} terms={spec.terms} />
            </Verdict>
          )}
        </Verdicts>
      </>
    );
  },
};

/** How many items of an answer are at their places. */
function inPlace(asked: Asked, answer: unknown): number {
  const { right = [] } = keyOf<Key>(asked);
  return (answer as string[]).filter((one, i) => one === right[i]).length;
}
