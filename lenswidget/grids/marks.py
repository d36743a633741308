"""Token texts for eyes: what can't be seen gets a mark. Twin of js/src/data/marks.ts, tested on the same table."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_BYTES = re.compile("(<0x[0-9A-F]{2}>)+")
_NAMED = {" ": "␣", "\n": "⏎", "\t": "⇥", "\r": "␍"}
# letters and marks that Unicode lets a font leave out (Default_Ignorable_Code_Point, besides the formats)
_IGNORABLE = (
    range(0x034F, 0x0350),
    range(0x115F, 0x1161),
    range(0x17B4, 0x17B6),
    range(0x180B, 0x1810),
    range(0x3164, 0x3165),
    range(0xFE00, 0xFE10),
    range(0xFFA0, 0xFFA1),
    range(0xE0100, 0xE01F0),
)

PILED = 8
"""Marks that may stand on one letter, as many as any script piles up: a flood of them would cover its neighbours."""


def visible(text: str) -> str:
    """The text with spaces, newlines and other characters that leave no ink, or move others, as visible marks.

    Bytes of a character that other tokens complete, `<0xE5><0xB7>` in a Grid, are `E5 B7`.
    """
    if _BYTES.fullmatch(text):
        return text[3:-1].replace("><0x", " ")
    pieces, piled = [], 0
    for character in text:
        seen, combines = _mark(character)
        piled = piled + 1 if combines else 0
        if piled <= PILED:
            pieces.append(seen)
        elif piled == PILED + 1:
            pieces.append("…")
    # a mark that combines would land on whatever stands before it
    return "".join(["◌", *pieces] if text and _mark(text[0])[1] else pieces)


def well_formed(text: str) -> str:
    """The text with U+FFFD in place of each half of a surrogate pair, which UTF-8, and so a table or a file, can't hold."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def spaced(sentence: str) -> str:
    """A sentence with everything in it visible but the spaces between its words."""
    return " ".join(map(visible, sentence.split(" ")))


def cell_text(text: str) -> str:
    """The text for a cell: visible, without the leading space that most words have."""
    seen = visible(text)
    return seen[1:] if seen.startswith("␣") and len(seen) > 1 else seen


@cache
def _mark(character: str) -> tuple[str, bool]:
    """What is seen of a character, and whether that combines with what stands before it."""
    kind = unicodedata.category(character)[0]
    # controls, formats (zero-width, right-to-left), surrogate halves, private use and unassigned; separators
    if kind in "CZ" or any(ord(character) in span for span in _IGNORABLE):
        return _NAMED.get(character) or f"‹U+{ord(character):04X}›", False
    return character, kind == "M"
