"""A column quantity as dots on a matplotlib Axes, a line of them for each group, with the line from which on it is much."""

from __future__ import annotations

from typing import Any

from lenswidget.grids.grid import Grid
from lenswidget.grids.marks import spaced
from lenswidget.grids.parts import ColumnQuantity
from lenswidget.view.picture.colors import Theme, colors
from lenswidget.view.picture.dot_lines import dot_lines
from lenswidget.view.picture.plot import TITLE, USUAL, axes, needs_matplotlib, written

SPREAD = 0.3
"""How far dots of one group may lie from its middle, so that few hide each other."""


def plot_dots(grid: Grid, quantity: ColumnQuantity, ax: Any = None, *, theme: Theme = "light") -> Any:
    """Draw a dot a column: values of none of the columns at the top, then a line a group, what is said of it at its end.

    Dots of a group are spread by their order, the same every time. Returns the Axes, a new one for None.
    """
    needs_matplotlib(ax, theme)
    named, lines = colors(theme), dot_lines(grid, quantity)
    ax = axes(ax, named, 7.6 if quantity.of_groups else 6.4, 1.2 + 0.45 * len(lines))
    for i, one in enumerate(lines):
        ax.scatter(one.values, i + SPREAD * one.across, s=14, color=named[one.ink], alpha=0.7, linewidths=0)
        # beyond the Axes, so that no dot is under it
        at = {"xy": (1, i), "xycoords": ("axes fraction", "data"), "xytext": (8, 0), "textcoords": "offset points"}
        written(ax.annotate(spaced(one.says), **at, va="center", color=named["ink"], fontsize=USUAL))
    if quantity.line is not None:
        ax.axvline(quantity.line, color=named["muted"], linewidth=1, linestyle=(0, (4, 3)))
        reach = quantity.reach or f"line at {quantity.line:.3g}"
        written(ax.text(quantity.line, -0.62, f" {spaced(reach)}", va="bottom", color=named["muted"], fontsize=USUAL))
    ax.set_yticks(range(len(lines)), labels=[spaced(one.name) for one in lines], color=named["ink"], fontsize=USUAL)
    ax.set_ylim(len(lines) - 0.5, -0.65)
    ax.tick_params(colors=named["ink"], labelsize=USUAL, length=0)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.spines["bottom"].set_color(named["line"])
    name = quantity.name[:1].upper() + quantity.name[1:] + (f" ({quantity.unit})" if quantity.unit else "")
    written(ax.set_title(spaced(name), loc="left", pad=14, color=named["ink"], fontsize=TITLE))
    for text in ax.get_yticklabels():
        written(text)
    return ax
