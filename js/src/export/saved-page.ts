// A page that a reader takes away: the same view, alive, in a file that needs no kernel and no server.

import type { Grid } from "../data/grid.js";
import { spaced } from "../data/marks.js";
import { provenanceOf, provenanceText } from "../data/provenance.js";
import type { Message } from "../data/wire.js";
import type { Settings, Shared } from "../state/settings.js";
import { escaped } from "../text/escape.js";

/** What a page is made of: the script, packed, and stylesheet that show this view, and a page with gaps, as `page.py` writes it. */
export interface Source {
  code: string;
  style: string;
  page: string;
}

/** A page that shows the same, alive, in the state that it is in; `grids` are all that the message holds. */
export function pageOf(grids: Grid[], message: Message, settings: Shared, { code, style, page }: Source): string {
  const [{ kind, title }] = grids as [Grid];
  const now = Object.fromEntries(Object.entries(settings).map(([name, { value }]) => [name, value])) as Settings &
    object;
  const parts: Record<string, string> = {
    title: escaped(`${kind}: ${title}`),
    provenance: escaped(provenanceText(grids.map(provenanceOf))),
    about: aboutOf(grids),
    style,
    figures: `<div data-lens="${base64(message)}" data-lens-by="${/data-lens-code="(\w+)"/.exec(page)?.[1]}" data-lens-settings="${escaped(JSON.stringify(now))}"></div>`,
    template: JSON.stringify(page).replaceAll("<", "\\u003c"),
    code,
  };
  // in one pass: a title may hold what looks like a gap
  return page.replace(/\{(\w+)\}/g, (gap, name) => parts[name] ?? gap);
}

/** Where the figures came from, for readers of the page; twin of `_about` in lenswidget/view/page.py. */
function aboutOf(grids: Grid[]): string {
  const list = (said: Record<string, string>) =>
    Object.entries(said).map(([name, value]) => `<dt>${escaped(spaced(name))}</dt><dd>${escaped(spaced(value))}</dd>`);
  const lists = grids.map((grid) => `<dl>${list(provenanceOf(grid)).join("")}</dl>`);
  return `<details class="about"><summary>where this came from</summary>${lists.join("")}</details>`;
}

function base64(message: Message): string {
  const bytes = ArrayBuffer.isView(message)
    ? new Uint8Array(message.buffer, message.byteOffset, message.byteLength)
    : new Uint8Array(message);
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}
