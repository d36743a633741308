"""Sentences that both languages say are written once, and what fills them is never read as a gap."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from lenswidget.grids.words import say

ROOT = Path(__file__).parents[1]


def test_what_fills_a_sentence_is_never_read_as_a_gap() -> None:
    assert say("off", claim="{error} {claim}", error="{0}") == "{error} {claim}, off by {0}"


def test_every_sentence_is_said_by_both_and_written_nowhere_else() -> None:
    known = json.loads((ROOT / "lenswidget/grids/words.json").read_text("utf-8"))
    files = subprocess.run(
        ["git", "ls-files", "lenswidget", "js/src"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    python, script = (
        "\n".join((ROOT / name).read_text("utf-8") for name in files if name.endswith(ends))
        for ends in ((".py",), (".ts", ".tsx"))
    )
    for name, sentence in known.items():
        assert re.search(rf'["\']{name}["\']', python), f"{name} is said by no Python"
        assert re.search(rf"\b{name}\b", script), f"{name} is said by no script"
        words = max(re.split(r"\{\w+\}", sentence), key=len)
        if len(words) > 12:
            assert words not in python and words not in script, f"{words!r} is written a second time"
