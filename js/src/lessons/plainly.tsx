// A definition: emphasis and code, and of terms only their words, as a card opens no card.

import type { ComponentChildren } from "preact";

export function plainly(text: string): ComponentChildren[] {
  const plain = text.replace(/\[\[([^\]|]+)(?:\|([^\]]+))?\]\]/g, (_, term, reads) => reads ?? term);
  return plain
    .split(/(\*\*.+?\*\*|\*.+?\*|`[^`]+`)/)
    .map((one) =>
      one.startsWith("**") && one.length > 4 ? (
        <strong>{one.slice(2, -2)}</strong>
      ) : one.startsWith("*") && one.length > 2 ? (
        <em>{one.slice(1, -1)}</em>
      ) : one.startsWith("`") && one.length > 2 ? (
        <code dir="auto">{one.slice(1, -1)}</code>
      ) : (
        one
      ),
    );
}
