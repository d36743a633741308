// Answers that can't be read at a glance in a notebook or a page; twin of lenswidget/lessons/seal.py, which says how far that
// goes.

import { sha256 } from "./sha256.js";

/** Characters of a digest. */
const LENGTH = 16;

/** What an answer is compared by. */
export function digest(salt: string, answer: string): string {
  const bytes = hashed(`${salt}\n${answer}`);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
    .join("")
    .slice(0, LENGTH);
}

/** The text that was sealed; "" where that isn't what it was sealed with, or somebody edited it. */
export function unseal(sealed: string, key: string): string {
  try {
    const bytes = Uint8Array.from(atob(sealed), (character) => character.charCodeAt(0));
    for (let start = 0; start < bytes.length; start += 32) {
      const stream = hashed(`${key}\n${start / 32}`);
      for (let i = start; i < Math.min(bytes.length, start + 32); i++) bytes[i]! ^= stream[i - start]!;
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return "";
  }
}

function hashed(text: string): Uint8Array {
  return sha256(new TextEncoder().encode(text));
}
