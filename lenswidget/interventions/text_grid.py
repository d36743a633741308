"""Texts that a model wrote, as a Grid: a row a text, a column a token."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping

import numpy as np

from lenswidget.grids.grid import Grid
from lenswidget.grids.parts import NO_TOKEN, Candidates, Quantity
from lenswidget.interventions.edited_text import EditedText
from lenswidget.model.tokens import TokenTexts


def grid_of_texts(
    text: EditedText,
    texts: TokenTexts,
    *,
    title: str,
    kind: str,
    model: str,
    rows: tuple[str, ...],
    notes: tuple[str, ...] = (),
    provenance: Mapping[str, str] | None = None,
) -> Grid:
    """What was written, with the candidates of every step; a column is a step, counted from 1."""
    ids = text.ids.cpu().numpy().astype(np.int32)
    bits = text.log_probability.cpu().numpy().astype(np.float32)
    steps = ids.shape[1]
    known = texts.of(sorted({int(i) for i in ids.ravel() if i != NO_TOKEN}))
    top = bits[:, :, 0]
    return Grid(
        title=title,
        kind=kind,
        model=model,
        rows=rows,
        columns=np.full(steps, NO_TOKEN, dtype=np.int32),
        positions=np.arange(steps, dtype=np.int32),
        column_labels=tuple(str(step) for step in range(1, steps + 1)),
        quantities={
            quantity.name: quantity
            for quantity in (
                Quantity("probability", np.exp2(top), domain=(0.0, 1.0)),
                Quantity("log-probability", top, unit="bits"),
                Quantity("entropy", text.entropy.cpu().numpy().astype(np.float32), unit="bits"),
            )
        },
        candidates=Candidates(ids, bits),
        texts=known,
        special=tuple(i for i in known if i in texts.special),
        notes=notes,
        provenance={"lenswidget": importlib.metadata.version("lenswidget"), **(provenance or {})},
    )
