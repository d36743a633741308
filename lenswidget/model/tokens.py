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
        self._anchor = tokenizer("a", add_special_tokens=False)["input_ids"]
        self._anchor_text = self.decode(self._anchor)
        self._size = len(tokenizer)
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
        """The token ids that a text splits into, with nothing added before or after."""
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def decode(self, ids: list[int]) -> str:
        """The text of some ids in a row, nothing left out and no space tidied away."""
        return str(self._tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False))

    def _read(self, token_id: int) -> str:
        if not 0 <= token_id < self._size:
            return f"<padding {token_id}>"  # rows of the unembedding that no token owns
        text = self.decode([*self._anchor, token_id])
        alone = not text.startswith(self._anchor_text)
        text = self.decode([token_id]) if alone else text[len(self._anchor_text) :]
        if "\ufffd" in text:
            piece = self._tokenizer.convert_ids_to_tokens(token_id)
            text = _byte_piece(piece) or text
        return text


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
