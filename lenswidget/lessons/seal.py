"""Answers that can't be read at a glance in a notebook or a page; twin of js/src/lessons/seal.ts.

A page that checks answers without a server holds all that the check needs, so whoever wants to can work the answers out.
This keeps them out of sight of those who only look, no more. A grade that counts needs hidden tests.
"""

from __future__ import annotations

import base64
import hashlib
from itertools import count

from lenswidget.grids.marks import well_formed

LENGTH = 16
"""Characters of a digest: enough that no two answers of a question meet."""


def digest(salt: str, answer: str) -> str:
    """What an answer is compared by: the first 64 bits of SHA-256 of both, as 16 hexadecimal digits."""
    return _sha256(f"{salt}\n{answer}").hex()[:LENGTH]


def seal(text: str, key: str) -> str:
    """A text that reads as nothing without its key, in base64; well formed, so that both languages write the same bytes."""
    return base64.b64encode(_mixed(well_formed(text).encode(), key)).decode()


def unseal(sealed: str, key: str) -> str:
    """The text again."""
    return _mixed(base64.b64decode(sealed), key).decode()


def _mixed(data: bytes, key: str) -> bytes:
    """Each byte with one of the stream that SHA-256 makes of the key and a count; twice is as it was."""
    stream: list[int] = []
    for block in count():
        if len(stream) >= len(data):
            break
        stream += _sha256(f"{key}\n{block}")
    return bytes(one ^ other for one, other in zip(data, stream))


def _sha256(text: str) -> bytes:
    return hashlib.sha256(well_formed(text).encode()).digest()
