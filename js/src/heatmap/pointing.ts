// What the pointer and the keys do in a heatmap.

import { type ReadonlySignal, type Signal, useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useRef } from "preact/hooks";
import { type Cell, candidatesAt } from "../data/grid.js";
import { keysFor } from "../pieces/keys.js";
import { pointIn } from "../pieces/pixels.js";
import { type GridState, isSame } from "../state/grid-state.js";
import { spoken } from "../text/words.js";
import { useCarrying } from "./carrying.js";
import type { Frame } from "./frame.js";
import { cellAt, destination } from "./layout.js";
import type { Scrolling } from "./scrolling.js";

interface Pointing {
  /** Whether this is the heatmap that the pointer or the keys are in. */
  isActive: ReadonlySignal<boolean>;
  /** What is read aloud: only what the keys move to, as a pointer's every step would be noise. */
  speech: Signal<string>;
  /** What listens on the element that scrolls. */
  listeners: {
    onPointerDown: (event: PointerEvent) => void;
    onPointerMove: (event: PointerEvent) => void;
    onPointerUp: (event: PointerEvent) => void;
    onPointerLeave: () => void;
    onBlur: () => void;
    onScroll: () => void;
    onClick: (event: MouseEvent) => void;
    onKeyDown: (event: KeyboardEvent) => void;
  };
}

export function usePointing(
  state: GridState,
  { layout, scrolled, bring }: Frame,
  { told }: Scrolling,
  scroller: RefObject<HTMLElement | null>,
): Pointing {
  const { grid, settings, hover, selected } = state;
  const isActive = useSignal(false);
  const speech = useSignal("");
  const pointer = useRef<{ x: number; y: number } | null>(null);
  const point = () => {
    const at = pointer.current;
    const cell = at && cellAt(layout.value, at.x, at.y, scrolled.value);
    if (!isSame(cell, hover.value)) hover.value = cell;
  };
  const cellUnder = (event: MouseEvent) => {
    const { x, y } = pointIn(scroller.current!, event);
    return cellAt(layout.value, x, y, scrolled.value);
  };
  const carrying = useCarrying(state, cellUnder);
  const follow = (event: MouseEvent) => {
    isActive.value = true;
    pointer.current = pointIn(scroller.current!, event);
    point();
  };
  const onPointerMove = (event: PointerEvent) => {
    follow(event);
    carrying.onPointerMove(event);
  };
  const onPointerLeave = () => {
    pointer.current = null;
    isActive.value = false;
    hover.value = null;
  };
  const onScroll = () => {
    told();
    // scrolling under a resting pointer moves another cell beneath it
    if (pointer.current) point();
  };
  const choose = (cell: Cell) => carrying.puts(cell) || state.toggleSelected(cell);
  /** Does what a key asks for; false for a key that asks for nothing here. */
  const act = (key: string): boolean => {
    const now = hover.value ?? selected.value;
    const next = destination(layout.value, key, now);
    if (next) {
      pointer.current = null;
      isActive.value = true;
      hover.value = next;
      speech.value = spoken(grid, state.quantity.value, next);
      bring(next.column);
    } else if (!now) {
      return false;
    } else if (key === "Enter" || key === " ") {
      choose(now);
    } else if (key === "e" || key === "E") {
      carrying.take(now);
    } else if (key === "c" || key === "C") {
      state.pickRow(now.row);
    } else if (key === "p" || key === "P") {
      const [leader] = candidatesAt(grid, now);
      if (leader) state.togglePin(leader.token, key === "P");
    } else if (key === "Escape") {
      if (carrying.letGo()) return true;
      if (selected.value) settings.selected.value = null;
      else hover.value = null;
    } else {
      return false;
    }
    return true;
  };
  const onClick = (event: MouseEvent) => {
    follow(event);
    if (hover.value) choose(hover.value);
  };
  const { onPointerDown, onPointerUp } = carrying;
  const listeners = {
    onPointerDown,
    onPointerMove,
    onPointerUp,
    onPointerLeave,
    onBlur: onPointerLeave,
    onScroll,
    onClick,
  };
  return { isActive, speech, listeners: { ...listeners, onKeyDown: keysFor(act) } };
}
