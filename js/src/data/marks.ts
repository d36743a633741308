// Token texts for eyes; twin of lenswidget/grids/marks.py. A vocabulary holds spaces, control characters, marks that turn
// the line round and halves of letters; whatever can't be seen is shown, and nothing here is ever read as markup.

const NAMED: Record<string, string> = { " ": "␣", "\n": "⏎", "\t": "⇥", "\r": "␍" };
/** What leaves no ink, or moves what does. */
export const UNSEEN = /[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/gu;
/** More marks on one letter than any script piles up: a flood of them would cover its neighbours. */
const FLOOD = /(\p{M}{8})\p{M}+/gu;
/** Bytes of a character that other tokens complete, as Python writes them. */
export const BYTES = /^(<0x[0-9A-F]{2}>)+$/;

/** A token's text with everything in it visible: `␣Paris`, `⏎⏎`, `‹U+202E›`, and bytes as `E5 B7`. */
export function visible(text: string): string {
  if (BYTES.test(text)) return text.slice(3, -1).replaceAll("><0x", " ");
  const seen = text
    .replace(UNSEEN, (character) => NAMED[character] ?? `‹U+${codePoint(character, 4)}›`)
    .replace(FLOOD, "$1…");
  // a mark that combines would land on whatever stands before it
  return /^\p{M}/u.test(seen) ? `◌${seen}` : seen;
}

/** A sentence with everything in it visible but the spaces between its words. */
export function spaced(sentence: string): string {
  return sentence.split(" ").map(visible).join(" ");
}

/** The same for a cell, where the space that most words begin with says nothing. */
export function cellText(text: string): string {
  const seen = visible(text);
  return seen.length > 1 && seen.startsWith("␣") ? seen.slice(1) : seen;
}

export function codePoint(character: string, digits: number): string {
  return character.codePointAt(0)!.toString(16).toUpperCase().padStart(digits, "0");
}
