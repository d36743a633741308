// What a lesson draws over the cells of a map: marks of what was tried, a cover over what is to be guessed.

import type { ReadonlySignal } from "@preact/signals";
import { type ComponentType, createContext } from "preact";
import type { GridState } from "../state/grid-state.js";
import type { Layout } from "./layout.js";

export interface OverMapProps {
  state: GridState;
  layout: ReadonlySignal<Layout>;
  scrolled: ReadonlySignal<number>;
}

export const OverMap = createContext<ComponentType<OverMapProps> | null>(null);
