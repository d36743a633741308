// A page that a reader takes away: the same view, alive, in a file that needs no kernel and no server.

import type { Message } from "../data/wire.js";
import type { Settings, Shared } from "../state/settings.js";
import { escaped } from "../text/escape.js";

/** What a page is made of: the script, packed, and stylesheet that show this view, and a page with gaps, as `page.py` writes it. */
export interface Source {
  code: string;
  style: string;
  page: string;
}

/** A page that shows the same, alive, in the state that it is in. */
export function pageOf(title: string, message: Message, settings: Shared, { code, style, page }: Source): string {
  const now = Object.fromEntries(Object.entries(settings).map(([name, { value }]) => [name, value])) as Settings &
    object;
  const parts: Record<string, string> = {
    title: escaped(title),
    style,
    figures: `<div data-lens="${base64(message)}" data-lens-by="${/data-lens-code="(\w+)"/.exec(page)?.[1]}" data-lens-settings="${escaped(JSON.stringify(now))}"></div>`,
    template: JSON.stringify(page).replaceAll("<", "\\u003c"),
    code,
  };
  // in one pass: a title may hold what looks like a gap
  return page.replace(/\{(\w+)\}/g, (gap, name) => parts[name] ?? gap);
}

function base64(message: Message): string {
  const bytes = ArrayBuffer.isView(message)
    ? new Uint8Array(message.buffer, message.byteOffset, message.byteLength)
    : new Uint8Array(message);
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}
