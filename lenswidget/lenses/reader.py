"""Reader: what is asked of a run, settled once, and read at whichever positions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Int
from torch import Tensor

from lenswidget.attribution.jumps import jumps, leading
from lenswidget.grids.grid import Grid
from lenswidget.grids.joining import joined
from lenswidget.grids.numbers import whole_number
from lenswidget.grids.parts import RowQuantity, Target
from lenswidget.lenses.explain import Explanations
from lenswidget.lenses.lens import Lens, as_lens, lens_call, moved
from lenswidget.lenses.logit import LogitLens
from lenswidget.lenses.to_grid import grid_of
from lenswidget.model.made_by import call, run_call, token_call, unless
from lenswidget.model.positions import Positions, position_code, positions_of
from lenswidget.model.run import Run
from lenswidget.model.surroundings import own_arithmetic
from lenswidget.model.targets import TargetLike, Targets, targets_of, with_against

if TYPE_CHECKING:
    from lenswidget.lenses.fidelity_figures import Fidelity

PIECES = 16
"""Into how many pieces a long prompt is read: the first is there after a sixteenth of the reading."""
FEWEST = 32
"""Positions in a piece: of a short prompt there is nothing to wait for."""
EXTRA = ("jensen_shannon", "total_variation")


def extra_of(extra: Iterable[str]) -> dict[str, bool]:
    """Which distances from the output a readout is to measure besides. Raises ValueError for a name of none."""
    asked = list(extra)
    for name in asked:
        if name not in EXTRA:
            raise ValueError(f"extra takes 'jensen_shannon' and 'total_variation'; got {name!r}.")
    return {name: name in asked for name in EXTRA}


@dataclass(frozen=True, eq=False)
class Asked:
    """What a reader asks of any run: `lw.read`'s arguments, as they were given."""

    lens: Any
    targets: Targets = ()
    against: TargetLike | None = None
    k: int = 10
    extra: Iterable[str] = ()
    fidelity: Fidelity | None = None

    def of(self, run: Run) -> Reader:
        """The same, of one run. Raises what `lw.read` raises."""
        return Reader(run, self)


class Reader:
    """A run, and what is asked of it, found to be possible."""

    def __init__(self, run: Run, asked: Asked) -> None:
        self.run = run
        self.asked = asked
        self.lens: Lens = as_lens(asked.lens)
        whole_number("k", asked.k, 1, run.readout.vocabulary, is_of="the number of candidates a cell")
        self.extra = extra_of(asked.extra)
        self.through = self.lens.through(run)
        followed = targets_of(self.through, asked.targets)
        if asked.against is not None:
            followed = with_against(self.through, followed, asked.against)
        self.followed: tuple[Target, ...] = followed

    @cached_property
    def _beside(self) -> tuple[RowQuantity, ...]:
        if self.asked.fidelity is None:
            return self.lens.row_quantities(self.run)
        return (self.asked.fidelity.row_quantity(self.asked.lens),)

    @own_arithmetic()
    def read(self, position: Positions = None) -> Grid:
        """The Grid of some positions, or of all."""
        run, lens = self.run, self.lens
        at = positions_of(len(run.tokens), position)
        # what isn't moved needs no copy
        stream = None if isinstance(lens, LogitLens) else moved(run, lens, self.through, at)
        reading = self.through.read(
            at,
            stream,
            k=self.asked.k,
            targets=[target.ids for target in self.followed],
            jensen_shannon=self.extra["jensen_shannon"],
            total_variation=self.extra["total_variation"],
        )
        grid = grid_of(
            self.through,
            at,
            reading,
            self.followed,
            compared=self.asked.against is not None,
            kind=lens.name,
            notes=lens.notes_on(run),
            row_quantities=self._beside,
            provenance={**lens.provenance, "call": self.call(position)},
        )
        if not lens.explains:
            return grid
        last = (at == len(run.tokens) - 1).nonzero().flatten().tolist()
        if last and run.activations is not None:
            stream = run.stream(at) if stream is None else stream
            column = last[-1]
            named = [i for target in self.followed for i in target.ids]
            tokens = leading(reading.top_ids[:, column].tolist(), named)
            grid = replace(grid, jumps=jumps(run, stream[:, column], tokens, column))
        return replace(grid, explain=self.explanations(at))

    def pieces(self) -> Iterator[Grid]:
        """The Grid of the last positions, then those of earlier ones: `together` makes the whole of them, at any time."""
        stop = len(self.run.tokens)
        size = max(FEWEST, -(-stop // PIECES))
        while stop:
            start = max(0, stop - size)
            yield self.read(slice(start, stop))
            stop = start

    def together(self, pieces: Sequence[Grid]) -> Grid:
        """What was read of this run in pieces, as it would have been read at once."""
        whole = joined(pieces)
        at = torch.from_numpy(whole.positions).long()
        provenance = {**whole.provenance, "call": self.call(_spelled(at.tolist(), len(self.run.tokens)))}
        return replace(whole, check=self.through.check, provenance=provenance, explain=self.explanations(at))

    def call(self, position: Positions) -> str:
        """The call that reads the same again."""
        asked, is_logit = self.asked, isinstance(self.lens, LogitLens)
        *tokens, last = [token_call(self.run, target) for target in self.followed] or [""]
        compared = asked.against is not None
        return call(
            "lw.logit_lens" if is_logit else "lw.read",
            run_call(self.run),
            "" if is_logit else lens_call(asked.lens),
            position="" if position is None else position_code(position),
            targets=f"[{', '.join(tokens if compared else [*tokens, last])}]" if self.followed else "",
            against=last if compared else "",
            k=unless(asked.k, 10),
            extra=unless([name for name, wanted in self.extra.items() if wanted], []),
        )

    def explanations(self, positions: Int[Tensor, "p"]) -> Explanations | None:
        """Answers what moved a token at these positions; None where there is no model to ask, or no bars that sum to it."""
        if not self.lens.explains:
            return None
        asked, where = self.asked, positions.tolist()

        def reads(run: Run) -> Grid:
            return asked.of(run).read(where)

        return Explanations.of(self.run, self.lens, positions, reads)


def _spelled(positions: Sequence[int], count: int) -> Positions:
    """Positions in their order as somebody would ask for them: all, a slice, or a list."""
    start, stop = positions[0], positions[-1] + 1
    if stop - start != len(positions):
        return list(positions)
    return None if len(positions) == count else slice(start, None if stop == count else stop)
