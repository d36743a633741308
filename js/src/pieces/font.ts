// What canvases and drawings write with, and how wide that is.

export const WORD_FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';
export const LABEL_FONT = WORD_FONT.replace("12", "11.5");

/** Measures texts in a font. */
export function measuring(font: string): CanvasRenderingContext2D {
  const context = document.createElement("canvas").getContext("2d")!;
  context.font = font;
  return context;
}

/** A label cut to so many letters. */
export function cut(label: string, most: number): string {
  const characters = [...label];
  return characters.length > most ? `${characters.slice(0, most - 1).join("")}…` : label;
}
