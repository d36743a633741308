// How the room of a view is shared: the map first, then the chart on its rows, then what is held.

import { usefulWidths } from "../heatmap/layout.js";

export interface Places {
  /** Widths, in CSS pixels; 0 where there is none. */
  map: number;
  chart: number;
  dock: number;
  /** Whether the chart stands beside the map, on the same rows, and not beneath. */
  isBeside: boolean;
  /** Where what is held stands: beside the chart, beneath it, or as a sheet at the lower edge of what can be seen. */
  dockAt: "beside" | "beneath" | "sheet";
}

export const GAP = 28;
const NARROW = 600;
const CHART = { least: 284, most: 500 };
const DOCK = 280;

interface Wishes {
  width: number;
  columns: number;
  gutter: number;
  hasChart: boolean;
  /** Whether several stand beside each other, each with its own. */
  isPanel: boolean;
}

export function placesFor({ width, columns, gutter, hasChart, isPanel }: Wishes): Places {
  const { legible, widest } = usefulWidths(columns, gutter);
  const least = hasChart ? CHART.least + GAP : 0;
  // beside others a map that must be scrolled is no longer on the columns of theirs
  if (width < NARROW || (isPanel && width - least < legible)) {
    const dockAt = isPanel ? "beneath" : "sheet";
    return { map: width, chart: hasChart ? Math.min(width, 560) : 0, dock: width, isBeside: false, dockAt };
  }
  // beside the chart if both can still be read there
  const dockAt = !isPanel && width - DOCK - GAP - least >= legible ? "beside" : "beneath";
  const room = width - (dockAt === "beside" ? DOCK + GAP : 0);
  const map = Math.min(widest, room - least);
  const chart = hasChart ? Math.min(CHART.most, room - map - GAP) : 0;
  const dock = dockAt === "beside" ? DOCK : room;
  return { map, chart, dock, isBeside: hasChart, dockAt };
}

/** The same for two maps with a chart between them; null where there is too little. */
export function placesForPair(width: number, columns: number, gutter: number): Pick<Places, "map" | "chart"> | null {
  const { legible, widest } = usefulWidths(columns, gutter);
  const room = Math.floor((width - CHART.least - 2 * GAP) / 2);
  if (room < legible) return null;
  const map = Math.min(widest, room);
  return { map, chart: Math.min(CHART.most, width - 2 * (map + GAP)) };
}
