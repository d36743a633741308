// What became of what is followed, in plain words, and the rows in which it can be seen.

import { ColumnName } from "../pieces/token.js";
import type { GridState } from "../state/grid-state.js";
import { LOOK_HERE, type Shared } from "../state/settings.js";
import type { Piece } from "../text/story.js";

interface Props {
  settings: Shared;
  /** With a name for each where there are several. */
  told: { name: string; state: GridState }[];
}

export function StoryLine({ settings, told }: Props) {
  const [{ state: first }] = told as [Props["told"][0]];
  const isOn = settings.filter.value === LOOK_HERE;
  const rows = first.rowsToLookAt.value;
  if (!first.story.value.sentences.length) return null;
  return (
    <div class="lw-story">
      {told.map(({ name, state }) => (
        <p key={name} class={name ? "" : "lw-sentence"}>
          <span class="lw-strong">{name && `${name}, `}</span>
          <ColumnName grid={state.grid} column={state.column.value} />:
          {state.story.value.sentences.map((pieces, i) => (
            <Sentence key={i} pieces={pieces} />
          ))}
        </p>
      ))}
      {rows.length < first.grid.rows.length && (
        <button type="button" aria-pressed={isOn} onClick={() => (settings.filter.value = isOn ? "" : LOOK_HERE)}>
          {isOn ? "show all layers" : `show only the ${rows.length} layers to look at`}
        </button>
      )}
    </div>
  );
}

function Sentence({ pieces }: { pieces: Piece[] }) {
  return (
    <>
      {" "}
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
