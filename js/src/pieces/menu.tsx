// A menu of the browser's own: it works with every key and hand, and no host clips it.

import type { ComponentChildren } from "preact";

interface Props {
  label?: string;
  /** What it is called where it has no label. */
  name?: string;
  chosen: string | number;
  choose: (value: string) => void;
  /** The options, by their values, and more of them. */
  options?: (readonly [value: string | number, words: ComponentChildren] | false | null | undefined)[];
  children?: ComponentChildren;
}

/** It stands at what is chosen, also where choosing is only an action. */
export function Menu({ label, name, chosen, choose, options = [], children }: Props) {
  return (
    <label class="lw-menu">
      {label && <span>{label}</span>}
      <select
        aria-label={name}
        value={chosen}
        onChange={({ currentTarget }) => {
          const { value } = currentTarget;
          currentTarget.value = `${chosen}`;
          choose(value);
        }}
      >
        {options.map(
          (one) =>
            one && (
              <option key={one[0]} value={one[0]}>
                {one[1]}
              </option>
            ),
        )}
        {children}
      </select>
    </label>
  );
}
