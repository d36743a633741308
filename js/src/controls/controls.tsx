// One line of controls, in words.

import { isEdited } from "../data/cone.js";
import { leadersOf } from "../data/followed.js";
import { isLens, type Quantity } from "../data/grid.js";
import { spaced } from "../data/marks.js";
import { nameOf } from "../data/names.js";
import { automaticStride } from "../heatmap/layout.js";
import { Close } from "../pieces/close.js";
import { Menu } from "../pieces/menu.js";
import { Dot } from "../pieces/token.js";
import type { GridState } from "../state/grid-state.js";
import { LOOK_HERE } from "../state/settings.js";
import { quantityName } from "../text/words.js";

export function Controls({ state }: { state: GridState }) {
  if (state.grid.view !== "heatmap") return null; // they have their own
  return (
    <>
      <Color state={state} />
      <Follow state={state} />
      <Rows state={state} />
      <PickedRows state={state} />
    </>
  );
}

/** Two rows to tell apart; the labels beside the cells pick them, too. */
function PickedRows({ state }: { state: GridState }) {
  const { grid, settings } = state;
  const [first, second] = settings.rows_compared.value;
  if (grid.sweep || !grid.candidates || grid.candidates.count < 2 || grid.rows.length < 2) return null;
  const rows = grid.rows.map((label, row) => [row, label] as const).reverse();
  const menu = (name: string, chosen: number | undefined, choose: (row: number | null) => void) => (
    <Menu
      {...{ name, chosen: chosen ?? "" }}
      choose={(value) => choose(value === "" ? null : Number(value))}
      options={[["", second === undefined && chosen === undefined ? "two layers" : "none"], ...rows]}
    />
  );
  const pick = (...picked: (number | null | undefined)[]) => {
    const kept = picked.filter((row) => row !== null && row !== undefined);
    settings.rows_compared.value = [...new Set(kept)];
  };
  return (
    <div class="lw-follow">
      compare
      {menu("A layer", first, (row) => pick(row, second))}
      {first !== undefined && "with"}
      {first !== undefined && menu("Another layer", second, (row) => pick(first, row))}
    </div>
  );
}

export function Color({ state }: { state: GridState }) {
  const { grid, settings, quantity, followed, belief, believed } = state;
  const option = (one: Quantity) => [one.name, quantityName(grid, one)] as const;
  const chosen = believed.value ? "" : quantity.value.name;
  return (
    <Menu
      label={grid.sides ? "show" : "color"}
      chosen={state.isInWords.value ? "" : chosen}
      choose={(name) => (settings.color.value = name)}
      options={[
        belief.value && !isEdited(grid) && ["", `${spaced(grid.quantities[0]!.name)} × belief`],
        grid.sides && state.sides.length > 0 && ["", "words"],
        ...grid.quantities.filter(({ target }) => target === null).map(option),
      ]}
    >
      {followed.value.map(
        ({ target, label }) =>
          target !== null && (
            <optgroup key={target} label={label}>
              {grid.quantities
                .filter((one) => one.target === target)
                .map((one) => (
                  <option key={one.name} value={one.name}>
                    {quantityName(grid, one)}
                  </option>
                ))}
            </optgroup>
          ),
      )}
    </Menu>
  );
}

function Follow({ state }: { state: GridState }) {
  const { grid, followed, pinColors } = state;
  if (!isLens(grid) || !(followed.value.length || grid.candidates)) return null;
  return (
    <div class="lw-follow">
      follow
      <ul>
        {followed.value.map(({ label, pin }, i) => (
          <li key={i} class="lw-chip">
            <Dot pinColor={pinColors.value[i]!} />
            <bdi class="lw-token">{label}</bdi>
            {pin !== null && <Close label={`Unpin ${label}`} act={() => state.unpin(pin)} />}
          </li>
        ))}
      </ul>
      {grid.candidates && <Another state={state} />}
    </div>
  );
}

/** Pins a token that leads, or nearly, at the selected position; the card offers those of one cell. */
function Another({ state }: { state: GridState }) {
  const { grid, selected, pinColorOf } = state;
  const column = selected.value?.column ?? grid.columns.length - 1;
  const offered = leadersOf(grid, column).filter((token) => pinColorOf.value[token] === -1);
  return (
    <Menu
      name="Follow another token"
      chosen=""
      choose={(token) => state.togglePin(Number(token), false)}
      options={[["", "a token"], ...offered.map((token) => [token, nameOf(grid, token)] as const)]}
    />
  );
}

const STRIDES = [1, 2, 3, 4, 8];
const FEW_ROWS = 12;
/** The option that leaves out the rows in which nothing is decided. */
const LOOK = -1;

export function Rows({ state }: { state: GridState }) {
  const { grid, settings } = state;
  const { stride, height, filter } = settings;
  const rows = grid.rows.length;
  const looked = grid.candidates ? state.rowsToLookAt.value.length : rows;
  if (!isLens(grid) || (rows <= FEW_ROWS && looked === rows)) return null;
  const automatic = automaticStride(rows, height.value);
  // where all of them fit, asking for all would be a second name for the same
  const least = automatic === 1 ? 2 : 1;
  const choices = [...new Set([...STRIDES.filter((n) => n < rows), stride.value])].filter((n) => n >= least);
  const choose = (n: number) => {
    filter.value = n === LOOK ? LOOK_HERE : "";
    if (n !== LOOK) stride.value = n;
  };
  return (
    <Menu
      label="rows"
      chosen={filter.value === LOOK_HERE ? LOOK : stride.value < least ? 0 : stride.value}
      choose={(n) => choose(Number(n))}
      options={[
        [0, automatic === 1 ? every(1) : `${every(automatic)}, to fit`],
        looked < rows && [LOOK, `the ${looked} to look at`],
        ...choices.sort((a, b) => a - b).map((n) => [n, every(n)] as const),
      ]}
    />
  );
}

function every(n: number): string {
  return n === 1 ? "all" : n === 2 ? "every 2nd" : n === 3 ? "every 3rd" : `every ${n}th`;
}
