// Which grid is in front, where one is shown at a time.

import { Menu } from "../pieces/menu.js";
import { Segments } from "../pieces/segments.js";
import type { ViewState } from "../state/view-state.js";

const IN_SIGHT = 5;
const LETTERS = 60;

export function Tabs({ view }: { view: ViewState }) {
  const { names, settings, layout, shown } = view;
  if (layout.value === "overview") return <span>a click opens a prompt</span>;
  if (names.length < 2 || (layout.value !== "one" && layout.value !== "difference")) return null;
  // a difference is told from the first grid
  const first = layout.value === "difference" ? 1 : 0;
  const tabs = names
    .map((name, i) => ({ i, name: names.indexOf(name) === i ? name : `${name} (${i + 1})` }))
    .slice(first);
  const chosen = Math.max(first, shown.value);
  if (first && tabs.length === 1)
    return view.difference(1)?.isInWords.value ? null : <span>{`${names[1]} less ${names[0]}`}</span>;
  if (tabs.length <= IN_SIGHT && tabs.reduce((sum, { name }) => sum + name.length, 0) <= LETTERS) {
    return (
      <Segments
        label={first ? `Less ${names[0]}` : "Grid"}
        options={tabs.map(({ name }) => name)}
        chosen={tabs.find(({ i }) => i === chosen)!.name}
        choose={(name) => (settings.shown.value = tabs.find((tab) => tab.name === name)!.i)}
      />
    );
  }
  return (
    <>
      <Menu
        label="show"
        chosen={chosen}
        choose={(i) => (settings.shown.value = Number(i))}
        options={tabs.map(({ i, name }) => [i, name] as const)}
      />
      {first > 0 && <span>less {names[0]}</span>}
    </>
  );
}
