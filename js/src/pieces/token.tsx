// Tokens among words, and the dot that stands for a pin's color wherever it is met: chip, card, cell and line.

import { type Grid, isAttribution, type Piece } from "../data/grid.js";
import { columnName } from "../data/names.js";
import { PIN_COLORS } from "../style/palette.js";

export function colorOf(pinColor: number): string {
  return `var(--lw-pin-${(pinColor % PIN_COLORS) + 1})`;
}

/** What a column is: after which token a lens read, which token was attributed, or its label where it is none. */
export function ColumnName({ grid, column }: { grid: Grid; column: number }) {
  const name = <bdi class="lw-token">{columnName(grid, column)}</bdi>;
  if (grid.columnLabels) return name;
  return (
    <>
      {!isAttribution(grid) && "after "}“{name}”
    </>
  );
}

export function Dot({ pinColor }: { pinColor: number }) {
  return <span class="lw-dot" style={{ background: colorOf(pinColor) }} />;
}

/** Words, and tokens among them. */
export function Pieces({ pieces }: { pieces: Piece[] }) {
  return (
    <>
      {pieces.map((piece, i) =>
        typeof piece === "string" ? (
          piece
        ) : (
          <bdi key={i} class="lw-token">
            {piece.token}
          </bdi>
        ),
      )}
    </>
  );
}
