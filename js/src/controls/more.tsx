// What is seldom wanted: which links hold, and the code that makes this view.

import { useSignal } from "@preact/signals";
import { codeOf } from "../state/code.js";
import { LINKS } from "../state/settings.js";
import type { ViewState } from "../state/view-state.js";

export function More({ view }: { view: ViewState }) {
  const isCopied = useSignal(false);
  const shown = useSignal("");
  const copy = async () => {
    const code = codeOf(view);
    try {
      await navigator.clipboard.writeText(code);
      isCopied.value = true;
      setTimeout(() => (isCopied.value = false), 1500);
    } catch {
      shown.value = code; // a frame may not write to the clipboard
    }
  };
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
      <summary aria-label="More">⋯</summary>
      <div class="lw-popup">
        {view.each.length > 1 && (
          <fieldset>
            <legend>linked</legend>
            {LINKS.map((link) => (
              <label key={link}>
                <input type="checkbox" checked={view.holds(link)} onChange={() => view.toggle(link)} />
                {link}
              </label>
            ))}
          </fieldset>
        )}
        <button type="button" onClick={copy}>
          {isCopied.value ? "copied" : "copy code"}
        </button>
        {shown.value && (
          <>
            <p role="status">Not copied: take it by hand.</p>
            <textarea
              aria-label="Code"
              readOnly
              rows={3}
              value={shown}
              onFocus={(event) => event.currentTarget.select()}
            />
          </>
        )}
      </div>
    </details>
  );
}
