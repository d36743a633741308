// A word that is explained where it stands: on hover, on focus, and where it is tapped.

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { useOwnId } from "../pieces/own-id.js";
import { scaleOf } from "../pieces/pixels.js";

const REST = 120;

interface Props {
  name: string;
  /** What it means. */
  card: ComponentChildren;
}

export function Term({ name, card }: Props) {
  const [isOpen, open] = useState(false);
  const id = useOwnId();
  const whole = useRef<HTMLSpanElement>(null);
  const wait = useRef<ReturnType<typeof setTimeout>>(undefined);
  const later = (is: boolean) => {
    clearTimeout(wait.current);
    wait.current = setTimeout(() => open(is), REST);
  };
  const now = (is: boolean) => {
    clearTimeout(wait.current);
    open(is);
  };
  useLayoutEffect(() => {
    if (isOpen) keepIn(whole.current!);
  }, [isOpen]);
  return (
    <span
      ref={whole}
      class="lw-term"
      onPointerEnter={({ pointerType }) => pointerType === "mouse" && later(true)}
      onPointerLeave={({ pointerType }) => pointerType === "mouse" && later(false)}
    >
      <button
        type="button"
        aria-describedby={isOpen ? id : undefined}
        onFocus={() => now(true)}
        onBlur={() => now(false)}
        onClick={() => now(true)}
        onKeyDown={(event) => {
          if (event.key !== "Escape" || !isOpen) return;
          event.preventDefault();
          now(false);
        }}
      >
        {name}
      </button>
      {isOpen && (
        <span id={id} role="tooltip" class="lw-popup">
          {card}
        </span>
      )}
    </span>
  );
}

/** Moves a card to where its part has room for it. */
function keepIn(whole: HTMLElement): void {
  const card = whole.lastElementChild as HTMLElement;
  const scale = scaleOf(whole.closest<HTMLElement>(".lenswidget")!);
  const frame = whole.closest(".lenswidget")!.getBoundingClientRect();
  const { left, right } = card.getBoundingClientRect();
  const over = Math.max(0, right - frame.right + 8);
  card.style.marginLeft = `${(-over + Math.max(0, frame.left + 8 - (left - over))) / scale}px`;
}
