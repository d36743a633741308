"""Contributions that sum to a logit in each cell: chosen from, beside what they were before an edit, and laid out as a Grid."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.attribution.formulas import ROUNDED, Contributions
from lenswidget.attribution.under_edits import said
from lenswidget.attribution.vocabulary_space import promotes
from lenswidget.grids.grid import Grid
from lenswidget.grids.parts import BEFORE, NO_TOKEN, Check, Quantity, Target
from lenswidget.model.made_by import made_by
from lenswidget.model.recalled_run import Experiment
from lenswidget.model.run import Run
from lenswidget.model.targets import named

PREDICTED = "predicted change"
"""What a row was in the run without the edit, and how that would change it; the front-end knows them by these names."""
_LAST = ("norm rescale", "translator", ROUNDED, "soft-cap", "other")


@dataclass(frozen=True, eq=False)  # tensors have no one answer to ==
class Attribution:
    """Contributions that sum to a logit in each cell, before they are chosen from and drawn."""

    run: Run
    targets: tuple[Target, ...]
    rows: list[Contributions]
    columns: Int[np.ndarray, "columns"]
    positions: Int[np.ndarray, "columns"]
    check: Check
    notes: tuple[str, ...]
    spread: Float[Tensor, "n columns"] | None = None
    column_labels: tuple[str, ...] | None = None
    across: bool = False
    """Whether it is all cells that sum to the logit, not those of each column."""
    before: Float[Tensor, "n columns"] | None = None
    """What the rows were in the run without an edit."""
    predicted: Float[Tensor, "n columns"] | None = None
    """How an edit would change the rows if none reacted to it, where that is known."""

    def grid(self, top: int | None) -> Grid:
        """The rows in the model's order; beyond the `top`, all others as one."""
        values = torch.cat([r.values for r in self.rows])
        begins = np.cumsum([0, *(len(r.values) for r in self.rows)])
        spread = self.spread
        beside = {BEFORE: self.before, PREDICTED: self.predicted}
        if top is not None and top < len(values):
            # a row that is not finite is one to look at
            weight = values.abs().nan_to_num(nan=float("inf")).amax(-1)
            keep = weight.topk(top).indices
            if self.before is not None:
                # what mattered before, and what matters now
                keep = torch.cat(
                    [keep, self.before.abs().nan_to_num(nan=float("inf")).amax(-1).topk(top).indices]
                ).unique()
            keep = keep.sort().values
            rest = torch.ones(len(values), dtype=torch.bool).index_fill_(0, keep.cpu(), False).to(values.device)
            others = values[rest].sum(0, keepdim=True)
            # of a hundred thousand neurons, fifty have a name
            of = np.searchsorted(begins, keep.cpu().numpy(), side="right") - 1
            labels = [self.rows[r].label(i - int(begins[r])) for r, i in zip(of, keep.tolist())]
            labels.append(f"{int(rest.sum()):,} smaller")
            values = torch.cat([values[keep], others])
            for name, known in beside.items():
                beside[name] = known if known is None else torch.cat([known[keep], known[rest].sum(0, keepdim=True)])
            if spread is not None:
                # spreads don't add: how the sum of the others varies is not known from theirs
                spread = torch.cat([spread[keep], torch.full_like(spread[:1], torch.nan)])
        else:
            labels = [r.label(i) for r in self.rows for i in range(len(r.values))]
        quantities = [_quantity("contribution", values)]
        quantities += [_quantity(name, known) for name, known in beside.items() if known is not None]
        if spread is not None:
            quantities.append(_spread(spread))
        elif not self.across:
            quantities.append(_quantity("running total", values.cumsum(0)))
        return self._grid(tuple(labels), quantities, view="bars" if len(self.columns) == 1 else "heatmap")

    def by_layer(self) -> Grid:
        """A row a block, a column a part of it; rows outside the blocks stand in a column of their own."""
        if len(self.columns) != 1:
            raise ValueError(
                f"by_layer takes the columns for the parts of a block, so it shows one position; got {len(self.columns)}."
            )
        cells: list[tuple[str, str]] = []
        for rows in self.rows:
            for i in range(len(rows.values)):
                outside = rows.layer is None
                cells.append((rows.name, "other") if outside else (f"L{rows.layer}", rows.part(i) or "block"))
        labels = tuple(dict.fromkeys(row for row, _ in cells))
        parts = sorted(dict.fromkeys(part for _, part in cells), key=part_order)
        row_of, column_of = ({name: i for i, name in enumerate(names)} for names in (labels, parts))
        places = torch.tensor([row_of[row] for row, _ in cells]), torch.tensor([column_of[part] for _, part in cells])

        def laid_out(values: Float[Tensor, "n 1"]) -> Float[Tensor, "rows parts"]:
            laid = values.new_full((len(labels), len(parts)), torch.nan)
            laid[places] = values[:, 0]
            return laid

        quantities = [_quantity("contribution", laid_out(torch.cat([r.values for r in self.rows])))]
        if self.spread is not None:
            quantities.append(_spread(laid_out(self.spread)))
        return self._grid(
            labels,
            quantities,
            columns=np.full(len(parts), NO_TOKEN, dtype=np.int32),
            positions=np.arange(len(parts), dtype=np.int32),
            column_labels=tuple(parts),
            check=replace(self.check, claim=self.check.claim.replace("rows", "cells")),
        )

    def _grid(self, rows: tuple[str, ...], quantities: list[Quantity], **changes: Any) -> Grid:
        run = self.run
        columns = changes.pop("columns", self.columns)
        within = changes.get("column_labels", ("",) * len(columns))  # the columns of `by_layer` are parts of its rows

        # what a Grid carries keeps no run and no model alive
        model, name = run.activations and weakref.ref(run.activations.backend.model), run.model

        def promoted(column: int, token: int, row: int) -> Grid:
            if token != NO_TOKEN:
                raise ValueError("Parts of a logit have no trajectories; ask a lens what moved a token.")
            living = model and model()
            if living is None:
                raise ValueError(f"{name} was deleted, and what a part promotes is read from its weights.")
            return promotes(living, rows[row] + within[column])

        ids = sorted({int(i) for i in columns if i != NO_TOKEN} | {i for t in self.targets for i in t.ids})
        facts: dict[str, Any] = {
            "positions": self.positions,
            "column_labels": self.column_labels,
            "notes": self.notes,
            "check": self.check,
        } | changes
        return Grid(
            title=run.prompt,
            kind="Direct logit attribution",
            rows=rows,
            columns=columns,
            quantities={q.name: q for q in quantities},
            texts=run.texts.of(ids),
            special=tuple(i for i in ids if i in run.texts.special),
            targets=self.targets,
            model=run.model,
            explain=promoted,
            provenance={"target": named(self.targets), **made_by(run)},
            **facts,
        )


def beside(after: Attribution, before: Attribution, experiments: Sequence[Experiment]) -> Attribution:
    """What was attributed under edits, each row with what it was before: 0 for one that only one of them has."""
    known = {r.label(i): values for r in before.rows for i, values in enumerate(r.values)}
    here = {r.label(i) for r in after.rows for i in range(len(r.values))}
    gone = [replace(r, values=torch.zeros_like(r.values)) for r in before.rows if r.label(0) not in here]
    rows = [*after.rows, *gone]
    now = {r.label(i): values for r in rows for i, values in enumerate(r.values)}
    was = torch.stack([known.get(label, torch.zeros_like(values)) for label, values in now.items()])
    at = after.positions.tolist()
    out = {site for site, position, source, _ in experiments if source is None and [position] == at and site in known}
    labels = list(now)
    # to take a row of the stream out is more than to take out what a block added
    only = len(out) == len({(site, position) for site, position, *_ in experiments}) and not any(map(_is_row, out))
    taken = torch.tensor([label in out for label in labels], device=was.device).unsqueeze(-1)
    predicted = torch.where(taken, -was, 0.0) if only else None
    changes = torch.stack(list(now.values())) - was
    others = {label: float(change.sum()) for label, change in zip(labels, changes) if label not in out}
    sentence = said(float(changes.sum()), None if predicted is None else float(predicted.sum()), others)
    return replace(after, rows=rows, before=was, predicted=predicted, notes=(*after.notes, sentence))


def _is_row(label: str) -> bool:
    return label == "embed" or label[1:].isdigit()


def _quantity(name: str, values: Tensor) -> Quantity:
    return Quantity(name, _numpy(values), unit="logits", center=0.0)


def _spread(values: Tensor) -> Quantity:
    return Quantity("spread", _numpy(values), unit="logits")


def part_order(part: str) -> tuple[int, int, str]:
    """The parts of a block as columns: heads by number, then the others, then what is no part."""
    number = part[1:]
    if part.startswith("H") and number.isdigit():
        return 0, int(number), part
    return (2, _LAST.index(part), part) if part in _LAST else (1, 0, part)


def _numpy(values: Tensor) -> np.ndarray:
    return np.ascontiguousarray(values.cpu().numpy(), dtype=np.float32)
