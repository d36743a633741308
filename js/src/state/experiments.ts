// What a reader carries from one prompt into another, and the edits that were made of it. Python runs them.

import { signal } from "@preact/signals";
import { cellOf, type Edit, isEdited } from "../data/cone.js";
import { type Cell, type Grid, isLens } from "../data/grid.js";
import type { Live } from "./live.js";
import type { Shared } from "./settings.js";

export interface Carried {
  which: number;
  cell: Cell;
}

export class Experiments {
  /** The cell whose state is carried. */
  readonly carried = signal<Carried | null>(null);
  /** Why nothing was done, in a sentence. */
  readonly refusal = signal("");
  /** The Python that can run them; null in a page, which has none. */
  live: Live | null = null;

  /** The edits of which the picture is. */
  readonly #shown: Edit[];

  constructor(
    readonly grids: Grid[],
    readonly settings: Pick<Shared, "edits">,
  ) {
    this.#shown = settings.edits.peek();
  }

  /** Lets go of what no Python will answer any more. */
  forget(): void {
    this.carried.value = null;
    this.settings.edits.value = this.#shown;
  }

  /** Whether a state of this grid can be carried into another. */
  canGive(which: number): boolean {
    const grid = this.grids[which];
    return (
      grid !== undefined &&
      this.grids.length > 1 &&
      isLens(grid) &&
      grid.view === "heatmap" &&
      !isEdited(grid) &&
      !grid.columnLabels
    );
  }

  /** Takes a cell up. */
  carry(which: number, cell: Cell): void {
    const isThere = this.canGive(which) && !this.grids[which]!.gaps.has(cell.column);
    this.refusal.value = "";
    this.carried.value = isThere ? { which, cell } : null;
  }

  letGo(): void {
    this.carried.value = null;
  }

  /** Puts what is carried into a cell: its row says which, and where it comes from, what is carried. */
  put(which: number, cell: Cell): void {
    const carried = this.carried.peek();
    this.carried.value = null;
    if (!carried) return;
    const edits = this.settings.edits.peek();
    const into = isEdited(this.grids[which]!) ? edits[0]?.grid : which;
    this.refusal.value = this.#refusal(carried, into, cell);
    if (this.refusal.value || into === undefined) return;
    const grid = this.grids[into]!;
    const edit: Edit = {
      grid: into,
      site: grid.rows[cell.row]!,
      position: grid.positions[cell.column]!,
      to: [carried.which, this.grids[carried.which]!.positions[carried.cell.column]!],
      on: true,
    };
    this.#make(edit);
  }

  /** The edit of the same place, if there is one. */
  at(edit: Edit): Edit | undefined {
    return this.settings.edits.value.find((one) => one.grid === edit.grid && isSameSite(one, edit));
  }

  /** Switches the edit of a place, or makes it. */
  flip(edit: Edit): void {
    this.refusal.value = this.#lacks();
    if (!this.refusal.value) this.#make({ ...edit, on: !this.at(edit)?.on });
  }

  /** Takes one of the edits off, or switches it. */
  change(which: number, on: boolean | null): void {
    this.refusal.value = this.#lacks();
    if (this.refusal.value) return;
    const edits = this.settings.edits.peek();
    this.settings.edits.value =
      on === null ? edits.filter((_, i) => i !== which) : edits.map((one, i) => (i === which ? { ...one, on } : one));
  }

  /** The cells that are edited in a grid, where it is the edited one. */
  editedCells(grid: Grid): Cell[] {
    if (!isEdited(grid)) return [];
    const on = this.settings.edits.value.filter((edit) => edit.on);
    return on.map((edit) => cellOf(grid, edit)).filter((cell) => cell !== null);
  }

  /** In place of what was made there, with the others of the same grid. */
  #make(edit: Edit): void {
    const { edits } = this.settings;
    edits.value = [...edits.peek().filter((one) => one.grid === edit.grid && !isSameSite(one, edit)), edit];
  }

  #refusal(carried: Carried, into: number | undefined, cell: Cell): string {
    const grid = into === undefined ? undefined : this.grids[into];
    if (!grid || !this.canGive(into!)) return "A state can be put into the picture of a prompt that a lens read.";
    if (grid.gaps.has(cell.column)) return "There is no token in this column to put it into.";
    if (cell.row === grid.rows.length - 1)
      return "This row is the output: nothing runs after it. Drop it on a row below.";
    if (carried.which === into && carried.cell.column === cell.column) return "That is what is there already.";
    return this.#lacks();
  }

  /** What is missing to run the model again. */
  #lacks(): string {
    if (!this.live || this.live.isLost.value) {
      return "A new experiment runs the model again, so it needs the notebook and its kernel. What is here stays.";
    }
    return this.live.explains.value ? "" : "These grids came without their model; read the prompts again with lw.run.";
  }
}

function isSameSite(a: Edit, b: Edit): boolean {
  return a.site === b.site && a.position === b.position;
}
