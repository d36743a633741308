// How wide a word is that stands on a bar.

export function breadthOf(): (word: string) => number {
  const context = document.createElement("canvas").getContext("2d")!;
  context.font = '600 11px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';
  return (word) => context.measureText(word).width;
}
