"""Which cells a sweep has: what is patched in each row and column of its Grid, by unit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from jaxtyping import Int
from torch import Tensor

from lenswidget.model.backend import Backend
from lenswidget.model.components import Part
from lenswidget.model.find_components import components_of
from lenswidget.model.places import Place, head_place, part_place, place_of, row_place

UNITS = ("row", "attn", "mlp", "component", "head", "neuron")


@dataclass(frozen=True)
class Spot:
    """One cell: places that are patched together, at some positions."""

    row: int
    column: int
    places: tuple[Place, ...]
    positions: tuple[int, ...]


@dataclass(frozen=True)
class Layout:
    """The rows and columns of a sweep. Columns are positions of the prompt, or, with `columns`, what they are called."""

    rows: tuple[str, ...]
    positions: tuple[int, ...]
    columns: tuple[str, ...] | None
    spots: tuple[Spot, ...]

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.rows), len(self.positions if self.columns is None else self.columns)


def layout_of(
    backend: Backend, unit: str, positions: Int[Tensor, "p"], *, window: int = 1, together: bool = False
) -> Layout:
    """The cells of a unit at some positions: a column each, or all `together`.

    Heads have their numbers for columns, at these positions together. Neurons are chosen by their labels: `neurons`.

    Raises ValueError, with what the model has, for a unit that it hasn't, and for a window that is none.
    """
    if unit not in UNITS:
        raise ValueError(f"unit is one of {', '.join(map(repr, UNITS))}; got {unit!r}.")
    if isinstance(window, bool) or window < 1:
        raise ValueError(f"window is how many blocks are patched together, at least 1; got {window!r}.")
    if window > 1 and unit not in ("attn", "mlp"):
        raise ValueError(
            f"A window joins the attention or the MLPs of blocks, unit='attn' or 'mlp'; got unit={unit!r}."
        )
    where = tuple(positions.tolist())
    if unit == "head":
        return _heads(backend, where)
    if unit == "neuron":
        return Layout((), where, None, ())  # which ones is for `neurons` to say
    if unit == "row":
        labels = [[row_place(backend, row)] for row in range(backend.facts.layers)]
    elif unit == "component":
        labels = [[part_place(part, block.layer)] for block in components_of(backend).blocks for part in block.parts]
    else:
        labels = list(_parts(backend, unit, window))
    if not labels:
        has = "no block whose parts can be told apart" if unit == "component" else f"no part that is called {unit!r}"
        raise ValueError(f"{backend.facts.name} has {has}; patch its rows, unit='row'.")
    return _of(labels, where, together)


def neurons(backend: Backend, labels: Sequence[str], positions: Int[Tensor, "p"]) -> Layout:
    """A row for each of some neurons, `L5N1024`, at some positions together."""
    return _of([[place_of(backend, label)] for label in labels], tuple(positions.tolist()), together=True)


def _of(labels: list[list[Place]], where: tuple[int, ...], together: bool) -> Layout:
    columns: list[tuple[int, ...]] = [where] if together else [(one,) for one in where]
    spots = [
        Spot(row, column, tuple(places), positions)
        for row, places in enumerate(labels)
        for column, positions in enumerate(columns)
    ]
    called = None
    if together:
        called = ("all positions",) if len(where) > 1 else (f"position {where[0]}",)
    rows = tuple(places[len(places) // 2].label if len(places) > 1 else places[0].label for places in labels)
    return Layout(rows, where, called, tuple(spots))


def _parts(backend: Backend, unit: str, window: int) -> Iterator[list[Place]]:
    """The attention or MLP of each block, with those of the blocks round it, as many as the window has."""
    parts = {
        block.layer: part_place(part, block.layer)
        for block in components_of(backend).blocks
        for part in block.parts
        if _is(unit)(part)
    }
    for layer in parts:
        first = layer - window // 2
        yield [parts[one] for one in range(first, first + window) if one in parts]


def _is(unit: str) -> Callable[[Part], bool]:
    return lambda part: part.name == unit or (unit == "mlp" and part.name.endswith("mlp"))


def _heads(backend: Backend, where: tuple[int, ...]) -> Layout:
    parts = [
        (part, block.layer)
        for block in components_of(backend).blocks
        for part in block.parts
        if part.heads and part.projection
    ]
    if not parts:
        raise ValueError(
            f"{backend.facts.name} has no attention whose heads can be told apart; patch its parts, unit='component'."
        )
    most = max(part.heads for part, _ in parts)
    spots = [
        Spot(row, head, (head_place(part, layer, head, part.projection.n // part.heads),), where)
        for row, (part, layer) in enumerate(parts)
        for head in range(part.heads)
        if part.projection is not None
    ]
    rows = tuple(f"L{layer}" for _, layer in parts)
    return Layout(rows, where, tuple(f"H{head}" for head in range(most)), tuple(spots))
