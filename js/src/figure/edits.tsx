// The edits that a reader made, as chips: each can be switched off and taken off; and the Python that makes them.

import { type Edit, isEdited } from "../data/cone.js";
import type { Grid } from "../data/grid.js";
import { nameOf } from "../data/names.js";
import { Close } from "../pieces/close.js";
import { Copy } from "../pieces/copy.js";
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
  const carriedFrom = experiments.grids[carried?.which ?? 0]!;
  return (
    <>
      {carried && (
        <p role="status" class="lw-carrying">
          <Place grid={carriedFrom} position={carriedFrom.positions[carried.cell.column]!} />
          {carriedFrom.rows[carried.cell.row]} is carried: drop it on a cell of another prompt, or choose one and press
          Enter. Escape lets it go.
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
      <Place grid={into} position={edit.position} />
      {edit.site} ← <bdi class="lw-token lw-source">{value}</bdi>
      <Close label={`Take ${name} off`} act={() => experiments.change(at, null)} />
    </span>
  );
}

function Place({ grid, position }: { grid: Grid | undefined; position: number }) {
  return (
    <>
      <bdi class="lw-token">{tokenAt(grid, position)}</bdi>
      {" at "}
    </>
  );
}

function tokenAt(grid: Grid | undefined, position: number): string {
  const column = grid ? grid.positions.indexOf(position) : -1;
  return column < 0 ? `position ${position}` : nameOf(grid!, grid!.columns[column]!);
}

/** The call that makes the edited grid, as Python wrote it. */
function CopyCode({ view }: { view: ViewState }) {
  const edited = view.experiments.grids.find(isEdited);
  const code = edited?.exact.provenance.find(([name]) => name === "call")?.[1];
  return code ? <Copy what="code" text={() => code} /> : null;
}
