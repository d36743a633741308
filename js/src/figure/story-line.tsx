// What became of what is followed, in plain words.

import { ColumnName, Pieces } from "../pieces/token.js";
import type { GridState } from "../state/grid-state.js";

interface Props {
  /** With a name for each where there are several. */
  told: { name: string; state: GridState }[];
}

export function StoryLine({ told }: Props) {
  if (!told[0]?.state.story.value.sentences.length) return null;
  return (
    <div class="lw-story">
      {told.map(({ name, state }) => (
        <p key={name} class={name ? "" : "lw-sentence"}>
          <span class="lw-strong">{name && `${name}, `}</span>
          {(state.grid.below || state.column.value < state.grid.columns.length - 1) && (
            <>
              <ColumnName grid={state.grid} column={state.column.value} />:
            </>
          )}
          {state.story.value.sentences.map((pieces, i) => (
            <span key={i}>
              {" "}
              <Pieces pieces={pieces} />
            </span>
          ))}
        </p>
      ))}
    </div>
  );
}
