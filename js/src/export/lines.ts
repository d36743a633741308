// The words of the page as lines of a drawing: each where it stands, in its font and its color.

import { measuring } from "../pieces/font.js";
import { text } from "../pieces/svg.js";

/** `at` says where a place of the window is in the drawing, and how large. */
export function linesOf(node: Text, style: CSSStyleDeclaration, ink: string, at: (rect: DOMRect) => DOMRect): string[] {
  const range = document.createRange();
  const lines: { words: string; left: number; box: DOMRect }[] = [];
  for (let i = 0; i < node.data.length; i++) {
    range.setStart(node, i);
    range.setEnd(node, i + 1);
    const [rect] = range.getClientRects();
    const box = rect && at(rect);
    const last = lines.at(-1);
    // half of a pair has no place of its own, nor has a space at the end of a line
    if (last && (!box || Math.abs(box.y - last.box.y) < 3 || style.writingMode !== "horizontal-tb")) {
      last.words += node.data[i];
      last.left = Math.min(last.left, box?.x ?? last.left);
    } else if (box && node.data[i]!.trim()) lines.push({ words: node.data[i]!, left: box.x, box });
  }
  const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = measuring(style.font).measureText("x");
  const font = `font-size="${style.fontSize}" font-weight="${style.fontWeight}" font-style="${style.fontStyle}"`;
  return lines.map(({ words, left, box: { y, width, height } }) => {
    if (style.writingMode === "horizontal-tb")
      return text(left, y + (height - down + up) / 2, words, ink, "start", font);
    const [x, foot] = [left + (width + up - down) / 2, y + height];
    return text(x, foot, words, ink, "start", `${font} transform="rotate(-90 ${x} ${foot})"`);
  });
}
