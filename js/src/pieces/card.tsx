// The card of a cell: beside what is pointed at, where it follows the pointer, or docked, where it stays.

import { useLayoutEffect, useRef } from "preact/hooks";
import type { Cell } from "../data/grid.js";
import type { GridState } from "../state/grid-state.js";
import { cellName } from "../text/words.js";
import { CardBody, type More } from "./card-body.js";
import { Close } from "./close.js";
import { PatchedTitle } from "./patched.js";
import { place } from "./placing.js";
import type { Rectangle } from "./rectangle.js";

interface Props {
  state: GridState;
  cell: Cell;
  /** What is to be said of the cell beyond its quantities. */
  more?: More;
}

/** `at` is where the cell is, or null when it has been scrolled out of sight. */
export function FloatingCard({
  at,
  isSmall = false,
  ...rest
}: Props & { at: Rectangle | null; isSmall?: boolean | undefined }) {
  const card = useRef<HTMLElement>(null);
  useLayoutEffect(() => place(card.current!, at));
  const wide = !isSmall && rest.state.sides.length > 0;
  return (
    <section
      ref={card}
      class={`lw-card lw-floating${isSmall ? " lw-small" : ""}${wide ? " lw-wide" : ""}`}
      aria-hidden="true"
    >
      <Title {...rest} />
      <CardBody {...rest} isSmall={isSmall} />
    </section>
  );
}

function Title({ state, cell }: Props) {
  if (state.grid.sweep) return <PatchedTitle state={state} cell={cell} />;
  return <p class="lw-strong">{cellName(state.grid, cell)}</p>;
}

/** Its tokens can be pinned, and it is let go by hand. */
export function HeldCard({ state, cell, more }: Props) {
  return (
    <div class="lw-card lw-held">
      <Title state={state} cell={cell} />
      <CardBody {...{ state, cell, more }} held />
      <Close label="Let go of the cell" act={() => (state.settings.selected.value = null)} />
    </div>
  );
}
