"""read(): a run through any lens, as a Grid."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from lenswidget.grids.grid import Grid
from lenswidget.lenses.logit import LogitLens
from lenswidget.lenses.reader import Asked
from lenswidget.model.cached_run import as_run
from lenswidget.model.positions import Positions
from lenswidget.model.surroundings import own_arithmetic
from lenswidget.model.targets import TargetLike, Targets

if TYPE_CHECKING:
    from lenswidget.lenses.fidelity_figures import Fidelity


@own_arithmetic()
def read(
    run_or_cache: Any,
    lens: Any,
    *,
    position: Positions = None,
    targets: Targets = (),
    against: TargetLike | None = None,
    k: int = 10,
    extra: Iterable[str] = (),
    fidelity: Fidelity | None = None,
) -> Grid:
    """Read every row of the residual stream through a lens, then the model's final norm and unembedding.

    `lens` is a `Lens` (`LogitLens()`, a fitted one) or a function of `(residual [positions, d], row)` that returns the
    row moved. The Grid has `L + 1` rows (the embedding, then the output of each block; the last is the model's own
    output whatever the lens) and a column for each token. `position` is one position, a slice or a list of them, and reading
    costs only these; None reads all. `targets` is a list of what to follow through the rows: each
    a token, by its text or id, or a tuple or set of tokens that count as one, whose probabilities add. `against` adds
    the logit difference of each from one target more. `k` candidates are kept in each cell. `extra` adds the
    Jensen–Shannon divergence (bits) and the total variation from the output, a pass over the vocabulary each. What
    `lw.fidelity` measured of the lens is shown beside the rows; without it, the held-out KL that a fitted lens and the raw
    lens of the embedded model come with.

    Raises ValueError for a target that is several tokens, naming them, for a position that isn't there, for a cache that can't
    be read, and for a lens that was made for another model; TypeError for a position that is no whole number.

        lw.read(run, lw.load_lens(), targets=[" Paris", (" London", "London")])
        lw.read(run, lw.load_lens(), position=-1)
    """
    asked = Asked(lens, targets, against, k, tuple(extra), fidelity)
    return asked.of(as_run(run_or_cache)).read(position)


def logit_lens(
    run_or_cache: Any,
    *,
    position: Positions = None,
    targets: Targets = (),
    against: TargetLike | None = None,
    k: int = 10,
    extra: Iterable[str] = (),
) -> Grid:
    """Read every row of the residual stream as if it were the last: `read` through a `LogitLens`.

    Source: nostalgebraist, "interpreting GPT: the logit lens", 2020.

        lw.logit_lens(lw.run(model, "The capital of France is"), targets=[" Paris"])
    """
    return read(run_or_cache, LogitLens(), position=position, targets=targets, against=against, k=k, extra=extra)
