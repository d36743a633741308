"""Where a Grid came from, as every file says that is made of it. Twin of js/src/data/provenance.ts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any


def provenance_of(grid: Any) -> dict[str, str]:
    """What a Grid is and what made it, by name: title, kind, model, notes, then all of `grid.provenance`. A title that is the
    prompt, and a kind that is the lens, are said once."""
    made = grid.provenance
    first = {
        "title": "" if grid.title == made.get("prompt") else grid.title,
        "kind": "" if grid.kind == made.get("lens") else grid.kind,
        "model": grid.model,
        "notes": "; ".join(grid.notes),
    }
    return {name: value for name, value in {**first, **made}.items() if value}


def provenance_text(grids: Sequence[Any]) -> str:
    """That of several Grids as one text: an object, or a list of them; JSON in ASCII, so that any file can hold it."""
    every = [provenance_of(grid) for grid in grids]
    return json.dumps(every if len(every) > 1 else every[0], ensure_ascii=True, separators=(",", ":"))
