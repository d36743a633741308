// The edits that a reader made, as chips: each can be switched off and taken off; and the Python that makes them.

import { useSignal } from "@preact/signals";
import { type Edit, isEdited } from "../data/cone.js";
import type { Grid } from "../data/grid.js";
import { nameOf } from "../data/names.js";
import { Close } from "../pieces/close.js";
import { Switch } from "../pieces/switch.js";
import type { ViewState } from "../state/view-state.js";

export function Edits({ view }: { view: ViewState }) {
  const { experiments, settings } = view;
  const edits = settings.edits.value;
  const carried = experiments.carried.value;
  const { state, message = "" } = settings.progress.value;
  const isHeard = edits.length > 0 && state !== "idle" && !settings.live.value;
  const said = experiments.refusal.value || (isHeard ? message : "");
  if (!edits.length && !carried && !said) return null;
  return (
    <>
      {carried && (
        <p role="status" class="lw-carrying">
          <Where grid={experiments.grids[carried.which]!} row={carried.cell.row} column={carried.cell.column} /> is
          carried: drop it on a cell of another prompt, or choose one and press Enter. Escape lets it go.
        </p>
      )}
      {(edits.length > 0 || said) && (
        <div class="lw-edits">
          {edits.length > 0 && <span class="lw-strong">The edited run</span>}
          {edits.map((edit, i) => (
            <Chip key={`${edit.site} ${edit.position}`} view={view} edit={edit} at={i} />
          ))}
          {edits.some(({ on }) => on) && <CopyCode view={view} />}
          {said && (
            <p role="status" class={experiments.refusal.value || state === "failed" ? "lw-warning" : "lw-muted"}>
              {said}
            </p>
          )}
        </div>
      )}
    </>
  );
}

function Chip({ view: { experiments }, edit, at }: { view: ViewState; edit: Edit; at: number }) {
  const [into, from] = [experiments.grids[edit.grid], experiments.grids[edit.to[0] ?? -1]];
  const name = `${tokenAt(into, edit.position)} at ${edit.site}`;
  const value = from ? tokenAt(from, edit.to[1]!) : "0";
  return (
    <span class="lw-edit" data-on={edit.on}>
      <Switch on={edit.on} label={`${name} ← ${value}`} flip={() => experiments.change(at, !edit.on)} />
      <bdi class="lw-token">{tokenAt(into, edit.position)}</bdi> at {edit.site} ←{" "}
      <bdi class="lw-token lw-source">{value}</bdi>
      <Close label={`Take ${name} off`} act={() => experiments.change(at, null)} />
    </span>
  );
}

function Where({ grid, row, column }: { grid: Grid; row: number; column: number }) {
  return (
    <>
      <bdi class="lw-token">{nameOf(grid, grid.columns[column]!)}</bdi> at {grid.rows[row]}
    </>
  );
}

function tokenAt(grid: Grid | undefined, position: number): string {
  const column = grid ? grid.positions.indexOf(position) : -1;
  return column < 0 ? `position ${position}` : nameOf(grid!, grid!.columns[column]!);
}

/** The call that makes the edited grid, as Python wrote it. */
function CopyCode({ view }: { view: ViewState }) {
  const isCopied = useSignal(false);
  const shown = useSignal("");
  const edited = view.experiments.grids.find(isEdited);
  const code = edited?.exact.provenance.find(([name]) => name === "call")?.[1];
  if (!code) return null;
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(code);
      isCopied.value = true;
      setTimeout(() => (isCopied.value = false), 1500);
    } catch {
      shown.value = code; // a frame may not write to the clipboard
    }
  };
  return (
    <>
      <button type="button" class="lw-copy" onClick={copy}>
        {isCopied.value ? "copied" : "copy code"}
      </button>
      {shown.value && (
        <textarea aria-label="Code" readOnly rows={2} value={shown} onFocus={(event) => event.currentTarget.select()} />
      )}
    </>
  );
}
