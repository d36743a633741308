"""Sentences that Python and the browser say alike. They are written once, in words.json, which js/src/text/told.ts reads, too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_WORDS: dict[str, str] = json.loads(Path(__file__).with_name("words.json").read_text("utf-8"))


def say(sentence: str, **parts: Any) -> str:
    """A sentence of words.json by its name, with its gaps filled. What fills them is never read as a gap."""
    return _WORDS[sentence].format(**parts)
