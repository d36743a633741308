// One prompt of many, as a drawing: a bar a layer, words where the leader changes, a bracket from the decision on. Colors
// come from outside, so that the page has its stylesheet's and a picture its own.

import type { Answered } from "../data/answers.js";
import { clamp, type Grid, NO_TOKEN } from "../data/grid.js";
import { cellText } from "../data/marks.js";
import { cut } from "../pieces/font.js";
import { rect, text } from "../pieces/svg.js";

export const LINE = 52;
/** Where bars stand, and how high one of probability 1 is. */
const [FLOOR, TALLEST] = [44, 26];
const WORD = 11;
/** The least that a bar needs to have a word. */
const WORTH = 0.05;

export interface Colors {
  right: string;
  wrong: string;
  /** The answer, where it isn't known whether it is right. */
  answer: string;
  other: string;
  ink: string;
  muted: string;
}

/** `places` are where each layer begins, and where the last ends, in pixels; `breadth` is how wide a word is. */
export function lineDrawn(
  { tokens }: Grid,
  answer: Answered,
  places: number[],
  breadth: (word: string) => number,
  colors: Colors,
): string {
  const { leaders, heights, decided, right, rightTokens } = answer;
  const end = places.at(-1)!;
  const isAnswer = (leader: number) => leader === answer.token;
  const colorOf = (leader: number) => {
    if (rightTokens.includes(leader)) return colors.right;
    return isAnswer(leader) ? (right === null ? colors.answer : colors.wrong) : colors.other;
  };
  const tops = heights.map((height) => FLOOR - Math.max(height * TALLEST, 0.5));
  const bars = leaders.map((leader, i) =>
    leader === NO_TOKEN
      ? ""
      : rect(places[i]!, tops[i]!, Math.max(0.5, places[i + 1]! - places[i]! - 1), FLOOR - tops[i]!, colorOf(leader)),
  );
  const changes = leaders
    .map((leader, i) => ({ leader, i }))
    .filter(({ leader, i }) => leader !== NO_TOKEN && leader !== leaders[i - 1] && heights[i]! >= WORTH);
  const weight = ({ leader, i }: { leader: number; i: number }) =>
    heights[i]! + (i === decided ? 4 : rightTokens.includes(leader) ? 2 : 0);
  const taken: { left: number; right: number; y: number }[] = [];
  // what says most is placed first; a word that finds no room isn't written
  const words = changes
    .sort((a, b) => weight(b) - weight(a))
    .map(({ leader, i }) => {
      const word = cut(cellText(tokens.texts[leader] ?? ""), 14);
      const wide = breadth(word);
      const left = clamp(places[i]!, 0, end - wide);
      const beneath = tops.filter((_, j) => places[j + 1]! > left && places[j]! < left + wide);
      let y = Math.min(...beneath) - 3;
      const runsInto = () =>
        taken.find((one) => one.left < left + wide + 4 && left < one.right + 4 && Math.abs(one.y - y) < WORD);
      for (let other = runsInto(); other; other = runsInto()) y = other.y - WORD;
      if (y < WORD - 2) return "";
      taken.push({ left, right: left + wide, y });
      const color = colorOf(leader);
      const isBold = color !== colors.other;
      return text(left, y, word, isBold ? color : colors.muted, "start", `font-weight="${isBold ? 600 : 400}"`);
    });
  const bracket = `<path d="M${places[decided]! + 0.5} ${FLOOR + 1}v6M${places[decided]} ${FLOOR + 4}H${end - 1}" fill="none" stroke="${colors.ink}" stroke-width="1.5"/>`;
  return [...bars, ...words, bracket].join("");
}
