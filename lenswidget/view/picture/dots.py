"""Scores by group as dots on a matplotlib Axes, with the line from which on a score is much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lenswidget.grids.marks import spaced
from lenswidget.view.picture.colors import PINS, Theme, colors
from lenswidget.view.picture.plot import TITLE, USUAL, axes, needs_matplotlib, written

SPREAD = 0.3
"""How far dots of one group may lie from its middle, so that few hide each other."""


def plot_dots(
    groups: Mapping[str, np.ndarray], name: str, line: float, says: str, ax: Any = None, *, theme: Theme = "light"
) -> Any:
    """Draw the scores of each group on a line of its own, the first at the top; `says` is written at the `line`.

    Dots of a group are spread by their order, the same every time. Returns the Axes, a new one for None.
    """
    needs_matplotlib(ax, theme)
    named = colors(theme)
    ax = axes(ax, named, 6.4, 1.2 + 0.45 * len(groups))
    for i, scores in enumerate(groups.values()):
        # the golden ratio spreads any number of dots evenly
        across = i + SPREAD * (2 * ((np.arange(len(scores)) * 0.618034) % 1) - 1)
        ax.scatter(scores, across, s=14, color=named[f"pin{i % PINS}"], alpha=0.7, linewidths=0)
    ax.axvline(line, color=named["muted"], linewidth=1, linestyle=(0, (4, 3)))
    written(ax.text(line, -0.62, f" {spaced(says)}", va="bottom", color=named["muted"], fontsize=USUAL))
    ax.set_yticks(range(len(groups)), labels=[spaced(group) for group in groups], color=named["ink"], fontsize=USUAL)
    ax.set_ylim(len(groups) - 0.5, -0.65)
    ax.tick_params(colors=named["ink"], labelsize=USUAL, length=0)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.spines["bottom"].set_color(named["line"])
    written(ax.set_title(spaced(name), loc="left", pad=14, color=named["ink"], fontsize=TITLE))
    for text in ax.get_yticklabels():
        written(text)
    return ax
