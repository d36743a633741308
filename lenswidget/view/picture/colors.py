"""The colors of a picture, by name, so that one drawing can be light and dark.

They are written once, in colors.json, from which js/colors.js makes the stylesheet; what is made of them here, scales that are
even to the eye and ink that can be read on them, is made in js/src/style/palette.ts, too. tests/golden/colors.json holds what
both must say.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

Theme = Literal["light", "dark"]
STEPS = 17
"""Of a scale, from "c0" to "c16", from "d0" where it has a center, or "s0" where it goes from base to source."""
TRUST = 4
"""Steps of a row quantity, from "trust1" to "trust4", the good end."""
READABLE = 4.5
"""The least contrast of text and what it stands on."""
RGB = np.ndarray
_LISTED: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("colors.json").read_text("utf-8"))
PINS = len(_LISTED["light"]["pin"])


@cache
def colors(theme: Theme) -> dict[str, str]:
    """Every named color of a theme; and for each that cells are filled with, "on" its name, the ink that can be read on it."""
    listed = _LISTED[theme]
    named = {name: color for name, color in listed.items() if isinstance(color, str)}
    blue, orange = listed["blue"], listed["orange"]
    steps = {f"{tone}{i}": shade(theme, tone, i / (STEPS - 1)) for tone in "cds" for i in range(STEPS)}
    fills, inks = zip(*steps.values())
    trust = {
        f"trust{i}": _hex(_mix(_rgb(named["excluded"]), _rgb(named["muted"]), i / TRUST)) for i in range(1, TRUST + 1)
    }
    return {
        **named,
        **{f"pin{i}": color for i, color in enumerate(listed["pin"])},
        **dict(zip(steps, fills)),
        **{f"on {name}": ink for name, ink in zip(steps, inks)},
        "base": listed["base"][3],
        "source": listed["source"][3],
        "plus": blue[2],
        "minus": orange[2],
        "plus-rest": blue[1],
        "minus-rest": orange[1],
        **trust,
        "on excluded": named["muted"],
        "odd": named["hatch"],
        "on odd": _hex(_ink_on(named, _rgb(named["hatch"]), 1.0)),
    }


def shade(theme: Theme, tone: str, place: float) -> tuple[str, str]:
    """A color of a scale and its ink, from 0 at the weak or low end to 1: "d" has a center, "s" leads from base to source."""
    listed = _LISTED[theme]
    page = listed["page"]
    below_center, above = ("base", "source") if tone == "s" else ("orange", "blue")
    stops = [page, *listed[above]] if tone == "c" else [*reversed(listed[below_center]), page, *listed[above]]
    at = place * (len(stops) - 1)
    below = min(int(at), len(stops) - 2)
    fill = _mix(_rgb(stops[below]), _rgb(stops[below + 1]), at - below)
    strength = place if tone == "c" else abs(2 * place - 1)
    return _hex(fill), _hex(_ink_on(listed, fill, strength))


def _ink_on(named: dict[str, Any], fill: RGB, strength: float) -> RGB:
    """Faint cells get faint text, as faint as can be read; from a quarter of the scale on, it is as strong as the page's."""
    under = _rounded(fill)
    page_ink = _rgb(named["ink"])
    candidates = (page_ink, np.zeros(3), np.ones(3))
    strong = next((ink for ink in candidates if contrast(ink, under) >= READABLE), page_ink)
    faint, full = 0.0, 1.0
    for _ in range(6):
        half = (faint + full) / 2
        if contrast(_rounded(_mix(fill, strong, half)), under) >= READABLE:
            full = half
        else:
            faint = half
    return _mix(fill, strong, min(1.0, full + (1 - full) * strength * 4))


def contrast(one: RGB, other: RGB) -> float:
    """WCAG's contrast ratio of two colors, 1 to 21."""
    dim, bright = sorted(float(_linear(color) @ [0.2126, 0.7152, 0.0722]) for color in (one, other))
    return (bright + 0.05) / (dim + 0.05)


_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
"""Linear red, green and blue to what the long, middle and short cones of the eye take up (B. Ottosson, 2020)."""
_FROM_CONES = np.linalg.inv(_TO_CONES)


def _mix(one: RGB, other: RGB, share: float) -> RGB:
    """Between two colors in OKLab, where equal steps look equal. Its coordinates are sums of cube roots of what the cones take
    up, so to mix these roots is the same."""
    start, end = (np.cbrt(_TO_CONES @ _linear(color)) for color in (one, other))
    mixed: RGB = _FROM_CONES @ (start + (end - start) * share) ** 3
    gamma = np.where(mixed <= 0.0031308, 12.92 * mixed, 1.055 * np.abs(mixed) ** (1 / 2.4) - 0.055)
    channels: RGB = np.clip(gamma, 0.0, 1.0)
    return channels


def _linear(color: RGB) -> RGB:
    linear: RGB = np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)
    return linear


def _rgb(color: str) -> RGB:
    return np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255


def _rounded(color: RGB) -> RGB:
    """As it will be painted: the last digit can cost the contrast."""
    return np.floor(color * 255 + 0.5) / 255


def _hex(color: RGB) -> str:
    return "#" + "".join(f"{int(part):02x}" for part in np.floor(color * 255 + 0.5))
