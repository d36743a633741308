"""Figures by row as lines on a matplotlib Axes, each with its interval as a band, as papers show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lenswidget.grids.marks import spaced
from lenswidget.view.picture.colors import PINS, Theme, colors
from lenswidget.view.picture.plot import TITLE, USUAL, axes, needs_matplotlib, written

STYLES = ("-", "--", ":", "-.")
TICKS = 12
"""Labels of rows that are written at most."""


def plot_lines(
    lines: Mapping[str, tuple[np.ndarray, np.ndarray]],
    rows: Sequence[str],
    name: str,
    ax: Any = None,
    *,
    band: str = "95 % intervals",
    theme: Theme = "light",
) -> Any:
    """Draw `lines`, by what they are called: values `[rows]`, and the low and the high ends of their bands `[2, rows]`.

    `band` says what the bands are, behind "with".

    Row `r` is at x = r. What is NaN leaves a gap. Returns the Axes, a new one for None.
    """
    needs_matplotlib(ax, theme)
    named = colors(theme)
    ax = axes(ax, named, 6.4, 3.6)
    places = range(len(rows))
    for i, (label, (values, (low, high))) in enumerate(lines.items()):
        color = named[f"pin{i % PINS}"]
        style = STYLES[i // PINS % len(STYLES)]
        ax.fill_between(places, low, high, color=color, alpha=0.15, linewidth=0)
        ax.plot(places, values, style, color=color, linewidth=1.5, marker="o", markersize=2.5, label=spaced(label))
    every = max(1, -(-len(rows) // TICKS))
    shown = [place for place in places if (len(rows) - 1 - place) % every == 0]
    ax.set_xticks(shown, labels=[spaced(rows[place]) for place in shown], color=named["ink"], fontsize=USUAL)
    ax.tick_params(colors=named["ink"], labelsize=USUAL, length=0)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(named["line"])
    ax.grid(axis="y", color=named["line"], linewidth=0.5)
    ax.set_axisbelow(True)
    written(ax.set_title(f"{spaced(name)}, with {spaced(band)}", loc="left", color=named["ink"], fontsize=TITLE))
    legend = ax.legend(frameon=False, fontsize=USUAL, labelcolor=named["ink"])
    for text in [*legend.get_texts(), *ax.get_xticklabels()]:
        written(text)
    return ax
