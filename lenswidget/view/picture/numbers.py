"""Numbers for eyes, as js/src/text/number.ts has them; tests/golden/numbers.json holds what both must say."""

from __future__ import annotations

import math

import numpy as np

NARROW = "\u202f"
"""A narrow space that doesn't break."""


def percent(probability: float) -> str:
    """As js/src/text/number.ts has it: `91 %`, `7.7 %`, `< 0.1 %`, `> 99.9 %`."""
    hundredths = 100 * probability
    if math.isnan(probability):
        return "NaN"
    if hundredths < 0.1:
        return "<\u202f0.1\u202f%"
    if 99.9 < hundredths < 100:
        return ">\u202f99.9\u202f%"
    return f"{hundredths:.{1 if hundredths < 9.95 or 99 < hundredths < 100 else 0}f}\u202f%"


def number(value: float) -> str:
    """A number that stands alone, to three digits; never with an exponent."""
    size = abs(value)
    if not size < 99.95 or size == int(size):
        return fixed(value, 0)
    return fixed(value, 1 if size >= 9.995 else 2 if size >= 0.0095 else min(9, -math.floor(math.log10(size))))


def tick(value: float) -> str:
    """A number beside an axis, as short as it can be: `10k`."""
    return f"{number(value / 1000)}k" if abs(value) >= 1000 else number(float(f"{value:.3g}"))


def ticks(low: float, high: float, count: int) -> list[float]:
    """Round numbers from one end to the other, about so many: multiples of 1, 2 or 5 times a power of ten."""
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(one for one in (10, 5, 2, 1) if one <= rough / power * 1.5) * power
    first = math.ceil(low / step)
    # tenths are reached by division: 3 / 10 is the number that is written 0.3, and 3 * 0.1 isn't
    numbers = (i / round(1 / step) if step < 1 else i * step for i in range(first, first + 2 * count + 1))
    return [value for value in numbers if low <= value <= high]


def decimals_for(values: np.ndarray) -> int:
    """How many decimals numbers have that stand beside each other: two, but none where all are whole, and more where all are
    small."""
    finite = np.abs(values[np.isfinite(values)], dtype=np.float64)
    most = float(finite.max(initial=0.0))
    if most >= 999.5 or not (finite % 1).any():
        return 0
    return 1 if most >= 99.95 else min(9, max(2, 1 - math.floor(math.log10(most / 0.95))))


def fixed(value: float, decimals: int, signed: bool = False) -> str:
    """A number with so many decimals; where the sign is what is looked for, with a plus. What rounds to zero has none."""
    if math.isnan(value):
        return "NaN"
    digits = "∞" if math.isinf(value) else f"{abs(value):,.{decimals}f}".replace(",", NARROW)
    sign = "" if digits == f"{0:.{decimals}f}" else "−" if value < 0 else "+" if signed else ""
    return sign + digits
