// What opens beneath a small button, and closes when the reader turns to something else.

import type { ComponentChildren } from "preact";

interface Props {
  label: string;
  summary: string;
  children: ComponentChildren;
}

export function Popup({ label, summary, children }: Props) {
  return (
    <details
      class="lw-more"
      onFocusOut={({ currentTarget, relatedTarget }) => {
        if (relatedTarget && !currentTarget.contains(relatedTarget as Node)) currentTarget.open = false;
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !event.currentTarget.open) return;
        event.currentTarget.open = false;
        event.preventDefault();
      }}
    >
      <summary aria-label={label}>{summary}</summary>
      <div class="lw-popup">{children}</div>
    </details>
  );
}
