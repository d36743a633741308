"""How long something takes, of the processor: what else the machine does falls on none of it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

ROUNDS = 5


def seconds(what: Callable[[], object]) -> float:
    """Seconds of the processor for one call."""
    start = time.process_time()
    what()
    return time.process_time() - start


def median(what: Callable[[], object]) -> float:
    """The median of five calls, after one that isn't counted."""
    what()
    return statistics.median(seconds(what) for _ in range(ROUNDS))
