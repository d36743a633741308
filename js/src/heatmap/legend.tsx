// The scale, and what else can be met in the cells. Only what is really there is explained.

import { useLayoutEffect, useRef } from "preact/hooks";
import { broken, decided, followed, repeated } from "../../../lenswidget/grids/words.json";
import { MOVED } from "../data/cone.js";
import type { Grid } from "../data/grid.js";
import { density } from "../pieces/pixels.js";
import type { GridState } from "../state/grid-state.js";
import type { Palette } from "../style/palette.js";
import { ODD } from "../style/scale.js";
import { isShare, unitOf } from "../text/number.js";
import { inkSays, rowQuantityName } from "../text/row-quantity.js";
import { NO_PROOF, SHARES } from "../text/sweep.js";
import { quantityName } from "../text/words.js";
import { sized } from "./brush.js";
import { cellsOf } from "./cells.js";
import { gutterFor } from "./layout.js";
import { paintOdd, paintTrust } from "./odd.js";

const ODDITIES = [
  [ODD.nan, "not a number"],
  [ODD.above, "infinite"],
  [ODD.below, "minus infinite"],
  [ODD.high, "above the scale"],
  [ODD.low, "below the scale"],
] as const;

interface Props {
  /** Those that it speaks for; they have one scale. */
  states: GridState[];
  palette: Palette;
}

export function Legend({ states, palette }: Props) {
  const [{ grid, quantity, scale, believed }] = states as [GridState];
  const { ticks, step } = scale.value;
  const ramp = palette[scale.value.ramp];
  const stops = Array.from({ length: 17 }, (_, i) => ramp.fill[step(i / 16)]);
  const unit = unitOf(quantity.value);
  const cells = states.map((state) => cellsOf(state).value);
  const grids = states.map((state) => state.grid);
  const rowQuantities = new Set(grids.flatMap((one) => one.rowQuantities.map(rowQuantityName)));
  const excluded = Math.max(...cells.map(({ shades }, i) => excludedIn(shades, grids[i]!)));
  return (
    <div class="lw-legend" style={{ marginLeft: `min(${gutterFor(grid)}px, 25cqw)` }}>
      <div class="lw-scale" role="img" aria-label={`Color scale: ${quantityName(grid, quantity.value)}`}>
        <div class="lw-gradient" style={{ background: `linear-gradient(to right, ${stops.join(", ")})` }} />
        <div class="lw-ticks">
          {ticks.map(({ place, label }) => (
            <span key={label} style={{ left: `${100 * place}%` }}>
              {label}
            </span>
          ))}
        </div>
      </div>
      {unit && <span>{unit}</span>}
      {quantity.value.name === MOVED && (
        <span>{MOVED}, ‖Δ‖ / ‖h‖ · dashed: all that the edit can reach; beyond it exactly 0</span>
      )}
      {isShare(quantity.value) && (
        <span>
          {quantity.value.name}: {SHARES}
        </span>
      )}
      {believed.value && <span class="lw-ink-says">{inkSays(grid)}</span>}
      {grids.some(({ decision }) => decision) && (
        <span>
          <span class="lw-dash" /> {decided}
        </span>
      )}
      {cells.some(({ areTokens }) => areTokens) && <span>· {repeated}</span>}
      {states.some(({ pinColorOf }) => pinColorOf.value.some((pinColor) => pinColor >= 0)) && (
        <span>
          <span class="lw-outline" />
          {followed}
        </span>
      )}
      {[...rowQuantities].map((name) => (
        <span key={name}>
          <Swatch paint={(context) => paintTrustScale(context, palette)} />
          {name}
        </span>
      ))}
      {ODDITIES.filter(([shade]) => cells.some(({ shades }) => shades.includes(shade))).map(([shade, name]) => (
        <span key={shade}>
          <Swatch paint={(context) => paintOdd(context, shade, SWATCH, cells[0]!, palette)} />
          {name}
        </span>
      ))}
      {states.some(({ overwrites }) => overwrites.value) && (
        <span>
          <span class="lw-outline lw-broken" />
          {broken}
        </span>
      )}
      {grids.some(({ gaps }) => gaps.size > 0) && <span>empty columns have no such token</span>}
      {grids.some(({ sweep }) => sweep) && <span>{NO_PROOF}</span>}
      {excluded > 0 && <span>{excluded === 1 ? "the gray column is" : "gray columns are"} left out of the scale</span>}
    </div>
  );
}

/** How many columns are seen to be left out. */
function excludedIn(shades: Uint16Array, { columns }: Grid): number {
  return shades.subarray(0, columns.length).reduce((count, shade) => count + Number(shade === ODD.excluded), 0);
}

/** A cell of its own, painted as the heatmap paints those it stands for. */
function Swatch({ paint }: { paint: (context: CanvasRenderingContext2D) => void }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const context = canvas.current!.getContext("2d")!;
    sized(context, SWATCH.width, SWATCH.height, density.value);
    paint(context);
  });
  return <canvas ref={canvas} class="lw-swatch" />;
}

/** From the good end of a quantity of the rows to the bad one. */
function paintTrustScale(context: CanvasRenderingContext2D, palette: Palette): void {
  for (const [i, trust] of [1, 0.5, 0].entries()) paintTrust(context, trust, { ...SWATCH, x: i * 8 }, palette);
}

const SWATCH = { x: 0, y: 0, width: 22, height: 13 };
