"""What a token says. Ids are identity; texts are for eyes, and two ids may look alike."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from lenswidget.model.backend import Backend


class TokenTexts:
    """The texts of token ids, read from a tokenizer.

    The text of a token is what it adds to the text before it, so a SentencePiece space is kept. A token that holds
    part of a character is shown as its bytes, `<0xE2><0x80>`: no character would be true.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._known: dict[int, str] = {}
        self._all: dict[str, list[int]] = {}
        self._anchor = tokenizer("a", add_special_tokens=False)["input_ids"]
        self._anchor_text = self.decode(self._anchor)
        added = getattr(tokenizer, "added_tokens_decoder", {})
        self.special = frozenset(tokenizer.all_special_ids) | {i for i, token in added.items() if token.special}

    def __getitem__(self, token_id: int) -> str:
        if token_id not in self._known:
            self._known[token_id] = self._read(token_id)
        return self._known[token_id]

    def of(self, ids: Iterable[int]) -> dict[int, str]:
        """The texts of some ids, each once."""
        return {int(i): self[int(i)] for i in ids}

    def ids(self, text: str) -> list[int]:
        """The token that reads just so, as a cell shows it; else the several that the text splits into.

        A SentencePiece tokenizer puts a space before a text by itself, so that "Paris" alone would be " Paris".
        """
        plain = self._split(text)
        anchored = self._split(self._anchor_text + text)
        after = anchored[len(self._anchor) :] if anchored[: len(self._anchor)] == self._anchor else []
        for ids in (plain, after):
            if len(ids) == 1 and self[ids[0]] == text:
                return ids
        if not text:
            return []
        exact = self._reading(text)
        return exact if len(exact) == 1 else plain if len(plain) != 1 or not exact else exact[:1]

    def _reading(self, text: str) -> list[int]:
        """Every token that reads just so: all of them have to be read once."""
        if not self._all:
            for token_id in sorted(self._tokenizer.get_vocab().values()):
                self._all.setdefault(self[token_id], []).append(token_id)
        return self._all.get(text, [])

    def _split(self, text: str) -> list[int]:
        """The ids of a text; none where the tokenizer has no word for it."""
        try:
            return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])
        except Exception:  # libraries raise what they like here
            return []

    def decode(self, ids: list[int]) -> str:
        """The text of some ids in a row, nothing left out and no space tidied away."""
        return str(self._tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False))

    def _read(self, token_id: int) -> str:
        piece = self._piece(token_id)
        if piece is None:
            return f"<padding {token_id}>"  # rows of the unembedding that no token owns
        text = self.decode([*self._anchor, token_id])
        alone = not text.startswith(self._anchor_text)
        text = self.decode([token_id]) if alone else text[len(self._anchor_text) :]
        if "\ufffd" in text:
            text = _byte_piece(piece) or text
        return text

    def _piece(self, token_id: int) -> str | None:
        """What the vocabulary calls a token; None where it has none of this id, as ids may have gaps."""
        try:
            piece = self._tokenizer.convert_ids_to_tokens(token_id) if token_id >= 0 else None
        except (IndexError, KeyError, OverflowError, TypeError):
            return None
        return None if piece is None else str(piece)


class IdTexts(TokenTexts):
    """The texts of tokens that no tokenizer names: their ids."""

    def __init__(self) -> None:
        self._known = {}
        self.special = frozenset()

    def ids(self, text: str) -> list[int]:
        return [int(text)] if text.strip().isdecimal() else []

    def decode(self, ids: list[int]) -> str:
        return " ".join(map(str, ids))

    def _read(self, token_id: int) -> str:
        return str(token_id)


def texts_of(backend: Backend) -> TokenTexts:
    """The texts of a model's tokens: their ids where the model has no tokenizer."""
    tokenizer = backend.tokenizer
    return backend.remembered("texts", lambda: IdTexts() if tokenizer is None else TokenTexts(tokenizer))


def _byte_piece(piece: str) -> str:
    """A piece of a byte-level vocabulary as its bytes, or nothing where the piece is no such thing."""
    if piece.startswith("<0x") and piece.endswith(">"):
        return piece
    table = _byte_of_character()
    if any(character not in table for character in piece):
        return ""
    return "".join(f"<0x{table[character]:02X}>" for character in piece)


@functools.cache
def _byte_of_character() -> dict[str, int]:
    """How byte-level vocabularies write a byte: printable Latin-1 as itself, the others in order from U+0100."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    moved = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(0x100 + n): byte for n, byte in enumerate(moved)}
