"""Token texts for eyes: what can't be seen gets a mark. Twin of js/src/marks.ts, tested on the same table."""

from __future__ import annotations

import unicodedata

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


def visible(text: str) -> str:
    """The text with spaces, newlines and other characters that leave no ink, or move others, as visible marks."""
    seen = "".join(_NAMED.get(character) or _mark(character) for character in text)
    # a mark that combines would land on whatever stands before it
    return f"◌{seen}" if seen and unicodedata.category(seen[0]).startswith("M") else seen


def cell_text(text: str) -> str:
    """The text for a cell: visible, without the leading space that most words have."""
    seen = visible(text)
    return seen[1:] if seen.startswith("␣") and len(seen) > 1 else seen


def _mark(character: str) -> str:
    # controls, formats (zero-width, right-to-left), surrogate halves, private use and unassigned; separators
    if unicodedata.category(character)[0] in "CZ" or any(ord(character) in span for span in _IGNORABLE):
        return f"‹U+{ord(character):04X}›"
    return character
