// All lines of an overview as one drawing, with their colors as they are on screen.

import { answersOf, placesOf } from "../data/answers.js";
import type { Grid } from "../data/grid.js";
import { cellText } from "../data/marks.js";
import { type Drawing, rect, type Shorten, text } from "../pieces/svg.js";
import { type Palette, STEPS } from "../style/palette.js";
import { percent } from "../text/number.js";
import { breadthOf } from "./breadth.js";
import { type Colors, LINE, lineDrawn } from "./line-drawing.js";
import { lostIn } from "./lost.js";

const [ASKED, SAYS, SPAN, DECIDED] = [250, 250, 560, 60];

export function overviewDrawn(grid: Grid, palette: Palette, shorten: Shorten): Drawing {
  const { pins, sequential, ink, muted } = palette;
  const tone = (share: number) => sequential.fill[Math.round(share * (STEPS - 1))]!;
  const colors: Colors = { right: pins[0]!, wrong: pins[1]!, answer: tone(0.75), other: tone(0.56), ink, muted };
  const places = placesOf(grid).map((place) => place * SPAN);
  const breadth = breadthOf();
  const labels = grid.columnLabels!;
  const said = (tokens: number[]) => tokens.map((one) => cellText(grid.tokens.texts[one] ?? "")).join(" + ");
  const lines = answersOf(grid).map((answer, i) => {
    const { name, token, probability, right, rightTokens, decided } = answer;
    const fill = right === null ? ink : right ? colors.right : colors.wrong;
    const mark = right === null ? "" : right ? "✓ " : "✗ ";
    return `<g transform="translate(0 ${i * LINE + 8})">${[
      text(0, 32, shorten(name, ASKED - 16), ink),
      text(
        ASKED,
        32,
        shorten(`${mark}${said([token])} ${percent(probability)}`, SAYS - 16),
        fill,
        "start",
        `font-weight="600"`,
      ),
      right === false
        ? text(ASKED, 48, shorten(`right: ${said(rightTokens)} ${lostIn(grid, answer)}`, SAYS - 16), muted)
        : "",
      `<g transform="translate(${ASKED + SAYS} 0)">${lineDrawn(grid, answer, places, breadth, colors)}</g>`,
      text(ASKED + SAYS + SPAN + DECIDED, 32, labels[decided]!, ink, "end"),
    ].join("")}</g>`;
  });
  const below = lines.length * LINE + 32;
  const keys = [
    ...(grid.targets.length
      ? [
          [colors.right, "the right answer leads"],
          [colors.wrong, "what is said, and isn’t right"],
        ]
      : [[colors.answer, "what is said leads"]]),
    [colors.other, "another token leads"],
  ].map(([fill, words], i) => rect(i * 210, below - 10, 11, 11, fill!) + text(i * 210 + 17, below, words!, muted));
  return { svg: [...lines, ...keys].join(""), width: ASKED + SAYS + SPAN + DECIDED, height: below + 16 };
}
