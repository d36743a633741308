// A choice of one among a few, all of them in sight.

import { useMemo } from "preact/hooks";

interface Props<T extends string> {
  label: string;
  options: readonly T[];
  chosen: T;
  choose: (option: T) => void;
}

export function Segments<T extends string>({ label, options, chosen, choose }: Props<T>) {
  // browsers group radio buttons by name throughout the page, which may hold other views
  const group = useMemo(() => `lw-${Math.random()}`, []);
  return (
    <div class="lw-segments" role="radiogroup" aria-label={label}>
      {options.map((option) => (
        <label key={option}>
          <input type="radio" name={group} checked={option === chosen} onChange={() => choose(option)} />
          <span>{option}</span>
        </label>
      ))}
    </div>
  );
}
