// The module that a notebook loads. It is the only file that touches `model`, which carries what Python shares.

import { signal as flag, type ReadonlySignal } from "@preact/signals";
import { decode, type Message, piecesOf } from "../data/wire.js";
import type { Source } from "../export/saved-page.js";
import { createView } from "../figure/view.js";
import type { Answer, Live, Request } from "../state/live.js";
import { type Settings, type Shared, shared, suited, type Writable } from "../state/settings.js";
import { type Numbered, Received } from "./received.js";
import { listen, on, share } from "./sharing.js";

interface Traits extends Settings {
  grids: Message;
  /** A reference to the model that holds the script; `loader.ts` follows it. */
  script: string | null;
  explains: boolean;
  explained: Partial<Omit<Answer, "grid"> & { grid: Message }>;
}

/** The part of an anywidget model that is used here. */
export interface Model {
  get<Name extends keyof Traits>(name: Name): Traits[Name];
  set<Name extends keyof Settings>(name: Name, value: Settings[Name]): void;
  save_changes(): void;
  send(request: Request): void;
  on(event: Event, listener: Listener): void;
  off(event: Event, listener: Listener): void;
  widget_manager?: { get_model(name: string): Promise<unknown> };
}

/** ipywidgets has one more, "comm_live_update", when a kernel restarts or dies: a view that is there has lost it. */
type Event = `change:${keyof Traits}` | "comm_live_update" | "msg:custom";
type Listener = (content?: unknown, buffers?: Message[]) => void;

export interface Host {
  model: Model;
  el: HTMLElement;
  signal: AbortSignal;
}

export default (source?: Source) => ({
  render({ model, el, signal }: Host): void {
    const settings = shared();
    for (const name of Object.keys(settings) as (keyof Settings)[]) {
      share(model, name, settings[name] as Writable<unknown>, (value) => suited(name, value), signal);
    }
    const isLost = flag(false);
    listen(model, "change:progress", signal, () => {
      isLost.value = false; // only a kernel tells of progress
    });
    on(model, "comm_live_update", signal, () => {
      isLost.value = true;
    });
    const view = createView(el, settings, signal, { isLost, live: liveBehind(model, isLost, signal), source });
    const received = new Received((pieces) => view.show(pieces));
    listen(model, "change:grids", signal, () => received.whole(model.get("grids")));
    on(model, "msg:custom", signal, (content, buffers) => {
      if (!received.piece(content as Numbered, buffers?.[0])) model.send({ do: "send whole" });
    });
  },
});

/** Shows a message in a page that has no kernel, and so nothing to run a prompt with. Returns what takes it away again. */
export function mount(
  el: HTMLElement,
  message: Message,
  state: Partial<Settings> = {},
  source?: Source,
  /** Those whose choices are in the page's address, to which these are added. */
  addressed?: Shared[],
): () => void {
  const ending = new AbortController();
  const settings = shared({ ...state, live: false });
  addressed?.push(settings);
  createView(el, settings, ending.signal, { source, hasAddress: addressed !== undefined }).show(piecesOf(message));
  return () => ending.abort();
}

/** The Python behind a model, as far as it has answered. */
function liveBehind(model: Model, isLost: ReadonlySignal<boolean>, aborted: AbortSignal): Live {
  const ask = (request: Request) => model.send(request);
  const live = { isLost, explains: flag(false), explained: flag<Answer | null>(null), ask };
  listen(model, "change:explains", aborted, () => {
    live.explains.value = model.get("explains");
  });
  listen(model, "change:explained", aborted, async () => {
    const { jump, grid, error } = model.get("explained");
    if (!jump) live.explained.value = null;
    else if (!grid) live.explained.value = { jump, error: error! };
    else
      live.explained.value = await decode(grid).then(
        ({ grids }) => ({ jump, grid: grids[0]! }),
        (reason) => ({ jump, error: reason.message }),
      );
  });
  return live;
}
