"""What a Grid of many prompts asks the model: it keeps tokens of each, and no run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lenswidget.grids.grid import Grid
from lenswidget.lenses.explain import explained
from lenswidget.lenses.lens import Lens
from lenswidget.model.recalled_run import RecalledRun
from lenswidget.model.run import Run


@dataclass(frozen=True, eq=False)
class Prompts:
    """Answers what moved a token in a column, and opens its prompt, for as long as the model lives."""

    runs: tuple[RecalledRun, ...]
    lens: Lens
    reads: Callable[[Run, int], Grid]
    """Makes the whole Grid of a column's run, with what is followed in it."""

    targets: tuple[tuple[int, ...], ...]
    """Of each prompt, the tokens of its own target, or of the first that all follow; none where it has none."""

    def __call__(self, column: int, token: int, row: int) -> Grid:
        run = self.runs[column]
        return explained(run(), token, row, position=run.position, lens=self.lens)

    def opened(self, column: int) -> Grid:
        """The whole Grid of a column's prompt."""
        return self.reads(self.runs[column](), column)

    def target(self, column: int) -> tuple[int, ...]:
        """The tokens of a column's target."""
        return self.targets[column]
