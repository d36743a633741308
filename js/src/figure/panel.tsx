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
  return (
    <>
      <div class="lw-panels" data-many={each.length > MOST_SIDE_BY_SIDE}>
        {each.map((state, i) => (
          <Beside
            key={i}
            view={view}
            state={state}
            name={names[i]!}
            charted={each.length <= MOST_SIDE_BY_SIDE}
            {...rest}
          />
        ))}
      </div>
      {view.holds("color") && first!.grid.view !== "bars" && <Legend states={each} palette={rest.palette.value} />}
    </>
  );
}

interface BesideProps extends Paints {
  view: ViewState;
  state: GridState;
  name: string;
  charted: boolean;
}

function Beside({ view, state, name, charted, ...rest }: BesideProps) {
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
      <Body state={state} legend={!view.holds("color")} accompanied charted={charted} {...rest} />
    </section>
  );
}
