// Several grids beside each other, each under its name.

import type { Paints } from "../heatmap/heatmap-view.js";
import { Legend } from "../heatmap/legend.js";
import { named } from "../pieces/named.js";
import { MOST_SIDE_BY_SIDE, type ViewState } from "../state/view-state.js";
import { Body } from "./body.js";
import { Pair } from "./pair.js";
import { PanelHead } from "./panel-head.js";

export function Panels(props: Paints & { view: ViewState }) {
  const { view, palette, painted } = props;
  const { each, names } = view;
  const [first] = each;
  // a sweep beside a lens has a scale of its own
  const isOneScale = view.holds("color") && new Set(each.map(({ quantity }) => quantity.value.measure)).size === 1;
  return (
    <>
      <Pair {...props}>
        <div class="lw-panels" data-many={each.length > MOST_SIDE_BY_SIDE}>
          {each.map((state, i) => (
            <div key={i} class="lw-panel" {...named(names[i]!)}>
              <PanelHead {...{ view, state }} name={names[i]!} />
              <Body
                {...{ state, palette, painted }}
                accompanied
                legend={!isOneScale}
                charted={each.length <= MOST_SIDE_BY_SIDE}
              />
            </div>
          ))}
        </div>
      </Pair>
      {isOneScale && first!.grid.view !== "bars" && <Legend states={each} palette={palette.value} />}
    </>
  );
}
