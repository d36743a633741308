// The menu of what a reader can take away: a picture, a page, the numbers. It asks no kernel and no server.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Grid } from "../data/grid.js";
import { provenanceOf, provenanceText } from "../data/provenance.js";
import type { Message } from "../data/wire.js";
import { Menu } from "../pieces/menu.js";
import type { GridState } from "../state/grid-state.js";
import type { Shared } from "../state/settings.js";
import { escaped } from "../text/escape.js";
import { bitmapOf, drawingOf } from "./drawing.js";
import { withText } from "./png-text.js";
import { pageOf, type Source } from "./saved-page.js";
import { csvOf, jsonOf } from "./tables.js";

interface Props {
  /** Those that are shown. */
  states: GridState[];
  /** All that the message holds. */
  all: Grid[];
  /** What tells those that are shown apart, where they are several. */
  names: string[];
  settings: Shared;
  message: Message;
  source: Source | undefined;
}

interface Saved {
  said: string;
  name?: string;
  url?: string;
}

export function Export({ states, all, names, settings, message, source }: Props) {
  const grids = states.map((state) => state.grid);
  const [grid] = grids as [Grid];
  const saved = useSignal<Saved | null>(null);
  const link = useRef<HTMLAnchorElement>(null);
  const place = useRef<HTMLDivElement>(null);
  const from = () => provenanceText(grids.map(provenanceOf));
  const drawing = (isCard = false) => drawingOf(place.current!, isCard);
  const bitmap = async (isCard = false) => withText(await bitmapOf(drawing(isCard)), "lenswidget", from());
  const svg = () => drawing().svg.replace(/<\/svg>$/, () => `<metadata>${escaped(from())}</metadata></svg>`);
  const ways: Record<string, { label: string; make: () => Blob | Promise<Blob> }> = {
    "card.png": { label: "card to show (PNG)", make: () => bitmap(true) },
    png: { label: "picture (PNG)", make: () => bitmap() },
    svg: { label: "picture (SVG)", make: () => new Blob([svg()], { type: "image/svg+xml" }) },
    ...(source && {
      html: {
        label: "page (HTML)",
        make: () => new Blob([pageOf(all, message, settings, source)], { type: "text/html" }),
      },
    }),
    csv: { label: "numbers (CSV)", make: () => new Blob([csvOf(grids, names)], { type: "text/csv" }) },
    json: { label: "numbers (JSON)", make: () => new Blob([jsonOf(grids)], { type: "application/json" }) },
  };
  const save = async (kind: string) => {
    try {
      const blob = await ways[kind]!.make();
      const name = `${fileName(grid.exact.title)}.${kind}`;
      saved.value = {
        said: `Saved as ${name}.${isFramed() ? " If it doesn’t arrive, this frame may not save files: copy instead, or" : ""}`,
        name,
        url: URL.createObjectURL(blob),
      };
    } catch (reason) {
      saved.value = { said: `Not saved: ${(reason as Error).message}.` };
    }
  };
  const copy = async () => {
    try {
      await navigator.clipboard.write([new ClipboardItem({ "image/png": bitmap() })]);
      saved.value = { said: "Copied the picture." };
    } catch (reason) {
      saved.value = { said: `Not copied, but can be saved: ${(reason as Error).message}` };
    }
  };
  const url = saved.value?.url;
  useEffect(() => {
    if (!url) return;
    link.current!.click();
    return () => URL.revokeObjectURL(url);
  }, [url]);
  return (
    <div class="lw-export" ref={place}>
      <span role="status">
        {saved.value?.said}{" "}
        {url && (
          <a ref={link} href={url} download={saved.value!.name} target="_blank" rel="noreferrer">
            {isFramed() ? "open it" : "again"}
          </a>
        )}
      </span>
      <Menu
        name="Export"
        chosen=""
        choose={(kind) => (kind === "copy" ? copy() : save(kind))}
        options={[
          ["", "export"],
          ...Object.entries(ways).map(([kind, { label }]) => [kind, label] as const),
          canCopy() && ["copy", "copy the picture"],
        ]}
      />
    </div>
  );
}

function canCopy(): boolean {
  return typeof ClipboardItem !== "undefined" && typeof navigator.clipboard?.write === "function";
}

/** Whether the view stands in a frame without an origin of its own, where a host may forbid downloads in silence. */
function isFramed(): boolean {
  return self.origin === "null" && window.parent !== window;
}

function fileName(title: string): string {
  const words = title.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "");
  return `lens-${[...words].slice(0, 40).join("") || "grid"}`;
}
