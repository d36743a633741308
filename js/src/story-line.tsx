// What became of what is followed, in plain words, and the rows in which it can be seen.

import { columnName } from "./followed.js";
import { LOOK_HERE, type Reading } from "./reading.js";

export function StoryLine({ reading }: { reading: Reading }) {
  const { grid, settings, story, column } = reading;
  const { sentences, rows } = story.value;
  const isOn = settings.filter.value === LOOK_HERE;
  if (!sentences.length || grid.columnLabels) return null;
  return (
    <div class="lw-story">
      <p>
        After “<bdi class="lw-token">{columnName(grid, column.value)}</bdi>”: {sentences.join(" ")}
      </p>
      {rows.length < grid.rows.length && (
        <button type="button" aria-pressed={isOn} onClick={() => (settings.filter.value = isOn ? "" : LOOK_HERE)}>
          {isOn ? "show all layers" : `show the ${rows.length} layers to look at`}
        </button>
      )}
    </div>
  );
}
