"""Swept: a sweep over one pair, as numbers, and the Grid that is drawn of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from lenswidget.grids.grid import Grid
from lenswidget.grids.parts import NO_TOKEN, Candidates, Check, Quantity, Sweep, Target, Trajectories
from lenswidget.interventions.layout import Layout
from lenswidget.interventions.metrics import METRICS, called
from lenswidget.model.made_by import made_by
from lenswidget.model.reading import Reading
from lenswidget.model.run import Run
from lenswidget.model.targets import named

WHAT = {"row": "rows", "attn": "attention", "mlp": "MLPs", "component": "parts", "head": "heads", "neuron": "neurons"}
"""What is swept, in words, by unit."""


@dataclass(frozen=True, eq=False)  # tensors have no one answer to ==
class Swept:
    """A sweep over one pair, before it is drawn."""

    base: Run
    source: Run | None
    """None where something is taken out or averaged: there is no one run to come back to."""
    unit: str
    put: str
    """What is put there, in words."""
    layout: Layout
    targets: tuple[Target, ...]
    metric: str
    position: int
    reading: Reading
    """Of every cell; below them, as the last row, the source's answer, or the base's where there is no source."""
    patched: Float[Tensor, "rows columns"]
    base_value: float
    source_value: float | None
    known: Bool[np.ndarray, "rows columns"]
    """Cells that are there and were run: one that can't change the answer counts as run."""
    columns: Int[np.ndarray, "columns"]
    source_columns: Int[np.ndarray, "columns"]
    first: int
    check: Check | None
    notes: tuple[str, ...]
    said: tuple[Float[Tensor, "vocabulary"], Float[Tensor, "vocabulary"]]
    """What base and source say, in bits."""
    method: str = "exact"
    estimate: Float[Tensor, "rows columns"] | None = None
    """What a gradient says of each effect, NaN where there is no cell."""

    @property
    def name(self) -> str:
        return called(self.metric, self.targets)

    def grid(self) -> Grid:
        effect = self.patched - self.base_value
        quantities = []
        if self.source_value is not None:
            share = effect / (self.source_value - self.base_value)
            quantities.append(Quantity("recovered", self._shown(share), center=0.0, domain=(-1.0, 1.0)))
        quantities += [
            Quantity("effect", self._shown(effect), unit=METRICS[self.metric], center=0.0),
            Quantity(self.name, self._shown(self.patched), unit=METRICS[self.metric]),
            *self._statistics(),
        ]
        if self.estimate is not None:
            quantities.insert(0 if self.method == "gradient" else 2, mean_estimate([self]))
        if self.method == "gradient":
            # most cells say nothing, since they were not run: their numbers stand in them
            return self.as_grid(quantities, None, None)
        return self.as_grid(quantities, self._candidates(), self._trajectories())

    def _statistics(self) -> list[Quantity]:
        reading = self.reading
        rows = slice(0, -1)
        found = [
            Quantity("probability", self._shown(reading.top_log_probability[rows, :, 0].exp2()), domain=(0.0, 1.0))
        ]
        for i, target in enumerate(self.targets):
            bits = reading.target_log_probability[i, rows]
            name = repr(target.label)
            found.append(
                Quantity(
                    f"probability of {name}",
                    self._shown(bits.exp2()),
                    domain=(0.0, 1.0),
                    target=i,
                    measure="probability",
                )
            )
        if self.source is not None:
            found.append(Quantity("KL from the source", self._shown(reading.kl[rows]), unit="bits"))
        return [one for one in found if one.name != self.name]

    def _shown(self, values: Float[Tensor, "rows columns"]) -> np.ndarray:
        return np.where(self.known, values.float().cpu().numpy(), np.nan).astype(np.float32)

    def _candidates(self) -> Candidates:
        known = self.known[..., None]
        ids, bits = (x[:-1].cpu().numpy() for x in (self.reading.top_ids, self.reading.top_log_probability))
        return Candidates(
            np.where(known, ids, NO_TOKEN).astype(np.int32), np.where(known, bits, np.nan).astype(np.float32)
        )

    def _trajectories(self) -> Trajectories | None:
        if self.layout.columns is not None:
            return None
        bits = self.reading.trajectory_log_probability[:, :-1].cpu().numpy().astype(np.float32)
        offsets = self.reading.offsets.numpy().astype(np.int32)
        of_column = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        bits = np.where(self.known.T[of_column], bits, np.nan).astype(np.float32)
        return Trajectories(
            offsets, self.reading.trajectory_ids.numpy().astype(np.int32), bits, np.zeros(bits.shape, dtype=np.int32)
        )

    def as_grid(
        self, quantities: list[Quantity], candidates: Candidates | None, trajectories: Trajectories | None
    ) -> Grid:
        run, layout = self.base, self.layout
        ids = set(self.columns.tolist()) | set(self.source_columns.tolist()) | {i for t in self.targets for i in t.ids}
        told = set() if candidates is None else set(candidates.ids.ravel().tolist())
        if trajectories is not None:
            told |= set(trajectories.ids.tolist())
        told |= {i for target in self.targets for i in target.ids}
        told |= {int(one.argmax()) for one in self.said}
        known = np.array(sorted(told - {NO_TOKEN}), dtype=np.int32)
        said = np.stack([one[torch.from_numpy(known).long()].numpy() for one in self.said]).astype(np.float32)
        return Grid(
            title=run.prompt,
            kind=self.kind,
            model=run.model,
            rows=layout.rows,
            columns=self.columns,
            positions=np.arange(len(self.columns), dtype=np.int32)
            if layout.columns is not None
            else np.array(layout.positions, dtype=np.int32),
            column_labels=layout.columns,
            quantities={q.name: q for q in quantities},
            texts=run.texts.of((ids | told) - {NO_TOKEN}),
            special=tuple(sorted(i for i in ids if i in run.texts.special)),
            candidates=candidates,
            trajectories=trajectories,
            targets=self.targets,
            excluded=(0,) if layout.columns is None and 0 in layout.positions and len(layout.positions) > 1 else (),
            check=self.check,
            notes=(*self.notes, *run.notes),
            sweep=Sweep(
                source="" if self.source is None else self.source.prompt,
                put=self.put,
                columns=self.source_columns,
                metric=self.name,
                base=self.base_value,
                target=float("nan") if self.source_value is None else self.source_value,
                position=self.position,
                first=self.first,
                tokens=known,
                said=said,
            ),
            provenance={
                **({"source": self.source.prompt} if self.source is not None else {"put": self.put}),
                "target": named(self.targets),
                "unit": self.unit,
                **({"method": self.method} if self.method != "exact" else {}),
                **made_by(run),
            },
        )

    @property
    def kind(self) -> str:
        what = WHAT[self.unit]
        if self.method == "gradient":
            return f"Attribution patching, {what}"
        return f"Patching {what}" if self.source is not None else f"{what[0].upper()}{what[1:]} {self.put}"


def mean_estimate(swept: Sequence[Swept]) -> Quantity:
    """What gradients say is recovered, as the ratio of the means over pairs; without a source, the effect."""
    effect = torch.stack([one.estimate for one in swept if one.estimate is not None]).mean(0).cpu().numpy()
    gaps = [one.source_value - one.base_value for one in swept if one.source_value is not None]
    if not gaps:
        return Quantity("estimate", effect.astype(np.float32), unit=METRICS[swept[0].metric], center=0.0)
    share = (effect / np.mean(gaps)).astype(np.float32)
    return Quantity("estimate", share, center=0.0, domain=(-1.0, 1.0))


def read_cells(
    base: Run,
    found: Float[Tensor, "rows columns d"],
    source: Float[Tensor, "d"] | None,
    targets: tuple[Target, ...],
    untouched: Bool[np.ndarray, "rows columns"],
    k: int,
) -> Reading:
    """What every cell would say; a column in which nothing was changed is read once."""
    own = found[0, 0] if source is None else source
    columns = found.shape[1]
    idle = np.flatnonzero(untouched.all(0))
    some = [c for c in range(columns) if c not in idle[1:]]
    stream = torch.cat([found[:, some], own.to(found).expand(1, len(some), -1)])
    reading = base.readout.read(
        stream, torch.full((len(some),), NO_TOKEN), k=k, targets=[target.ids for target in targets]
    )
    if len(some) == columns:
        return reading
    back = torch.tensor([some.index(c) if c in some else some.index(int(idle[0])) for c in range(columns)])
    return _spread_out(reading, back)


def _spread_out(reading: Reading, back: Int[Tensor, "columns"]) -> Reading:
    """A reading of some columns as one of all, of which several are the same."""
    sizes = reading.offsets.diff()[back]
    entries = torch.cat([torch.arange(int(reading.offsets[c]), int(reading.offsets[c + 1])) for c in back.tolist()])
    by_column = {
        name: value[:, back]
        for name in ("top_ids", "top_log_probability", "top_logit", "entropy", "kl", "surprisal", "following_rank")
        if (value := getattr(reading, name)) is not None
    }
    by_target = {
        name: getattr(reading, name)[:, :, back] for name in ("target_log_probability", "target_logit", "target_rank")
    }
    return replace(
        reading,
        **by_column,
        **by_target,
        offsets=torch.cat([sizes.new_zeros(1), sizes.cumsum(0)]),
        trajectory_ids=reading.trajectory_ids[entries],
        trajectory_log_probability=reading.trajectory_log_probability[entries],
    )
