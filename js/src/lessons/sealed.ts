// What only the author and the check know of a question: sealed with it.

import { unseal } from "./seal.js";

/** What a question keeps sealed; nothing, where somebody edited it. */
export function keyOf<Key>({ question, sealed }: { question: string; sealed: string }): Partial<Key> {
  try {
    return JSON.parse(unseal(sealed, question));
  } catch {
    return {};
  }
}
