// What is seldom wanted: which links hold, the code that makes this view, and a link to it where its page has an address.

import { useSignal } from "@preact/signals";
import { codeOf } from "../state/code.js";
import { LINKS } from "../state/settings.js";
import type { ViewState } from "../state/view-state.js";

export function More({ view, hasAddress }: { view: ViewState; hasAddress: boolean }) {
  const copied = useSignal("");
  const shown = useSignal("");
  const copy = async (what: string, text: string) => {
    try {
      await navigator.clipboard.writeText(text);
      copied.value = what;
      setTimeout(() => (copied.value = ""), 1500);
    } catch {
      shown.value = text; // a frame may not write to the clipboard, nor a page that is opened from a file
    }
  };
  const button = (what: string, text: () => string) => (
    <button type="button" onClick={() => copy(what, text())}>
      {copied.value === what ? "copied" : `copy ${what}`}
    </button>
  );
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
        {button("code", () => codeOf(view))}
        {hasAddress && button("link", () => location.href)}
        {shown.value && (
          <>
            <p role="status">Not copied: take it by hand.</p>
            <textarea
              aria-label="What to copy"
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
