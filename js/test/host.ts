// A notebook to test in: a model that behaves as anywidget's does, and elements to render views into.

import axe from "axe-core";
import { expect, onTestFinished, vi } from "vitest";
import { userEvent } from "vitest/browser";
import "../src/style/style.css";
import createWidget, { type Model } from "../src/host/widget.js";
import { shared } from "../src/state/settings.js";

type Listener = (...given: unknown[]) => void;

/** A fake of anywidget's model: values, listeners, and what was sent to Python. */
export class FakeModel {
  readonly sent: Record<string, unknown>[] = [];
  /** What was asked for by messages of the widget's own. */
  readonly asked: unknown[] = [];
  private readonly listeners = new Map<string, Set<Listener>>();
  private values: Record<string, unknown>;
  private unsent: Record<string, unknown> = {};

  constructor(grids: ArrayBufferView | ArrayBuffer, settings: Record<string, unknown> = {}) {
    const defaults = Object.fromEntries(Object.entries(shared()).map(([name, setting]) => [name, setting.value]));
    this.values = { ...defaults, explains: false, explained: {}, ...settings, grids };
  }

  get(name: string): unknown {
    return this.values[name];
  }

  set(name: string, value: unknown): void {
    this.unsent[name] = value;
    this.change(name, value);
  }

  save_changes(): void {
    this.sent.push(this.unsent);
    this.unsent = {};
  }

  send(content: unknown): void {
    this.asked.push(content);
  }

  /** What Python does when it assigns a trait. */
  change(name: string, value: unknown): void {
    this.values[name] = value;
    this.happen(`change:${name}`);
  }

  happen(event: string, ...given: unknown[]): void {
    for (const listener of [...(this.listeners.get(event) ?? [])]) listener(...given);
  }

  on(event: string, listener: Listener): void {
    this.listeners.set(event, (this.listeners.get(event) ?? new Set()).add(listener));
  }

  off(event: string, listener: Listener): void {
    this.listeners.get(event)?.delete(listener);
  }

  get listening(): number {
    return [...this.listeners.values()].reduce((sum, { size }) => sum + size, 0);
  }
}

/** Renders a view of the model and waits until it is painted, or has failed. */
export async function show(model: FakeModel, parent: ParentNode & Node = document.body) {
  const el = document.createElement("div");
  parent.append(el);
  const ending = new AbortController();
  createWidget().render({ model: model as unknown as Model, el, signal: ending.signal });
  const root = el.querySelector<HTMLElement>(".lenswidget")!;
  onTestFinished(() => {
    ending.abort();
    el.remove();
  });
  // the first of a file waits for the machine, too, and no test here is of speed
  await vi.waitFor(() => expect(root.dataset.state).not.toBe("loading"), { timeout: 10_000 });
  return { el, root, end: () => ending.abort() };
}

/** The part of the heatmap that takes the pointer and the keys. */
export function scroller(root: HTMLElement): HTMLElement {
  return root.querySelector<HTMLElement>("[role=application]")!;
}

/** Where a cell's middle is, from the corner of the scroller: cells are as the page shows them, five rows by four. */
export function middle(root: HTMLElement, row: number, column: number, rows = 5, columns = 4) {
  const { firstElementChild } = scroller(root);
  const { width, height } = firstElementChild!.getBoundingClientRect();
  return { x: ((column + 0.5) * width) / columns, y: ((rows - row - 0.5) * height) / rows };
}

export const card = (root: ParentNode) => root.querySelector<HTMLElement>(".lw-card");
export const cards = (root: ParentNode) => [...root.querySelectorAll<HTMLElement>(".lw-card")];
export const chips = (root: ParentNode) => [...root.querySelectorAll(".lw-chip bdi")].map((chip) => chip.textContent);
export const canvasOf = (root: HTMLElement) => root.querySelector<HTMLCanvasElement>(".lw-cells canvas")!;
export const hover = (root: HTMLElement, row: number, column: number) =>
  userEvent.hover(scroller(root), { position: middle(root, row, column) });
export const click = (root: HTMLElement, row: number, column: number) =>
  userEvent.click(scroller(root), { position: middle(root, row, column) });

/** Every color on the canvases of the cells and of their labels. */
export function pixels(root: HTMLElement): string {
  const data = (canvas: HTMLCanvasElement) => canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
  return [...root.querySelectorAll<HTMLCanvasElement>(".lw-heatmap canvas")].map((one) => data(one).data).join();
}

/** What in a view hinders a reader, as axe-core finds it. */
export async function hindrances(root: HTMLElement): Promise<string[]> {
  const { violations } = await axe.run(root);
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes[0]!.html}`);
  // a page has many figures: landmarks in them would be as many, and some of one name
  const landmarks = root.querySelectorAll("aside, main, nav, section[aria-label], [role=region]");
  return [...found, ...[...landmarks].map((one) => `landmark: ${one.outerHTML.slice(0, 100)}`)];
}
