"""An attribution asked for once more under edits: what each part adds when some are taken out, beside what it added before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from lenswidget.grids.grid import Grid
from lenswidget.model.recalled_run import Experiment, RecalledRun
from lenswidget.model.run import Run
from lenswidget.model.surroundings import own_arithmetic


@dataclass(frozen=True, eq=False)
class Attributed:
    """Answers for an attribution at one position, as long as the model lives.

    Called as a Grid's `explain` is, it says what a part promotes.
    """

    run: RecalledRun
    promotes: Callable[[int, int, int], Grid]
    reads: Callable[[Run, Run, Sequence[Experiment]], Grid]
    """Makes the Grid of a run under experiments, with the same rows of the run before."""

    def __call__(self, column: int, token: int, row: int) -> Grid:
        return self.promotes(column, token, row)

    @own_arithmetic()
    @torch.no_grad()
    def edited(self, changes: Sequence[Experiment], begins: Callable[[int], None] | None = None) -> Grid:
        """The same attribution under more edits; its second quantity is what each row was without them.

        Where all that they do is to take rows out, the third is the change that the attribution predicts: the share of these is
        gone, and no other changes. The last note puts it into a sentence, beside what happened.

        Raises what `RecalledRun.under` does.
        """
        run, under = self.run.under(changes, begins)
        grid = self.reads(under, run, changes)
        return replace(grid, kind=f"{grid.kind}, edited")


NAMED = 4
MOST = 0.9
"""The share of what was predicted that counts as all of it."""


def said(happened: float, predicted: float | None, others: Mapping[str, float]) -> str:
    """What became of a sum under edits, beside what was predicted, and which of the others made the difference."""
    became = "nothing changes"
    if _signed(happened):
        became = f"it {'costs' if happened < 0 else 'adds'} {_signed(happened)[1:]}"
    if predicted is None:
        return f"With these edits, {became}."
    gap = happened - predicted
    why = ""
    if _signed(gap):
        alike = [label for label, change in others.items() if change * gap > 0 and _signed(change)]
        most = sorted(alike, key=lambda label: -abs(others[label]))[:NAMED]
        rest = gap - sum(others[label] for label in most)
        named = ", ".join(f"{label} {_signed(others[label])}" for label in most)
        all_others = f"all others {_signed(rest) or '0.00'}"
        how = "add to it"
        if gap * predicted < 0:
            how = "make up for it" if abs(gap) >= MOST * abs(predicted) else "make up for part of it"
        why = f": {named} and {all_others} {how}" if named else f": {all_others} {how}"
    return f"Attribution predicts {_signed(predicted) or '0.00'}; {became}{why}."


def _signed(value: float) -> str:
    """With its sign and two decimals; nothing for what rounds to zero."""
    text = f"{value:+.2f}".replace("-", "−")
    return "" if text[1:] == "0.00" else text
