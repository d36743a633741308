"""A Grid on a matplotlib Axes, because papers are made there: the marks of the other pictures, in an Axes' own coordinates.

Column `c` of the Grid is at x = c and row `r` at y = r, so whatever else a reader draws there finds its cell. No text is read as
mathematics: a token may be a dollar sign.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lenswidget.grids.comparison import Comparison
from lenswidget.grids.grid import Grid
from lenswidget.grids.marks import cell_text, spaced, visible
from lenswidget.view.picture.bars import Bars, bars_of
from lenswidget.view.picture.colors import PINS, Theme, colors, shade
from lenswidget.view.picture.heatmap_cells import COLUMN, ROW, inked, rings_of, says_of
from lenswidget.view.picture.heatmap_scale import Scale, ink_says, is_weighed
from lenswidget.view.picture.numbers import number
from lenswidget.view.picture.scene import SIZE, Box, Line, Number, Ring, Shape, Words, cut

INCH = 96
"""Pixels of a scene."""
SMALLEST, USUAL, TITLE = 4.0, 8.0, 10.0
"""Sizes of words, in points; smaller ones than the first are left out of cells."""
SHADES = 256


def plot(
    figure: Grid | Comparison, ax: Any = None, *, color: str = "", theme: Theme = "light", colorbar: bool = True
) -> Any:
    """Draw a Grid on an Axes, a new one for None, and return it; the Grids of a Comparison on one each, in a list."""
    if isinstance(figure, Comparison):
        needs_matplotlib(None, theme)
        return _plots(figure, ax, color, theme, colorbar)
    needs_matplotlib(ax, theme)
    if not all(figure.shape):
        raise ValueError(f"A Grid of {figure.shape[0]} rows and {figure.shape[1]} columns has no cell to draw.")
    if color and color not in figure.quantities:
        raise ValueError(f"This Grid has no quantity {color!r} to color by; it has {', '.join(figure.quantities)}.")
    if figure.view == "bars":
        return _bars(figure, ax, colors(theme))
    return _heatmap(figure, ax, color, theme, colorbar)


def needs_matplotlib(ax: Any, theme: str) -> None:
    """Raises ImportError where it isn't there, TypeError for an `ax` that is no Axes, ValueError for another theme."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as reason:
        raise ImportError(
            "A plot needs matplotlib: pip install 'lenswidget[plot]', or choose grid.to_svg(path)."
        ) from reason
    if ax is not None and not hasattr(ax, "pcolormesh"):
        raise TypeError(
            f"ax is a matplotlib Axes, as plt.subplots() gives, or None for a new one; got {type(ax).__name__}."
        )
    if theme not in ("light", "dark"):
        raise ValueError(f"theme is 'light' or 'dark'; got {theme!r}.")


def _plots(comparison: Comparison, axes: Any, color: str, theme: Theme, colorbar: bool) -> list[Any]:
    given: Sequence[Any] = [None] * len(comparison.grids) if axes is None else list(np.ravel(axes))
    if len(given) != len(comparison.grids):
        raise ValueError(
            f"This Comparison has {len(comparison.grids)} Grids, and {len(given)} Axes were given; make one for each, as "
            f"plt.subplots(1, {len(comparison.grids)}) does."
        )
    named = [replace(grid, title=f"{name} · {grid.title}") for name, grid in zip(comparison.names, comparison.grids)]
    return [plot(grid, ax, color=color, theme=theme, colorbar=colorbar) for grid, ax in zip(named, given)]


def _heatmap(grid: Grid, ax: Any, color: str, theme: Theme, colorbar: bool) -> Any:
    from matplotlib.colors import ListedColormap, LogNorm, Normalize

    rows, columns = grid.shape
    scale = Scale(grid, color or next(iter(grid.quantities)), weighs=not color and is_weighed(grid))
    named, quantity = colors(theme), scale.quantity
    ax = axes(ax, named, 1.2 + columns * COLUMN / INCH, 1.4 + rows * ROW / INCH)
    shades = [shade(theme, scale.tone, i / (SHADES - 1))[0] for i in range(SHADES)]
    ramp = ListedColormap(shades[::-1] if quantity.strong == "low" else shades)
    norm = (LogNorm if quantity.scale == "log" else Normalize)(scale.low, scale.high, clip=True)
    ink = np.ma.masked_invalid(np.where(scale.excluded, np.nan, scale.weighed()))
    edges = np.arange(columns + 1) - 0.5, np.arange(rows + 1) - 0.5
    mesh = ax.pcolormesh(*edges, ink, cmap=ramp, norm=norm, edgecolor=named["page"], linewidth=0.5, zorder=0)
    _draw(ax, inked(grid, scale, 0, 0), rows, columns, named)
    labels = grid.column_labels or [cell_text(grid.text(token)) for token in grid.columns]
    _ticks(ax.xaxis, [cut(spaced(label), COLUMN) for label in labels], named)
    _ticks(ax.yaxis, [spaced(row) for row in grid.rows], named)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.set(xlim=(-0.5, columns - 0.5), ylim=(-0.5, rows - 0.5))
    written(ax.set_title(spaced(grid.title), loc="left", color=named["ink"], fontsize=TITLE))
    _legend(ax, grid, scale, named)
    if colorbar:
        bar = ax.figure.colorbar(mesh, ax=ax, pad=0.02, aspect=30)
        unit = f" ({quantity.unit})" if quantity.unit else ""
        says = "probability × belief" if scale.weighs else spaced(quantity.name + unit)
        written(bar.ax.set_ylabel(says, color=named["muted"], fontsize=USUAL))
        bar.ax.tick_params(colors=named["muted"], labelsize=USUAL, length=0)
        bar.outline.set_visible(False)
    return ax


def _draw(ax: Any, shapes: Iterable[Shape], rows: int, columns: int, named: dict[str, str]) -> None:
    """The shapes of a map whose upper left corner is at 0, 0, in the coordinates of cells."""
    from matplotlib.patches import Rectangle

    def at(x: Number, y: Number) -> tuple[Number, Number]:
        return x / COLUMN - 0.5, rows - 0.5 - y / ROW

    def box(shape: Box | Ring, **style: Any) -> None:
        corner = at(shape.x, shape.y + shape.height)
        ax.add_patch(Rectangle(corner, shape.width / COLUMN, shape.height / ROW, **style))

    size = _fitting(ax, rows, columns)
    for shape in shapes:
        if isinstance(shape, Words):
            if size >= SMALLEST:
                place = {"ha": "center", "va": "center", "clip_on": True}
                said = ax.text(
                    *at(shape.x + 0.5, shape.y - 4), shape.text, fontsize=size, color=named[shape.ink], **place
                )
                written(said)
        elif isinstance(shape, Line):
            dash = (0, (shape.dash, shape.dash)) if shape.dash else "solid"
            points = np.array([at(*point) for point in shape.points]).T
            ax.plot(*points, color=named[shape.ink], lw=0.75 * shape.weight, ls=dash, solid_capstyle="butt")
        elif isinstance(shape, Ring):
            box(shape, fill=False, edgecolor=named[shape.ink], linewidth=1.5)
        elif isinstance(shape, Box) and shape.width == 2:  # the dot of a token that was said
            ax.plot(*at(shape.x + 1, shape.y + 1), marker="o", markersize=1.2, mew=0, color=named[shape.fill])
        elif isinstance(shape, Box) and shape.fill in ("excluded", "odd"):
            box(shape, color=named[shape.fill], linewidth=0, zorder=0.5)


def _fitting(ax: Any, rows: int, columns: int) -> float:
    """The size of words that a cell has room for, in points: they were cut to a cell of a scene."""
    extent, inch = ax.get_window_extent(), ax.figure.dpi
    height, width = 72 * extent.height / inch / rows, 72 * extent.width / inch / columns
    return float(min(USUAL, 0.62 * height, width * SIZE / COLUMN))


def _legend(ax: Any, grid: Grid, scale: Scale, named: dict[str, str]) -> None:
    """What is followed, in its color; and what the marks say."""
    from matplotlib.patches import Patch

    rings = rings_of(grid)
    followed = [
        Patch(fill=False, edgecolor=named[f"pin{slot}"], linewidth=1.5, label=visible(target.label))
        for slot, target in enumerate(grid.targets[:PINS])
        if (rings == slot).any()
    ]
    said = [*([ink_says(grid)] if scale.weighs else []), *says_of(grid)]
    if not followed and not said:
        return
    handles = followed or [Patch(fill=False, linewidth=0, label=" ")]
    legend = ax.legend(
        handles=handles, title="\n".join(said), loc="upper left", bbox_to_anchor=(0, -0.01), frameon=False, ncols=len(handles),
        fontsize=USUAL, title_fontsize=USUAL, labelcolor=named["ink"], borderpad=0, alignment="left",
    )  # fmt: skip
    legend.get_title().set_color(named["muted"])
    for text in [legend.get_title(), *legend.get_texts()]:
        written(text)


def _bars(grid: Grid, ax: Any, named: dict[str, str]) -> Any:
    """The parts of a sum, the largest first; their spread as whiskers; their sum under them."""
    bars: Bars = bars_of(grid)
    ax = axes(ax, named, 6.0, 1.2 + 0.2 * len(bars.labels))
    places = np.arange(len(bars.labels))
    finite = np.isfinite(bars.values)
    ink = [named["plus" if value > 0 else "minus"] for value in bars.values]
    ax.barh(places, np.where(finite, bars.values, 0), color=ink, height=0.7)
    known = np.isfinite(bars.spread)
    if known.any():
        whiskers = {"fmt": "none", "ecolor": named["ink"], "capsize": 2, "linewidth": 1}
        ax.errorbar(bars.values[known], places[known], xerr=bars.spread[known], **whiskers)
    for place in places[~finite]:
        said = f" {number(float(bars.values[place]))}"
        written(ax.text(0, place, said, va="center", color=named["warning"], fontsize=USUAL))
    ax.axvline(0, color=named["muted"], linewidth=1)
    _ticks(ax.yaxis, bars.labels, named)
    ax.invert_yaxis()
    ax.tick_params(length=0, colors=named["ink"], labelsize=USUAL)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.spines["bottom"].set_color(named["line"])
    unit = spaced(next(iter(grid.quantities.values())).unit)
    written(
        ax.set_xlabel(f"{unit}, sum {number(bars.sum)}" if bars.add_up else unit, color=named["ink"], fontsize=USUAL)
    )
    written(ax.set_title(spaced(grid.title), loc="left", color=named["ink"], fontsize=TITLE))
    return ax


def axes(ax: Any, named: dict[str, str], width: float, height: float) -> Any:
    if ax is None:
        import matplotlib.pyplot as plt

        figure, ax = plt.subplots(figsize=(width, height), layout="constrained")
        figure.set_facecolor(named["page"])
    ax.set_facecolor(named["page"])
    return ax


def _ticks(axis: Any, labels: Sequence[str], named: dict[str, str]) -> None:
    axis.set_ticks(range(len(labels)), labels=labels, color=named["ink"], fontsize=USUAL)
    for tick in axis.get_major_ticks():
        for label in (tick.label1, tick.label2):  # on this side of the Axes and on the other
            written(label)


def written(text: Any) -> None:
    """A text that stays text."""
    text.set_parse_math(False)
    text.set_usetex(False)
