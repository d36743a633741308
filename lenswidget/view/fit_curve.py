"""The living curve of a fit: how far each row is from the output, as it began and now, with a button to stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from html import escape
from math import isfinite, log10
from typing import Any

import ipywidgets
from IPython.display import display

from lenswidget.view.picture.colors import colors

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 560, 190, 42, 24, 10
ACCENT = colors("light")["focus"]
EVERY = 0.5
"""Seconds between two paintings."""


def show(progress: Any) -> Callable[[Any], None]:
    """Show a `Progress` under the cell that runs. Returns the watcher that keeps it up to date."""
    picture, stop = (
        ipywidgets.HTML(),
        ipywidgets.Button(description="Stop", tooltip="Stop and keep what is reached, as an interrupt does"),
    )

    def pressed(_: Any) -> None:
        progress.stop()
        stop.disabled, stop.description = True, "Stopping…"

    stop.on_click(pressed)
    display(ipywidgets.VBox([picture, stop]))
    # A cell that runs blocks the kernel's main shell. JupyterLab 4.4 and later sends clicks to another one, and ipykernel 7.4
    # sends them back to the shell that last wrote to the button, unless that is forgotten. Elsewhere an interrupt stops.
    vars(stop.comm).pop("_reply_subshell_id", None)
    painted = 0.0

    def paint(progress: Any) -> None:
        nonlocal painted
        if progress.done:
            stop.layout.display = "none"
        elif time.monotonic() - painted < EVERY:
            return
        painted = time.monotonic()
        picture.value = html(progress)

    return paint


def html(progress: Any) -> str:
    """The curve and what it says, as HTML that takes its colors from the notebook's."""
    return (
        f'<div style="font:13px/1.5 var(--jp-ui-font-family, system-ui);color:var(--jp-ui-font-color1, CanvasText)">'
        f'<div style="display:flex;gap:1.2em;max-width:{WIDTH}px"><b>{escape(progress.title)}</b>'
        f'<span>{escape(_words(progress))}</span><span style="margin-left:auto;opacity:.7">{_time(progress)}</span></div>'
        f'<div style="max-width:{WIDTH}px;height:3px;margin:4px 0 6px;border-radius:2px;background:color-mix(in srgb, '
        f'currentColor 15%, transparent)"><div style="width:{100 * progress.fraction:.1f}%;height:100%;border-radius:2px;'
        f'background:var(--jp-brand-color1, {ACCENT})"></div></div>{_svg(progress)}</div>'
    )


def _words(progress: Any) -> str:
    if not progress.kl:
        return str(progress.doing)
    (_, first), (_, now) = progress.kl[0], progress.kl[-1]
    return f"{sum(first) / len(first):.2f} → {sum(now) / len(now):.2f} bits from the output, mean over rows"


def _time(progress: Any) -> str:
    if progress.done:
        return f"{_clock(progress.seconds)}{', stopped' if progress.stopping else ''}"
    return f"{_clock(progress.left)} left" if isfinite(progress.left) else _clock(progress.seconds)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def _svg(progress: Any) -> str:
    """KL in bits over the rows, on a logarithmic scale: a line for each time that it was measured."""
    if not progress.kl or len(progress.rows) < 2:
        return ""
    values = [value for _, kl in progress.kl for value in kl if isfinite(value) and value > 0]
    if not values:
        return ""
    low, high = log10(min(values)) - 0.05, log10(max(values)) + 0.05
    steps = max(1, len(progress.rows) - 1)

    def x(row: int) -> float:
        return LEFT + (WIDTH - LEFT - 12) * row / steps

    def y(value: float) -> float:
        share = (log10(max(value, 10**low)) - low) / (high - low)
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)

    def line(kl: tuple[float, ...], style: str) -> str:
        points = " ".join(f"{x(i):.1f},{y(value):.1f}" for i, value in enumerate(kl) if isfinite(value))
        return f'<polyline points="{points}" fill="none" stroke-linejoin="round" style="{style}"/>'

    marks = [a * 10.0**b for b in range(-3, 4) for a in (1, 2, 5) if low <= log10(a * 10.0**b) <= high]
    rules = "".join(
        f'<line x1="{LEFT}" x2="{WIDTH - 12}" y1="{y(mark):.1f}" y2="{y(mark):.1f}" stroke="currentColor" opacity=".12"/>'
        f'<text x="{LEFT - 6}" y="{y(mark) + 4:.1f}" text-anchor="end" opacity=".7">{mark:g}</text>'
        for mark in marks
    )
    every = -(-len(progress.rows) // 10)
    labels = "".join(
        f'<text x="{x(i):.1f}" y="{HEIGHT - 6}" text-anchor="middle" opacity=".7">{escape(progress.rows[i])}</text>'
        for i in range(0, len(progress.rows), every)
    )
    between = "".join(line(kl, "stroke:currentColor;stroke-width:1;opacity:.15") for _, kl in progress.kl[1:-1])
    began = line(progress.kl[0][1], "stroke:currentColor;stroke-width:1.5;stroke-dasharray:4 3;opacity:.6")
    now = line(progress.kl[-1][1], f"stroke:var(--jp-brand-color1, {ACCENT});stroke-width:2.2")
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img" style="max-width:100%;font-size:11px;fill:currentColor"'
        f' aria-label="KL to the output in bits, by row">{rules}{labels}{between}{began}{now}</svg>'
    )
