// The switch on a bar, which takes the part out of the model.

import type { Edit } from "../data/cone.js";
import { Switch } from "../pieces/switch.js";
import type { GridState } from "../state/grid-state.js";

/** The parts that can be taken out. */
const SITE = /^L\d+([HN]\d|\.(attn|mlp)$)/;

/** What stands before the name of a bar; undefined where nothing can be taken out. */
export function takingOut({ grid, experiments, which, column }: GridState) {
  if (!grid.canEdit || !experiments || which === null) return undefined;
  return (site: string) => {
    if (!SITE.test(site)) return null;
    const edit: Edit = { grid: which, site, position: grid.positions[column.value]!, to: [], on: true };
    return (
      <Switch on={experiments.at(edit)?.on ?? false} label={`take ${site} out`} flip={() => experiments.flip(edit)} />
    );
  };
}
