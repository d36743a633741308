// What a lesson draws over the lines of a chart: a guess, beside what came of it.

import { type ComponentType, createContext } from "preact";
import type { GridState } from "../state/grid-state.js";
import type { Place } from "./place.js";

export interface OverChartProps {
  state: GridState;
  /** The column that the chart is of. */
  column: number;
  place: Place;
}

export const OverChart = createContext<ComponentType<OverChartProps> | null>(null);
