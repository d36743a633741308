// Text that an author wrote, with the few marks of Markdown that a sentence needs, as elements: whatever it says, it is never HTML.

import type { ComponentChildren } from "preact";
import { Term } from "./term.js";

const MARKED = /\*\*(.+?)\*\*|\*(.+?)\*|`([^`]+)`|\[\[([^\]|]+)(?:\|([^\]]+))?\]\]/gs;

interface Props {
  text: string;
  /** What the words in double brackets mean; without it they are words as others: a card opens no card. */
  terms?: [term: string, definition: string][];
}

/** `**weight**`, `*emphasis*`, `` `code` `` and `[[terms]]`, or `[[term|as it reads here]]`. */
export function Rich({ text, terms = [] }: Props) {
  const parts: ComponentChildren[] = [];
  let end = 0;
  for (const match of text.matchAll(MARKED)) {
    const [all, strong, emphasis, code, term, reads] = match;
    parts.push(unbroken(text.slice(end, match.index)));
    end = match.index + all.length;
    if (strong) parts.push(<strong>{<Rich text={strong} terms={terms} />}</strong>);
    else if (emphasis) parts.push(<em>{<Rich text={emphasis} terms={terms} />}</em>);
    else if (code) parts.push(<code dir="auto">{code}</code>);
    else {
      const known = terms.find(([name]) => name.toLowerCase() === term!.trim().toLowerCase());
      parts.push(known ? <Term name={reads ?? term!} card={<Rich text={known[1]} />} /> : (reads ?? term));
    }
  }
  parts.push(unbroken(text.slice(end)));
  return <>{parts}</>;
}

/** A number on one line with its percent sign. */
function unbroken(text: string): string {
  return text.replace(/(\d) %/g, "$1\u00a0%");
}
