// One view in the page: the figure of what a message shows, or the sentence that says why there is none.

import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { type ComponentChildren, render } from "preact";
import { decodePieces, joinedPieces, type Message, type Shown } from "../data/wire.js";
import type { Source } from "../export/saved-page.js";
import { rootIn } from "../pieces/root.js";
import type { Live } from "../state/live.js";
import type { Shared } from "../state/settings.js";
import { ViewState } from "../state/view-state.js";
import { type Palette, paletteOf } from "../style/palette.js";
import { followTheme } from "../style/theme.js";
import { Figure } from "./figure.js";

export interface View {
  /** Shows the grids of a message, piece by piece; what was there before stays until they are decoded. */
  show(pieces: Message[]): Promise<void>;
}

export interface Surroundings {
  /** Says that no kernel listens any more. */
  isLost?: ReadonlySignal<boolean>;
  /** The Python that can be asked what moved a token. */
  live?: Live;
  /** What a page is written with. */
  source?: Source | undefined;
  /** Whether the page's address holds what a reader chose. */
  hasAddress?: boolean;
  /** What is shown in place of a message's grids, where some of that is to be guessed first. */
  seen?: (shown: Shown) => Shown;
  /** Puts something round the figure, and over its maps and charts. */
  around?: (figure: ComponentChildren, view: ViewState) => ComponentChildren;
}

/** Puts a view into `el`, until the signal is aborted. */
export function createView(
  el: HTMLElement,
  settings: Shared,
  aborted: AbortSignal,
  surroundings: Surroundings = {},
): View {
  const { isLost = signal(false), live = null, source, hasAddress = false, seen } = surroundings;
  const { root, arrived: stands } = rootIn(el, aborted);
  const palette = signal<Palette | null>(null);
  const arrived = stands.then(() =>
    followTheme(root, aborted, () => {
      palette.value = paletteOf(root);
    }),
  );

  let frame = 0;
  const ready = () => {
    if (root.dataset.state === "ready") return;
    frame = requestAnimationFrame(() => {
      root.dataset.state = "ready";
    });
  };
  const fail = (sentence: string) => {
    render(
      <p role="alert" class="lw-warning">
        {sentence}
      </p>,
      root,
    );
    cancelAnimationFrame(frame);
    root.dataset.state = "error";
  };
  let [latest, forget] = [0, () => {}];
  let shownBefore: ViewState | null = null;
  let known: { pieces: Message[]; shown: Promise<Shown> } | null = null;
  /** What pieces hold, of which only those are decoded that are new. */
  const decoded = (pieces: Message[]) => {
    const before = known;
    const goesOn = before?.pieces.every((piece, i) => piece === pieces[i]) && before.pieces.length < pieces.length;
    const shown = goesOn
      ? before!.shown.then((had) => decodePieces(pieces.slice(before!.pieces.length), had))
      : decodePieces(pieces);
    known = { pieces, shown };
    return shown;
  };
  const end = isLost.subscribe((lost) => lost && forget());
  aborted.addEventListener("abort", end);
  return {
    async show(pieces) {
      const turn = ++latest;
      try {
        const [shown] = await Promise.all([decoded(pieces), arrived]);
        if (turn !== latest || aborted.aborted) return;
        if (!shown.grids.length || shown.grids.some(({ rows, columns }) => !rows.length || !columns.length)) {
          return fail("There is nothing to show: the grid is empty.");
        }
        const before = pieces.length > 1 ? shownBefore : null;
        const view = new ViewState(seen ? seen(shown) : shown, settings);
        if (before) stay(root, before, view);
        shownBefore = view;
        view.experiments.live = live;
        forget = () => view.experiments.forget();
        const shownBy = { view, palette: palette as Signal<Palette>, painted: ready };
        const had = focusIn(root);
        const message = joinedPieces(pieces);
        const figure = <Figure {...shownBy} {...{ turn, isLost, message, source, hasAddress }} />;
        render(surroundings.around?.(figure, view) ?? figure, root);
        if (had && !root.contains(focusedIn(root)))
          root.querySelector<HTMLElement>(had)?.focus({ preventScroll: true });
      } catch (reason) {
        if (turn === latest) fail((reason as Error).message);
      }
    },
  };
}

/** What a reader scrolled to stays in sight while columns come, unless that was the end, which is where they come. */
function stay(root: HTMLElement, { each: [before] }: ViewState, { each: [after] }: ViewState): void {
  const scroller = root.querySelector("[role=application]");
  const left = before!.scroll.peek();
  if (!scroller || left === null || scroller.scrollLeft + scroller.clientWidth > scroller.scrollWidth - 9) return;
  after!.scroll.value = left + Math.max(0, before!.grid.positions[0]! - after!.grid.positions[0]!);
}

function focusedIn(root: HTMLElement): Element | null {
  return (root.getRootNode() as Document | ShadowRoot).activeElement;
}

/** What in a view has the focus, by its name, so that the same can have it in another picture. */
function focusIn(root: HTMLElement): string | null {
  const now = focusedIn(root);
  return now && root.contains(now) && now.ariaLabel
    ? `${now.localName}[aria-label="${CSS.escape(now.ariaLabel)}"]`
    : null;
}
