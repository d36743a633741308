// Prompts at hand: those that the author offers, and those that were tried, which can be shown one beside another.

import { Menu } from "../pieces/menu.js";
import type { Live } from "../state/live.js";
import type { Shared } from "../state/settings.js";

const ALL = "all";
/** A menu shows the beginning of a prompt. */
const SHOWN = 60;

interface Props {
  settings: Shared;
  ask: Live["ask"] | undefined;
  run: (prompt: string) => void;
}

export function Prompts({ settings, ask, run }: Props) {
  const offered = settings.prompts.value;
  const tried = settings.tried.value.filter((prompt) => !offered.includes(prompt));
  const all = [...offered, ...tried];
  if (all.length < 2) return null;
  const canCompare = settings.writes.value && settings.tried.value.length > 1;
  const options = (label: string, prompts: string[]) =>
    prompts.length > 0 && (
      <optgroup label={label}>
        {prompts.map((prompt) => (
          <option key={prompt} value={all.indexOf(prompt)}>
            {prompt.length > SHOWN ? `${prompt.slice(0, SHOWN)}…` : prompt}
          </option>
        ))}
      </optgroup>
    );
  return (
    <Menu
      name="Prompts"
      chosen=""
      choose={(value) => (value === ALL ? ask?.({ do: "show tried" }) : run(all[Number(value)]!))}
    >
      <option value="" hidden>
        prompts
      </option>
      {options("to try", offered)}
      {options("tried", tried)}
      {canCompare && <option value={ALL}>all that were tried, side by side</option>}
    </Menu>
  );
}
