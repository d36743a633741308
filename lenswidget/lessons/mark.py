"""A small picture of a figure, from the message that a browser gets: cells and colors, no words."""

from __future__ import annotations

import math

from lenswidget.view.picture.colors import STEPS
from lenswidget.view.wire import Seen, seen_first

WIDTH, HEIGHT = 260, 96
MOST_COLUMNS, MOST_ROWS = 9, 16
"""As many of the last ones as can be told apart."""


def mark_svg(message: bytes) -> str:
    """The last rows and columns of a figure as an SVG, in its page's colors, or its largest bars; "" where it has no numbers."""
    seen = seen_first(message)
    if seen is None:
        return ""
    shapes = _bars(seen) if seen.is_bars else _cells(seen)
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="xMinYMid meet" aria-hidden="true">{shapes}</svg>'


def _cells(seen: Seen) -> str:
    places = seen.places[-MOST_ROWS:, -MOST_COLUMNS:][::-1]
    width, height = WIDTH / places.shape[1], HEIGHT / places.shape[0]
    tone = "d" if seen.has_center else "c"
    return "".join(
        f'<rect x="{column * width:.1f}" y="{row * height:.1f}" width="{width - 2:.1f}" height="{height - 1:.1f}" '
        f'fill="var(--{tone}{min(int(place * STEPS), STEPS - 1)})"/>'
        for row, line in enumerate(places)
        for column, place in enumerate(line)
        if not math.isnan(place)
    )


def _bars(seen: Seen) -> str:
    values = sorted(seen.values[:, 0].tolist(), key=abs, reverse=True)[:6]
    most = max(map(abs, values), default=0) or 1.0
    middle = WIDTH * (0.5 if min(values, default=0) < 0 else 0.0)
    room = (WIDTH - middle) / most
    return "".join(
        f'<rect x="{middle + min(value, 0) * room:.1f}" y="{at * 16}" width="{abs(value) * room:.1f}" height="11" rx="1" '
        f'fill="var(--{"plus" if value >= 0 else "minus"})"/>'
        for at, value in enumerate(values)
    )
