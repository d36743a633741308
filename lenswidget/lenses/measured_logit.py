"""What was measured of the raw logit lens of the embedded model, and how that model is known again.

A raw lens is fitted to nothing, so it knows nothing of how far its rows can be believed. For the model that comes with
lenswidget this was measured once, by `scripts/measure_logit_lens.py`, so that the first picture that somebody sees says it.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lenswidget.grids.parts import RowQuantity
from lenswidget.grids.whole_file import write_whole
from lenswidget.model.activations import last_position
from lenswidget.model.backend import Backend, keep_whole
from lenswidget.model.embedded import EMBEDDED
from lenswidget.model.run import Run
from lenswidget.model.user_hooks import NONE

FILE = Path(__file__).parents[1] / "data" / f"{EMBEDDED}.logit-lens.json"
APART = 0.05
"""How far the numbers of a model may be from those that were seen, as a share of these. Half precision moves them by a
hundredth; another training, or weights in fewer bits, by more than this."""


@dataclass(frozen=True)
class Seen:
    """Some of what a model made of a few tokens: by this it is known again, whatever it is called and whoever runs it."""

    prompt: tuple[int, ...]
    """The ids of the tokens."""
    shape: tuple[int, int, int]
    """Of the model: rows, width and vocabulary."""
    rows: tuple[tuple[float, ...], ...]
    """Entries of every row at the last token, evenly spaced."""
    logits: tuple[float, ...]
    """Entries of the logits there."""

    @classmethod
    def of(cls, backend: Backend, prompt: tuple[int, ...], count: int = 32) -> Seen:
        """Run a model, without what its user hung on it, and take `count` entries of each row and of the logits."""
        done = backend.forward(torch.tensor([prompt]), keep=keep_whole(backend.rows), hooks=NONE)
        assert done.logits is not None
        rows = [done.kept[site][0, -1] for site in backend.rows]
        logits = done.logits[0, -1]
        kept = [tuple(_entries(one, count)) for one in (*rows, logits)]
        return cls(tuple(prompt), (len(rows), len(rows[0]), len(logits)), tuple(kept[:-1]), kept[-1])

    def again(self, run: Run) -> bool:
        """Whether the model of a run is the one that was seen. A model of another size isn't asked."""
        if run.activations is None or (*run.residual.shape[::2], run.readout.vocabulary) != self.shape:
            return False
        backend = run.activations.backend
        now = Seen.of(backend, self.prompt, len(self.logits))
        pairs = zip((*now.rows, now.logits), (*self.rows, self.logits))
        return all(np.linalg.norm(np.subtract(a, b)) <= APART * np.linalg.norm(b) for a, b in pairs)


def _entries(values: torch.Tensor, count: int) -> list[float]:
    places = torch.linspace(0, len(values) - 1, count).long()
    return [float(f"{value:.4g}") for value in values.detach().cpu().float()[places].tolist()]


@dataclass(frozen=True)
class MeasuredLogitLens:
    """The card of a measurement: of which model, on what text, and what came of it."""

    model: str
    data: str
    """What text it was measured on, in words."""
    tokens: int
    """Positions that were measured."""
    kl: tuple[float, ...]
    """KL(output ‖ row), mean over positions, in bits, from the embedding up."""
    agreement: tuple[float, ...]
    """How often the row's leading token is the output's."""
    kl_by_style: dict[str, tuple[float, ...]]
    """The same for each style of text."""
    blind: float
    """The KL of a guess that never looks at the prompt, on the same text, in bits."""
    seen: Seen
    lenswidget: str = field(default_factory=lambda: importlib.metadata.version("lenswidget"))

    def row_quantity(self) -> RowQuantity:
        """As a Grid carries it."""
        kl = np.array(self.kl, dtype=np.float32)
        says = f"this row was {{}} from the output on {self.tokens:,} tokens of held-out text"
        parts = {style: np.array(kl, dtype=np.float32) for style, kl in self.kl_by_style.items()}
        return RowQuantity(
            "held-out KL", kl, unit="bits", strong="low", domain=(0.0, self.blind), says=says, parts=parts
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it as JSON, a line a field, whole or not at all."""
        fields = ",\n".join(f" {json.dumps(name)}: {json.dumps(value)}" for name, value in asdict(self).items())
        text = f"{{\n{fields}\n}}\n"
        return write_whole(path, lambda stream: stream.write(text.encode()))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> MeasuredLogitLens:
        """Read what `save` wrote."""
        card = {name: _tuples(value) for name, value in json.loads(Path(path).read_text("utf-8")).items()}
        return cls(**{**card, "seen": Seen(**{name: _tuples(value) for name, value in card["seen"].items()})})


def measured_of(run: Run) -> tuple[RowQuantity, ...]:
    """What is known of the raw lens's rows in a run of the embedded model; nothing for any other.

    Nor for a run under hooks or edits, which is another computation. A cache doesn't say under what it was made, so the model
    is asked whether it would make the same. The model is tried once for each of its states, and again when it changed.
    """
    activations = run.activations  # a detached run has no model to ask
    if activations is None or activations.changed:
        return ()
    known, backend = _shipped(), activations.backend

    def is_known() -> bool:
        # a model that changed since the run can't tell what it was
        return backend.find_state() == backend.state and known.seen.again(run)

    if not backend.remembered("measured logit lens", is_known):
        return ()
    return (known.row_quantity(),) if not activations.is_cached or _makes(backend, run) else ()


def _makes(backend: Backend, run: Run) -> bool:
    """Whether a model, without what its user hung on it, has the rows of a run at its last position."""
    kept = backend.forward(run.tokens.unsqueeze(0), keep=dict.fromkeys(backend.rows, last_position), hooks=NONE).kept
    rows = torch.stack([kept[site][0, -1].to(run.residual) for site in backend.rows]).float()
    theirs = run.residual[:, -1].float()
    return bool(((rows - theirs).norm(dim=-1) <= APART * theirs.norm(dim=-1)).all())


@cache
def _shipped() -> MeasuredLogitLens:
    return MeasuredLogitLens.load(FILE)


def _tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _tuples(one) for name, one in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
