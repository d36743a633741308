"""unusual(): how far each prompt's trajectory is from those of normal prompts. NumPy alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Bool, Float, Float64

from lenswidget.evidence.auroc import auroc, auroc_interval
from lenswidget.evidence.beginnings import FOLLOWS, told_of
from lenswidget.evidence.output import require_prompts
from lenswidget.grids.grid import Grid
from lenswidget.grids.numbers import whole_number
from lenswidget.grids.parts import ColumnQuantity
from lenswidget.grids.showable import viewer

if TYPE_CHECKING:
    import pandas

FLAGGED = 0.05
"""The share of normal prompts that score beyond the line."""
SAME = 1e-3
"""The share of the usual distance below which two prompts read the same: rounding differs from batch to batch."""
LENGTH_TELLS = 0.9
"""An AUROC of the number of tokens alone from which on a reader is told of it."""
OTHERS = "others"
"""The group of prompts that are of none."""
HELD_OUT = "normal, held out"
"""What normal prompts are called beside those that are compared with them."""
STEP = 4_000_000
"""Numbers of a table of distances that are made at once."""


@dataclass(frozen=True)
class Group:
    """How well the score tells one group from the normal prompts.

    `auroc` is how often one of its prompts scores higher than a held-out normal one, ties half; `low` to `high` holds 95 % of its
    bootstrap resamples, NaN for a group of one. `flagged` is the share beyond the line; `by_length`
    the AUROC of the number of tokens alone, NaN where that isn't known.
    """

    name: str
    prompts: int
    auroc: float
    low: float
    high: float
    flagged: float
    by_length: float

    @property
    def told(self) -> str:
        """The AUROC and its interval, where it has one, in words."""
        around = f" ({self.low:.2f} to {self.high:.2f})" if np.isfinite(self.low) else ""
        return f"AUROC {self.auroc:.2f}{around}"


@dataclass(frozen=True, eq=False)  # arrays have no one answer to ==
class Unusual:
    """How unusual each prompt of a Grid is.

    - `grid`: the Grid, with the score and the share as column quantities; normal prompts among others of their group are a
      group of their own, and prompts without groups are "normal" or "others"
    - `scores`: of each prompt, the mean distance to its nearest normal ones; that of a normal prompt to the others
    - `higher`: of each prompt, the share of held-out normal prompts that score higher
    - `normal`: which prompts of the Grid are normal ones
    - `held_out`: the scores of the normal prompts, wherever they are
    - `line`: the score that 5 % of the held-out normal prompts reach: more of them where several score alike, and of fewer than
      twenty the one that scores highest
    - `groups`: how well each group is told from the normal prompts
    - `notes`: what a reader should know before believing it
    """

    grid: Grid
    scores: Float64[np.ndarray, "columns"]
    higher: Float64[np.ndarray, "columns"]
    normal: Bool[np.ndarray, "columns"]
    held_out: Float64[np.ndarray, "n"]
    line: float
    groups: tuple[Group, ...]
    notes: tuple[str, ...]

    def to_dataframe(self) -> pandas.DataFrame:
        """A line for each group that is not normal."""
        import pandas

        return pandas.DataFrame([vars(group) for group in self.groups])

    def plot(self, ax: Any = None, *, theme: Literal["light", "dark"] = "light") -> Any:
        """Draw the scores on a matplotlib Axes: a dot a prompt, a line a group, and where 5 % of held-out normal prompts are.

        Returns the Axes, a new one for None. Raises as `grid.plot` does.
        """
        score = next(one for one in self.grid.column_quantities if one.name.startswith("unusual by"))
        return viewer().plot_dots(self.grid, score, ax, theme=theme)

    def __repr__(self) -> str:
        known = (
            f"{int(self.normal.sum())} of them normal"
            if self.normal.any()
            else f"{len(self.held_out)} normal ones apart"
        )
        reached = 100 * (self.held_out >= self.line).mean()
        lines = [
            f"Unusual: {self.grid.title}, {known}; {reached:.0f} % of held-out normal prompts score {self.line:.3g} or more"
        ]
        for group in self.groups:
            count = f"{group.prompts} prompt{'s' * (group.prompts != 1)}"
            lines.append(f"  {group.name}: {count}, {group.told}, {group.flagged:.0%} beyond the line")
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])

    def _ipython_display_(self) -> None:
        print(self)
        self.grid._ipython_display_()


def unusual(
    grid: Grid,
    *,
    normal: str | Sequence[str] | Sequence[int] | Sequence[bool] | np.ndarray | Grid,
    by: str | Sequence[str] = "entropy",
    k: int = 5,
    target: Any = None,
    resamples: int = 1000,
    seed: int = 0,
) -> Unusual:
    """How far each prompt's trajectory is from those of normal prompts: the mean distance to the nearest `k` of them.

    It says what is unusual and not why: a harmless sentence is as unusual as a harmful one where normal prompts have neither.
    `normal` is the name of a group or a list of names, the indices or a mask of columns, or another Grid of trajectories, all of
    whose prompts are normal. `by` names what a trajectory is made of, a quantity through all rows, or several, each then divided
    by its spread over the normal prompts; `target` as in `grid.values`. A normal prompt is held out of its own score. AUROCs have
    95 % intervals from `resamples` bootstrap resamples of both sides; where all of them are 1, the interval says only that none
    differed.

    Raises ValueError for features that are NaN, for too few normal prompts, for a group that there is not, and for normal prompts
    of another model, lens, position or rows; TypeError for what is no Grid, no number or no normal prompts.

    Source: Belrose et al. 2023, arXiv 2303.08112, section 5, which has isolation forests and local outlier factors in this place.

        found = lw.unusual(lw.trajectories(model, prompts, groups=kinds), normal="plain")
        found.to_dataframe()
    """
    require_prompts(grid)
    if not isinstance(by, Iterable):
        raise TypeError(f"by= is the name of a quantity, or a list of them, as in by='entropy'; got {by!r}.")
    whole_number("resamples", resamples, 1)
    whole_number("seed", seed, 0)
    measures = (by,) if isinstance(by, str) else tuple(by)
    apart = normal if isinstance(normal, Grid) else None
    if apart is not None:
        _require_alike(grid, apart)
    mask = np.zeros(grid.shape[1], dtype=bool) if apart is not None else _mask(grid, normal)
    features = _features(grid, measures, target)
    known = features[mask] if apart is None else _features(apart, measures, target, " of the normal ones")
    if len(known) < 2:
        raise ValueError(
            f"{len(known)} normal prompt{'s' * (len(known) != 1)} can't say what is normal: each is held out of its own score. "
            "Give at least two, and better fifty."
        )
    if whole_number("k", k, 1) >= len(known):
        raise ValueError(
            f"k={k} nearest normal prompts of {len(known)}, one of which is held out: give k=1 to k={len(known) - 1}, or more "
            "normal prompts."
        )
    if len(measures) > 1:
        sizes = [part.std() or 1.0 for part in np.split(known, len(measures), axis=1)]
        scale = np.repeat(sizes, known.shape[1] // len(measures))
        features, known = features / scale, known / scale
    held_out, nearest_normal = _nearest(known, known, k, itself=True)
    scores, nearest = _nearest(features, known, k, itself=False)
    if apart is None:
        scores[mask], nearest[mask] = held_out, nearest_normal
    others = np.sort(held_out)
    above = len(others) - np.searchsorted(others, scores, side="right")
    # a normal prompt is none of those that it is compared with
    higher = above / np.maximum(len(others) - mask, 1)
    line = float(np.quantile(held_out, 1 - FLAGGED, method="higher"))
    lengths = _lengths(grid)
    normal_lengths = lengths[mask] if apart is None else _lengths(apart)
    names = _groups(grid, mask)
    random = np.random.default_rng(seed)
    groups = []
    for name in dict.fromkeys(names[~mask].tolist()):
        these = ~mask & (names == name)
        low, high = auroc_interval(scores[these], held_out, resamples, random)
        groups.append(
            Group(
                name=name,
                prompts=int(these.sum()),
                auroc=auroc(scores[these], held_out),
                low=low,
                high=high,
                flagged=float((scores[these] >= line).mean()),
                by_length=auroc(lengths[these], normal_lengths),
            )
        )
    what = " and ".join(measures)
    unit = grid.quantities[measures[0]].unit if len(measures) == 1 and measures[0] in grid.quantities else ""
    shown = (
        ColumnQuantity(
            f"unusual by {what}",
            scores.astype(np.float32),
            unit=unit,
            line=line,
            says=f"{{}} from the nearest {k} normal prompts",
            reach=f"{100 * (held_out >= line).mean():.0f} % of normal prompts",
            of_groups=dict.fromkeys(names[mask].tolist(), HELD_OUT) | {group.name: group.told for group in groups},
            elsewhere={} if apart is None else {HELD_OUT: held_out.astype(np.float32)},
        ),
        ColumnQuantity(
            "normal prompts that score higher",
            higher.astype(np.float32),
            says="{} of the held-out normal prompts score higher",
        ),
    )
    kept = tuple(one for one in grid.column_quantities if one.name not in {two.name for two in shown})
    least = SAME * float(np.median(held_out))
    repeated = int((nearest_normal <= least).sum()), int((nearest[~mask] <= least).sum())
    notes = tuple(_notes(grid, apart, groups, line, held_out, repeated))
    marked = replace(
        grid,
        groups=tuple(names.tolist()),
        column_quantities=(*kept, *shown),
        notes=tuple(dict.fromkeys((*grid.notes, *notes))),  # once, where prompts are scored again
    )
    return Unusual(marked, scores, higher, mask, held_out, line, tuple(groups), notes)


def _groups(grid: Grid, mask: Bool[np.ndarray, "columns"]) -> np.ndarray:
    """The group of each prompt, in which all are normal or none."""
    if grid.groups is None:
        return np.where(mask, "normal", OTHERS).astype(object)
    mixed = {name for name, is_normal in zip(grid.groups, mask) if is_normal} & {
        name for name, is_normal in zip(grid.groups, mask) if not is_normal
    }
    named = [f"{name}, normal" if is_normal and name in mixed else name for name, is_normal in zip(grid.groups, mask)]
    return np.array(named, dtype=object)


def _nearest(
    ours: Float[np.ndarray, "n features"], normal: Float[np.ndarray, "others features"], k: int, *, itself: bool
) -> tuple[Float64[np.ndarray, "n"], Float64[np.ndarray, "n"]]:
    """The mean distance to the nearest `k` normal ones, and that to the nearest, without `itself` where both are the same."""
    found, nearest = np.empty(len(ours)), np.empty(len(ours))
    step = max(1, STEP // normal.size)
    for start in range(0, len(ours), step):
        some = ours[start : start + step]
        # written out: a sum of squares less twice a product loses what is near
        apart = np.sqrt(((some[:, None] - normal[None]) ** 2).sum(-1))
        if itself:
            apart[np.arange(len(some)), start + np.arange(len(some))] = np.inf
        closest = np.partition(apart, k - 1, axis=1)[:, :k]
        found[start : start + step], nearest[start : start + step] = closest.mean(1), closest.min(1)
    return found, nearest


def _features(grid: Grid, measures: Sequence[str], target: Any, which: str = "") -> Float64[np.ndarray, "n features"]:
    """What a prompt's score is made of; `which` prompts these are, for the error. Raises ValueError where some of it is NaN."""
    found = grid.features(*measures, target=target).astype(np.float64)
    bad = np.argwhere(~np.isfinite(found))
    if len(bad):
        column, feature = bad[0].tolist()
        measure = measures[feature // grid.shape[0]]
        count = len(np.unique(bad[:, 0]))
        raise ValueError(
            f"{measure!r} of prompt {column}{which} at {grid.rows[feature % grid.shape[0]]} is {found[column, feature]}, as "
            f"in {count} of {len(found)} prompts, and a distance needs a number; leave them out, grid[:, there], or take another "
            "by=."
        )
    return found


def _mask(grid: Grid, normal: Any) -> Bool[np.ndarray, "columns"]:
    """The normal prompts of a Grid. Raises ValueError, TypeError and IndexError for what names none."""
    count = grid.shape[1]
    names = _group_names(normal)
    if names:
        if grid.groups is None:
            raise ValueError(
                f"This Grid has no groups, so {names[0]!r} is none; give them to lw.trajectories(…, groups=[…]), or name the "
                "normal prompts by their indices."
            )
        for name in names:
            if name not in grid.groups:
                there = ", ".join(map(repr, dict.fromkeys(grid.groups)))
                raise ValueError(f"This Grid has no group {name!r}; it has {there}.")
        return np.array([group in names for group in grid.groups], dtype=bool)
    mask = np.zeros(count, dtype=bool)
    try:
        given = np.asarray(normal)
    except ValueError:  # lists of several lengths
        given = np.array([None])
    if given.dtype == bool:
        if given.shape != (count,):
            raise ValueError(f"A mask of normal prompts has a bool for each of the {count}; got {given.shape}.")
        mask[given] = True
        return mask
    if given.ndim != 1 or (given.size and not np.issubdtype(given.dtype, np.integer)):
        raise TypeError(
            "normal= is the name of a group or a list of names, indices or a mask of prompts, or a Grid; got "
            f"{_shortened(normal)}."
        )
    wrong = given[(given < -count) | (given >= count)]
    if wrong.size:
        raise IndexError(f"There is no prompt {wrong[0]}; this Grid has prompts 0 to {count - 1}.")
    mask[given.astype(int)] = True
    return mask


def _group_names(normal: Any) -> tuple[str, ...]:
    """The groups that are named; none where something else is."""
    if isinstance(normal, str):
        return (normal,)
    several = (
        isinstance(normal, (list, tuple, set, frozenset)) and normal and all(isinstance(one, str) for one in normal)
    )
    return tuple(normal) if several else ()


def _shortened(given: Any) -> str:
    text = repr(given)
    return text if len(text) <= 60 else f"{text[:60]}…, a {type(given).__name__}"


def _require_alike(grid: Grid, normal: Grid) -> None:
    """Raises ValueError where the normal prompts were read in another way, so that distances would measure that."""
    pairs = {
        "model": (grid.provenance.get("weights", grid.model), normal.provenance.get("weights", normal.model)),
        "lens": (grid.kind, normal.kind),
        "fit of the lens": tuple(one.provenance.get("lens digest", "") for one in (grid, normal)),
        "set of rows": (grid.rows, normal.rows),
        "position": tuple(one.provenance.get("position", "-1") for one in (grid, normal)),
        "set of hooks": tuple(one.provenance.get("hooks", "none") for one in (grid, normal)),
    }
    for what, (ours, theirs) in pairs.items():
        if ours != theirs:
            names = (normal.model, grid.model)
            said = (
                " and ".join(names) if what == "model" and len(set(names)) > 1 else f"{theirs!s:.80} and {ours!s:.80}"
            )
            raise ValueError(
                f"The normal prompts were read with another {what} ({said}), so every prompt would be unusual; read both alike, "
                "with lw.trajectories."
            )


def _lengths(grid: Grid) -> Float[np.ndarray, "n"]:
    for one in grid.column_quantities:
        if one.name == "tokens":
            return one.values
    return np.full(grid.shape[1], np.nan)


def _precision(grid: Grid) -> list[str]:
    return [note for note in grid.notes if note.startswith("residual stream in")]


def _notes(
    grid: Grid,
    normal: Grid | None,
    groups: Sequence[Group],
    line: float,
    held_out: Float[np.ndarray, "n"],
    repeated: tuple[int, int],
) -> Iterator[str]:
    yield "unusual is not harmful: what a prompt differs in, these distances don't say"
    begins = "all begin with"
    if normal is not None and grid.provenance.get(begins, "") != normal.provenance.get(begins, ""):
        yield f"the normal prompts begin with other words{FOLLOWS}"
    yield from dict.fromkeys(told_of(grid))
    if normal is not None and _precision(grid) != _precision(normal):
        yield "the normal prompts were read in another precision, which moves every figure a little"
    ours, others = repeated
    if ours or others:
        whose = [f"{ours} of {len(held_out)} normal prompts"] * (ours > 0) + [f"{others} of the others"] * (others > 0)
        yield (
            f"{' and '.join(whose)} read just as a normal prompt does; the same prompt twice scores low, so give each once"
        )
    reached = float((held_out >= line).mean())
    if reached >= 2 * FLAGGED and len(held_out) >= 1 / FLAGGED:
        yield f"{reached:.0%} of the held-out normal prompts are at the line or beyond, as many score the same"
    if len(held_out) < 1 / FLAGGED:
        yield f"of {len(held_out)} normal prompts one is {1 / len(held_out):.0%}: the line is where the highest of them is"
    for group in groups:
        if group.prompts == 1:
            yield f"{group.name!r} has one prompt, which says nothing of others of its kind: no interval"
        told = max(group.by_length, 1 - group.by_length)
        if told >= LENGTH_TELLS:
            yield (
                f"{group.name!r} can be told by its number of tokens alone (AUROC {told:.2f}): compare it with harmless prompts "
                "as long"
            )
