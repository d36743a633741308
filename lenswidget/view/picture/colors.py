"""The colors of a picture, by name, so that one drawing can be light and dark. As in js/src/style/style.css."""

from __future__ import annotations

from typing import Literal

import numpy as np

Theme = Literal["light", "dark"]
STEPS = 17
"""Of a scale, from "c0" to "c16", or from "d0" to "d16" where it has a centre."""
PINS = 4
TRUST = 4
"""Steps of a row quantity, from "trust1" to "trust4", the good end."""
_NAMED = {
    "light": {
        "page": "#ffffff", "ink": "#1f2430", "muted": "#5b6270", "excluded": "#f1f2f4", "odd": "#e8d9c5", "line": "#e3e6ea",
        "warning": "#a8320a", "pin0": "#0b9a8d", "pin1": "#e8590c", "pin2": "#b01fae", "pin3": "#8d6a00",
    },
    "dark": {
        "page": "#14161a", "ink": "#e8eaee", "muted": "#9aa1ad", "excluded": "#1d2025", "odd": "#4a3b28", "line": "#2a2e36",
        "warning": "#ff9b6b", "pin0": "#2fc9b8", "pin1": "#ff8a47", "pin2": "#e681e8", "pin3": "#e8c23a",
    },
}  # fmt: skip
# after the page's own color, to the deepest tone
_BLUE = {"light": ["#cfdbfc", "#8ba6f5", "#4263df", "#1b2a76"], "dark": ["#212d59", "#3852b6", "#7d99f8", "#d5dfff"]}
_ORANGE = {"light": ["#fcdcc4", "#f2a469", "#cc5f12", "#703006"], "dark": ["#482a15", "#9a4e18", "#ef8d42", "#ffdfc4"]}


def colors(theme: Theme) -> dict[str, str]:
    """Every named color of a theme; and for each that cells are filled with, "on" its name, the ink that can be read on it."""
    names, blue, orange = _NAMED[theme], _BLUE[theme], _ORANGE[theme]
    amount = [names["page"], *blue]
    both = [*reversed(orange), *amount]
    fills = {f"c{i}": _mix(amount, i / (STEPS - 1)) for i in range(STEPS)}
    fills |= {f"d{i}": _mix(both, i / (STEPS - 1)) for i in range(STEPS)}
    inks = {
        f"on {name}": max((names["ink"], names["page"]), key=lambda ink: _contrast(ink, fill))
        for name, fill in fills.items()
    }
    signs = {"plus": blue[2], "minus": orange[2], "plus-rest": blue[1], "minus-rest": orange[1]}
    trust = {f"trust{i}": _mix([names["excluded"], names["muted"]], i / TRUST) for i in range(1, TRUST + 1)}
    return {**names, **fills, **inks, **signs, **trust, "on excluded": names["muted"], "on odd": names["ink"]}


def _rgb(color: str) -> np.ndarray:
    return np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.float64)


def _mix(stops: list[str], share: float) -> str:
    place = share * (len(stops) - 1)
    i = min(int(place), len(stops) - 2)
    color = _rgb(stops[i]) + (place - i) * (_rgb(stops[i + 1]) - _rgb(stops[i]))
    return "#" + "".join(f"{round(part):02x}" for part in color)


def _contrast(one: str, other: str) -> float:
    """WCAG contrast ratio of two colors."""

    def luminance(color: str) -> float:
        part = _rgb(color) / 255
        linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
        return float(linear @ np.array([0.2126, 0.7152, 0.0722]))

    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)
