// What is seldom wanted: which links hold, the code that makes this view, and a link to it where its page has an address.

import { Copy } from "../pieces/copy.js";
import { codeOf } from "../state/code.js";
import { LINKS } from "../state/settings.js";
import type { ViewState } from "../state/view-state.js";
import { Popup } from "./popup.js";

export function More({ view, hasAddress }: { view: ViewState; hasAddress: boolean }) {
  return (
    <Popup label="More" summary="⋯">
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
      <Copy what="code" text={() => codeOf(view)} />
      {hasAddress && <Copy what="link" text={() => location.href} />}
    </Popup>
  );
}
