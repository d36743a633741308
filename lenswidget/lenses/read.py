"""read(): a run through any lens, as a Grid."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from lenswidget.attribution.jumps import jumps, leading
from lenswidget.grids.grid import Grid
from lenswidget.lenses.explain import Explanations
from lenswidget.lenses.lens import as_lens, lens_call, moved
from lenswidget.lenses.logit import LogitLens
from lenswidget.lenses.to_grid import grid_of
from lenswidget.model.cached_run import as_run
from lenswidget.model.made_by import call, run_call, token_call, unless
from lenswidget.model.surroundings import own_arithmetic
from lenswidget.model.targets import TargetLike, Targets, targets_of, with_against

if TYPE_CHECKING:
    from lenswidget.lenses.fidelity import Fidelity

EXTRA = frozenset({"jensen_shannon", "total_variation"})


@own_arithmetic()
def read(
    run_or_cache: Any,
    lens: Any,
    *,
    targets: Targets = (),
    against: TargetLike | None = None,
    k: int = 10,
    extra: Iterable[str] = (),
    fidelity: Fidelity | None = None,
) -> Grid:
    """Read every row of the residual stream through a lens, then the model's final norm and unembedding.

    `lens` is a `Lens` (`LogitLens()`, a fitted one) or a function of `(residual [positions, d], row)` that returns the
    row moved. The Grid has `L + 1` rows (the embedding, then the output of each block; the last is the model's own
    output whatever the lens) and a column for each token. `targets` is a list of what to follow through the rows: each
    a token, by its text or id, or a tuple or set of tokens that count as one, whose probabilities add. `against` adds
    the logit difference of each from one target more. `k` candidates are kept in each cell. `extra` adds the
    Jensen–Shannon divergence (bits) and the total variation from the output, a pass over the vocabulary each. What
    `lw.fidelity` measured of the lens is shown beside the rows; without it, the held-out KL that a fitted lens and the raw
    lens of the embedded model come with.

    Raises ValueError for a target that is several tokens, naming them, for a cache that can't be read, and for
    a lens that was made for another model.

        lw.read(run, lw.load_lens(), targets=[" Paris", (" London", "London")])
    """
    given = lens
    run, lens = as_run(run_or_cache), as_lens(lens)
    if not 1 <= k <= run.readout.vocabulary:
        raise ValueError(f"k is the number of candidates a cell, 1 to {run.readout.vocabulary}; got {k}.")
    wanted = set(extra)
    unknown = wanted - EXTRA
    if unknown:
        raise ValueError(f"extra takes 'jensen_shannon' and 'total_variation'; got {sorted(unknown)[0]!r}.")
    through = lens.through(run)
    followed = targets_of(through, targets)
    beside = lens.row_quantities(run) if fidelity is None else (fidelity.row_quantity(given),)
    if against is not None:
        followed = with_against(through, followed, against)
    # what isn't moved needs no copy
    stream = run.residual if isinstance(lens, LogitLens) else moved(run, lens, through)
    reading = through.readout.read(
        stream,
        through.following,
        k=k,
        targets=[target.ids for target in followed],
        jensen_shannon="jensen_shannon" in wanted,
        total_variation="total_variation" in wanted,
    )
    *tokens, last = [token_call(run, target) for target in followed] or [""]
    again = call(
        "lw.logit_lens" if isinstance(lens, LogitLens) else "lw.read",
        run_call(run),
        "" if isinstance(lens, LogitLens) else lens_call(given),
        targets=f"[{', '.join(tokens if against is not None else [*tokens, last])}]" if followed else "",
        against="" if against is None else last,
        k=unless(k, 10),
        extra=unless(sorted(wanted), []),
    )
    reads = partial(read, lens=given, targets=targets, against=against, k=k, extra=sorted(wanted), fidelity=fidelity)
    grid = grid_of(
        through,
        reading,
        followed,
        compared=against is not None,
        kind=lens.name,
        notes=lens.notes_on(run),
        row_quantities=beside,
        provenance={**lens.provenance, "call": again},
    )
    if not lens.explains:
        return grid
    named = [i for target in followed for i in target.ids]
    carried = jumps(run, stream[:, -1], leading(reading.top_ids[:, -1].tolist(), named))
    return replace(grid, jumps=carried, explain=Explanations.of(run, lens, reads))


def logit_lens(
    run_or_cache: Any,
    *,
    targets: Targets = (),
    against: TargetLike | None = None,
    k: int = 10,
    extra: Iterable[str] = (),
) -> Grid:
    """Read every row of the residual stream as if it were the last: `read` through a `LogitLens`.

    Source: nostalgebraist, "interpreting GPT: the logit lens", 2020.

        lw.logit_lens(lw.run(model, "The capital of France is"), targets=[" Paris"])
    """
    return read(run_or_cache, LogitLens(), targets=targets, against=against, k=k, extra=extra)
