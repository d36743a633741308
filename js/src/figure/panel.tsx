// Several grids beside each other, each under its name.

import { Color, Rows } from "../controls/controls.js";
import type { Paints } from "../heatmap/heatmap-view.js";
import { Legend } from "../heatmap/legend.js";
import { Check, unchecked } from "../pieces/check.js";
import type { GridState } from "../state/grid-state.js";
import { MOST_SIDE_BY_SIDE, type ViewState } from "../state/view-state.js";
import { Body } from "./body.js";

export function Panels({ view, ...rest }: Paints & { view: ViewState }) {
  const { each, names } = view;
  const [first] = each;
  // a sweep beside a lens has a scale of its own
  const isOneScale = view.holds("color") && new Set(each.map(({ quantity }) => quantity.value.measure)).size === 1;
  return (
    <>
      <div class="lw-panels" data-many={each.length > MOST_SIDE_BY_SIDE}>
        {each.map((state, i) => (
          <Beside
            key={i}
            view={view}
            state={state}
            name={names[i]!}
            legend={!isOneScale}
            charted={each.length <= MOST_SIDE_BY_SIDE}
            {...rest}
          />
        ))}
      </div>
      {isOneScale && first!.grid.view !== "bars" && <Legend states={each} palette={rest.palette.value} />}
    </>
  );
}

interface BesideProps extends Paints {
  view: ViewState;
  state: GridState;
  name: string;
  legend: boolean;
  charted: boolean;
}

function Beside({ view, state, name, ...rest }: BesideProps) {
  const { grid } = state;
  const apart = state !== view.each[0];
  return (
    <section class="lw-panel" aria-label={name}>
      <div class="lw-panel-head">
        <p class="lw-strong">
          <bdi>{name}</bdi>
        </p>
        <p class="lw-muted" title={grid.notes.join(", ")}>
          {grid.notes.join(", ")}
        </p>
        {!view.check && grid.view !== "bars" && <Check check={grid.check} none={unchecked(grid)} />}
        {apart && !view.holds("color") && <Color state={state} />}
        {apart && !view.holds("stride") && <Rows state={state} />}
      </div>
      <Body state={state} accompanied {...rest} />
    </section>
  );
}
