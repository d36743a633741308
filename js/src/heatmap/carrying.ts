// How a state is carried from one heatmap into another: dragged with a mouse, or taken up with a key or by holding a finger on
// it, and put down with the next click, tap or Enter.

import { useRef } from "preact/hooks";
import type { Cell } from "../data/grid.js";
import { type GridState, isSame } from "../state/grid-state.js";

/** How long a finger rests on a cell until that is taken up, in milliseconds. */
const HELD = 500;
/** How far a finger may tremble meanwhile, in pixels. */
const TREMBLE = 10;

interface Carrying {
  onPointerDown: (event: PointerEvent) => void;
  onPointerMove: (event: PointerEvent) => void;
  onPointerUp: (event: PointerEvent) => void;
  /** Whether a click or Enter on a cell put something down, and so selects nothing. */
  puts: (cell: Cell) => boolean;
  /** Takes a cell up. */
  take: (cell: Cell) => void;
  /** Lets go of what is carried; false where nothing is. */
  letGo: () => boolean;
}

export function useCarrying(
  { experiments, which }: GridState,
  cellUnder: (event: MouseEvent) => Cell | null,
): Carrying {
  const pressed = useRef<{ cell: Cell; x: number; y: number; timer: number } | null>(null);
  const isDone = useRef(false);
  const canGive = () => experiments !== null && which !== null && experiments.canGive(which);
  const release = () => {
    clearTimeout(pressed.current?.timer);
    pressed.current = null;
  };
  const take = (cell: Cell) => {
    if (canGive()) experiments!.carry(which!, cell);
  };
  return {
    take,
    onPointerDown(event) {
      const cell = cellUnder(event);
      isDone.current = false;
      if (!cell || !canGive() || experiments!.carried.value || event.button !== 0) return;
      const hold = () => {
        take(cell);
        isDone.current = true;
      };
      const timer = event.pointerType === "touch" ? window.setTimeout(hold, HELD) : 0;
      pressed.current = { cell, x: event.clientX, y: event.clientY, timer };
    },
    onPointerMove(event) {
      const from = pressed.current;
      if (!from) return;
      if (event.pointerType === "touch") {
        if (Math.hypot(event.clientX - from.x, event.clientY - from.y) > TREMBLE) release();
      } else if (!event.buttons) release();
      else if (!isSame(cellUnder(event), from.cell)) drag(from.cell);
    },
    onPointerUp(event) {
      const [carried, cell] = [experiments?.carried.value, cellUnder(event)];
      release();
      if (!carried || event.pointerType === "touch" || !isDragged.current) return;
      isDone.current = true;
      setTimeout(() => (isDone.current = false)); // the click that may follow it at once
      if (cell && which !== null && !(carried.which === which && isSame(carried.cell, cell)))
        experiments!.put(which, cell);
      else experiments!.letGo();
    },
    puts(cell) {
      if (isDone.current) {
        isDone.current = false;
        return true;
      }
      if (!experiments?.carried.value || which === null) return false;
      experiments.put(which, cell);
      return true;
    },
    letGo() {
      if (!experiments?.carried.value) return false;
      experiments.letGo();
      return true;
    },
  };

  /** From now on the button lets go of it wherever it comes up. */
  function drag(cell: Cell) {
    release();
    take(cell);
    isDragged.current = experiments?.carried.value != null;
    const end = () => {
      isDragged.current = false;
      experiments!.letGo(); // what was put down is gone already
    };
    addEventListener("pointerup", end, { once: true });
    addEventListener("pointercancel", end, { once: true });
  }
}

/** Whether what is carried is dragged: one pointer drags, through any heatmap. */
const isDragged = { current: false };
