// What stands above one of several grids: its name, what is said of it, and what it doesn't share with the others.

import { Color, Rows } from "../controls/controls.js";
import { Check, unchecked } from "../pieces/check.js";
import type { GridState } from "../state/grid-state.js";
import type { ViewState } from "../state/view-state.js";

export function PanelHead({ view, state, name }: { view: ViewState; state: GridState; name: string }) {
  const { grid } = state;
  const apart = state !== view.each[0];
  const notes = grid.notes.join(", ");
  return (
    <div class="lw-panel-head">
      <p class="lw-strong">
        <bdi>{name}</bdi>
      </p>
      <p class="lw-muted" title={notes}>
        {notes}
      </p>
      {!view.check && grid.view !== "bars" && <Check check={grid.check} none={unchecked(grid)} />}
      {apart && !view.holds("color") && <Color state={state} />}
      {apart && !view.holds("stride") && <Rows state={state} />}
    </div>
  );
}
