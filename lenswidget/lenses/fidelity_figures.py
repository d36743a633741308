"""What was measured of lenses: figures for each row and lens, with their intervals, and how they are shown."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Float32

from lenswidget.grids.grid import Grid
from lenswidget.grids.parts import NO_TOKEN, Check, Quantity, RowQuantity
from lenswidget.grids.showable import viewer
from lenswidget.lenses.lens import as_lens

if TYPE_CHECKING:
    import pandas

CAUSAL = ("alignment", "influence")
NAMES = {
    "kl": "KL to the output",
    "agreement": "top-1 agreement",
    "cross_entropy": "cross-entropy",
    "excess": "excess cross-entropy",
    "bias": "bias",
    "alignment": "causal alignment",
    "influence": "causal fidelity",
}
"""What each figure is called in a Grid, a table and a plot."""


@dataclass(frozen=True, eq=False)  # arrays have no one answer to ==
class Fidelity:
    """How far each row of each lens can be believed; what ends a cell shows itself. Every array is `[rows, lenses]`.

    The first position of every window is left out, and so is what is not finite. Logarithms are in bits. A row that wasn't
    asked for isn't among `rows`; the last always is.
    """

    model: str
    rows: tuple[str, ...]
    lenses: tuple[str, ...]
    kl: Float32[np.ndarray, "rows lenses"]
    """KL(output ‖ row), mean over positions."""
    agreement: Float32[np.ndarray, "rows lenses"]
    """How often the row's leading token is the output's."""
    cross_entropy: Float32[np.ndarray, "rows lenses"]
    """Mean surprisal of the token that really follows; the last row is the model's own."""
    bias: Float32[np.ndarray, "rows lenses"]
    """KL(mean output ‖ mean of the row): what no prompt in particular is to blame for."""
    alignment: Float32[np.ndarray, "rows lenses"]
    """How far a change of the row moves the lens the way that it moves the model, -1 to 1; NaN where it was not measured.
    `lenswidget.lenses.causal` says how."""
    influence: Float32[np.ndarray, "rows lenses"]
    """Causal fidelity: Spearman's correlation over directions of how strongly a change along one moves the lens and the
    model; NaN where it was not measured. Look at its interval first."""
    intervals: Mapping[str, Float32[np.ndarray, "both rows lenses"]]
    """The low and the high end of the 95 % interval of each figure, by its name here ("kl", "alignment", …)."""
    blind: float
    """KL(output ‖ mean output): what a guess that never looks at the prompt scores on the same text."""
    data: str
    """What text it was measured on, in words."""
    tokens: int
    """Positions that were measured."""
    left_out: tuple[int, ...]
    """For each lens the cells, of rows × positions, that were not finite."""
    check: Check
    given: tuple[Any, ...] = field(repr=False)
    """The lenses themselves, as they were passed."""
    every_row: tuple[str, ...] = field(repr=False)
    """The labels of all rows of the model, measured or not."""
    how: Literal["", "step", "erase"] = ""
    """How rows were changed for causal fidelity; "" where it was not measured."""
    directions: int = 0
    """Along how many directions they were."""
    stopped: str = ""
    """What is missing since somebody stopped it, in words."""
    styles: Mapping[str, Fidelity] = field(default_factory=dict, repr=False)
    """The same for each style of text by itself, where there were several."""

    @property
    def excess(self) -> Float32[np.ndarray, "rows lenses"]:
        """Cross-entropy above the model's own."""
        above: np.ndarray = self.cross_entropy - self.cross_entropy[-1:]
        return above

    def row_quantity(self, lens: Any) -> RowQuantity:
        """One lens's KL for each row, as a Grid carries it; `lens` is one of those measured, or its name."""
        i = self._index(lens)
        return RowQuantity(
            "mean KL",
            self._of_every_row(self.kl[:, i]),
            unit="bits",
            strong="low",
            domain=(0.0, self.blind),
            says=f"this row was {{}} from the output on {self.tokens:,} tokens of text",
            parts={style: self._of_every_row(one.kl[:, i]) for style, one in self.styles.items()},
        )

    def _of_every_row(self, values: Float32[np.ndarray, "rows"]) -> Float32[np.ndarray, "every_row"]:
        """NaN for rows that were not asked for."""
        known = dict(zip(self.rows, values))
        return np.array([known.get(row, np.nan) for row in self.every_row], dtype=np.float32)

    def _index(self, lens: Any) -> int:
        for i, known in enumerate(self.given):
            if lens is known:
                return i
        name = lens if isinstance(lens, str) else as_lens(lens).name
        if name not in self.lenses:
            raise ValueError(
                f"This Fidelity speaks of {_listed(self.lenses)}, not of {name!r}; measure it with lw.fidelity(model, [lens], "
                "texts)."
            )
        return self.lenses.index(name)

    def to_dataframe(self) -> pandas.DataFrame:
        """One line for each lens and row; where there are styles, for each of these, too, and one for all of the text."""
        import pandas

        if self.styles:
            tables = {"": self._table(), **{style: one._table() for style, one in self.styles.items()}}
            return pandas.concat([table.assign(style=style) for style, table in tables.items()], ignore_index=True)
        return self._table()

    def _table(self) -> pandas.DataFrame:
        import pandas

        rows, lenses = self.kl.shape
        places = [self.every_row.index(row) for row in self.rows]
        table: dict[str, Any] = {
            "lens": np.repeat(np.array(self.lenses, dtype=object), rows),
            "row": np.tile(places, lenses),
            "layer": np.tile(np.array(self.rows, dtype=object), lenses),
        }
        for figure in self.figures:
            table[NAMES[figure]] = getattr(self, figure).T.ravel()
            for end, values in zip(("low", "high"), self.intervals[figure]):
                table[f"{NAMES[figure]}, {end}"] = values.T.ravel()
        return pandas.DataFrame(table)

    @property
    def figures(self) -> tuple[str, ...]:
        """The names of what was measured, as they are attributes here: what is causal first."""
        causal = CAUSAL if np.isfinite(self.alignment).any() or np.isfinite(self.influence).any() else ()
        return (*(name for name in NAMES if name not in CAUSAL), *causal)

    def grid(self) -> Grid:
        """Rows by lenses, as a Grid: colored by the KL, from the output to a guess that never looks at the prompt.

        Where there are styles of text, each lens has a column for each of them, after that for all of the text.
        """
        parts = {"": self, **self.styles}
        labels = [f"{lens}, {style}" if style else lens for lens in self.lenses for style in parts]

        def columns(figure: str) -> Float32[np.ndarray, "rows columns"]:
            return np.stack([getattr(part, figure) for part in parts.values()], axis=2).reshape(len(self.rows), -1)

        return Grid(
            title="How far each lens can be believed",
            kind="Fidelity",
            model=self.model,
            rows=self.rows,
            columns=np.full(len(labels), NO_TOKEN, dtype=np.int32),
            positions=np.arange(len(labels), dtype=np.int32),
            column_labels=tuple(labels),
            quantities={NAMES[figure]: self._quantity(figure, columns(figure)) for figure in self.figures},
            texts={},
            check=self.check,
            notes=tuple(self._notes()),
            provenance={"lenswidget": importlib.metadata.version("lenswidget"), "tokens": str(self.tokens)},
        )

    def _notes(self) -> Iterable[str]:
        yield f"on {self.tokens:,} tokens of {self.data}"
        yield f"a guess that never looks at the prompt is {self.blind:.1f} bits from the output"
        yield f"95 % intervals, median over rows: {', '.join(self._reaches())}"
        if self.how:
            changed = "stepping along" if self.how == "step" else "erasing"
            yield f"causal figures by {changed} {self.directions} principal directions of each row"
        for name, bad in zip(self.lenses, self.left_out):
            if bad:
                yield f"{bad:,} cells of the {name} are not finite and were left out"
        if self.stopped:
            yield self.stopped

    def _reaches(self) -> Iterable[str]:
        """How far each figure's interval reaches to either side."""
        for figure in self.figures:
            low, high = self.intervals[figure][:, :-1]
            reach = (high - low) / 2
            if np.isfinite(reach).any():
                yield f"{NAMES[figure]} ± {np.nanmedian(reach):.2g}"

    def _quantity(self, figure: str, values: Float32[np.ndarray, "rows columns"]) -> Quantity:
        name = NAMES[figure]
        if figure == "agreement":
            return Quantity(name, values, domain=(0.0, 1.0), measure="probability")
        if figure in CAUSAL:
            return Quantity(name, values, domain=(-1.0, 1.0), center=0.0)
        domain = None if figure == "cross_entropy" else (0.0, self.blind)
        return Quantity(name, values, unit="bits", strong="low", domain=domain)

    def plot(self, figure: str = "", ax: Any = None, *, theme: Literal["light", "dark"] = "light") -> Any:
        """Draw one figure by layer on a matplotlib Axes, a new one for "", and return the Axes: a line for each lens, with its
        95 % interval as a band; where there are styles of text, one for each lens and style.

        `figure` is "alignment", "influence", "kl", "agreement", "cross_entropy", "excess" or "bias"; by default the alignment
        where it was measured, else the KL. Raises ValueError for one that wasn't.
        """
        chosen = figure or ("alignment" if "alignment" in self.figures else "kl")
        if chosen not in self.figures:
            raise ValueError(
                f"This Fidelity has no figure {chosen!r} to draw; it has {_listed(self.figures)}. Causal figures take "
                "directions=16 or more."
            )
        parts = self.styles or {"": self}
        lines = {
            f"{lens}, {style}" if style else lens: (
                getattr(part, chosen)[:, i],
                part.intervals[chosen][:, :, i],
            )
            for i, lens in enumerate(self.lenses)
            for style, part in parts.items()
        }
        quantity = self._quantity(chosen, getattr(self, chosen))
        unit = f" ({quantity.unit})" if quantity.unit else ""
        return viewer().plot_lines(lines, self.rows, NAMES[chosen] + unit, ax, theme=theme)

    def __repr__(self) -> str:
        shown = [*range(0, len(self.rows) - 1, max(1, len(self.rows) // 8)), len(self.rows) - 1]
        told = ["alignment", "influence"] if "alignment" in self.figures else []
        tables = [self._shown(figure, shown) for figure in (*told, "kl")]
        stopped = f"; {self.stopped}" if self.stopped else ""
        return (
            f"Fidelity on {self.model}, {self.tokens:,} tokens{stopped}; a guess that never looks at the prompt is "
            f"{self.blind:.2f} bits from the output\n" + "\n".join(tables)
        )

    def _shown(self, figure: str, rows: list[int]) -> str:
        """A table of a figure, each with its interval."""
        import pandas

        def cell(row: int, lens: int) -> str:
            value, (low, high) = getattr(self, figure)[row, lens], self.intervals[figure][:, row, lens]
            return f"{value:.2f}" if not np.isfinite(low) else f"{value:.2f} [{low:.2f}, {high:.2f}]"

        cells = [[cell(row, lens) for lens in range(len(self.lenses))] for row in rows]
        table = pandas.DataFrame(cells, index=[self.rows[row] for row in rows], columns=list(self.lenses))
        unit = ", bits" if self._quantity(figure, self.kl).unit else ""
        return f"{NAMES[figure]}{unit} [95 %]\n{table.to_string()}"

    def _repr_mimebundle_(self, **arguments: Any) -> Any:
        """At the end of a cell it shows itself as its Grid."""
        return self.grid()._repr_mimebundle_(**arguments)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)
