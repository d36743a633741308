// The scale, and what else can be met in the cells. Only what this picture really holds is explained.

import { useLayoutEffect, useRef } from "preact/hooks";
import { paintOdd, sized } from "./brush.js";
import type { Palette } from "./colour.js";
import type { Strip } from "./grid.js";
import type { Picture } from "./heatmap.js";
import { isPoints, isProbability, plain } from "./number.js";
import type { Reading } from "./reading.js";
import { ODD } from "./scale.js";
import { amount, endsOf, paintTrust } from "./strip.js";
import { quantityName } from "./words.js";

const ODDITIES = [
  { shade: ODD.nan, name: "not a number" },
  { shade: ODD.above, name: "infinite" },
  { shade: ODD.below, name: "minus infinite" },
  { shade: ODD.high, name: "above the scale" },
  { shade: ODD.low, name: "below the scale" },
];

interface Props {
  reading: Reading;
  picture: Picture;
  palette: Palette;
}

export function Legend({ reading, picture, palette }: Props) {
  const { grid, quantity, scale } = reading;
  const { ticks, step, diverging } = scale.value;
  const ramp = diverging ? palette.diverging : palette.sequential;
  const stops = Array.from({ length: 17 }, (_, i) => ramp.fill[step(i / 16)]);
  const unit = isProbability(quantity.value) ? "%" : isPoints(quantity.value) ? "% points" : quantity.value.unit;
  return (
    <div class="lw-legend">
      <div class="lw-scale" role="img" aria-label={`Colour scale: ${quantityName(grid, quantity.value)}`}>
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
      {grid.decision && (
        <span>
          <span class="lw-dash" /> the output leads from here up
        </span>
      )}
      {grid.strips.map((strip) => (
        <StripKey key={strip.name} strip={strip} palette={palette} />
      ))}
      {ODDITIES.filter(({ shade }) => picture.shades.includes(shade)).map(({ shade, name }) => (
        <span key={shade}>
          <Swatch shade={shade} picture={picture} palette={palette} />
          {name}
        </span>
      ))}
      {reading.overwrites.value && (
        <span>
          <span class="lw-broken" />
          led here, but not at the end
        </span>
      )}
      {grid.gaps.size > 0 && <span>empty columns have no such token</span>}
      {grid.aside.size > 0 && (
        <span>{grid.aside.size === 1 ? "the grey column is" : "grey columns are"} left out of the scale</span>
      )}
    </div>
  );
}

/** What the ends of a strip stand for. */
function StripKey({ strip, palette }: { strip: Strip; palette: Palette }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const context = canvas.current!.getContext("2d")!;
    const { width, height } = SWATCH;
    sized(context, width, height, devicePixelRatio);
    for (const [i, trust] of [1, 0.5, 0].entries()) paintTrust(context, trust, { x: i * 8, y: 0, height }, palette);
  });
  const [bad, good] = endsOf(strip);
  return (
    <span>
      <canvas ref={canvas} class="lw-swatch" />
      {strip.name}: {plain(good)} to {amount(strip, bad)}
    </span>
  );
}

/** A cell of its own, painted as the heatmap paints those it stands for. */
function Swatch({ shade, picture, palette }: Omit<Props, "reading"> & { shade: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const { width, height } = SWATCH;
    const context = canvas.current!.getContext("2d")!;
    sized(context, width, height, devicePixelRatio);
    paintOdd(context, shade, { x: 0, y: 0, width, height }, picture, palette);
  });
  return <canvas ref={canvas} class="lw-swatch" />;
}

const SWATCH = { width: 22, height: 13 };
