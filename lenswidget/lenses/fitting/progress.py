"""Progress of a fit, or of whatever takes long: what it has reached, for whoever watches, and how to stop it and keep that."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tqdm import tqdm

from lenswidget.grids.showable import viewer


class Stop:
    """Whether somebody asked to stop."""

    asked = False


@contextlib.contextmanager
def stoppable(stop: Callable[[], None] | None = None) -> Iterator[Stop]:
    """An interrupt asks to stop, here and by calling `stop`: it tears nothing apart. Afterwards it is the caller's again."""
    asking = Stop()

    def ask(*_: Any) -> None:
        asking.asked = True
        if stop is not None:
            stop()

    main = threading.current_thread() is threading.main_thread()
    earlier = signal.signal(signal.SIGINT, ask) if main else None
    try:
        yield asking
    finally:
        if main:
            signal.signal(signal.SIGINT, earlier)


@dataclass
class Progress:
    """A fit on its way. `watchers` are called after every step, in the thread that fits."""

    title: str
    rows: tuple[str, ...] = ()
    """Labels of the rows whose KL is measured on the way."""
    fraction: float = 0.0
    """Done of what was asked for."""
    steps: int = 0
    seconds: float = 0.0
    kl: list[tuple[float, tuple[float, ...]]] = field(default_factory=list)
    """Fractions, and KL(output ‖ row) on held-out text in bits when so much was done, for each of `rows`."""
    stopping: bool = False
    done: bool = False
    watchers: list[Callable[[Progress], Any]] = field(default_factory=list)
    doing: str = "reading text"
    """What it does while no KL is measured."""
    patience: float = 0.0
    """Seconds before it is shown: what is done by then needs no curve and no line."""

    @property
    def left(self) -> float:
        """Seconds to go, if it goes on like this."""
        return self.seconds * (1 / self.fraction - 1) if self.fraction else float("nan")

    def stop(self) -> None:
        """Stop after the step that is running, and keep what is reached. Once more changes nothing."""
        self.stopping = True

    def tell(self, fraction: float) -> bool:
        """Tell whoever watches how much is done. Returns whether to stop."""
        self.fraction, self.seconds = min(fraction, 1.0), self.clock()
        for watcher in self.watchers:
            watcher(self)
        return self.stopping

    def clock(self) -> float:
        """Seconds since the fit began, with those before it was resumed."""
        return time.monotonic() - self._began

    @contextlib.contextmanager
    def running(self, before: float = 0.0) -> Iterator[None]:
        """Time runs, from `before` seconds on, and an interrupt means stop(): it never tears a step apart."""
        with stoppable(self.stop):
            self._began = time.monotonic() - before
            self.watchers = self.watchers or [_late(self)]
            try:
                yield
            finally:
                self.done = True
                self.tell(self.fraction)


def _late(progress: Progress) -> Callable[[Progress], Any]:
    """Shows what takes longer than its patience."""
    shown: list[Callable[[Progress], Any]] = []

    def watch(progress: Progress) -> None:
        if not shown and not progress.done and progress.clock() >= progress.patience:
            shown.append(_watcher(progress))
        for watcher in shown:
            watcher(progress)

    if not progress.patience:
        shown.append(_watcher(progress))
    return watch


def _watcher(progress: Progress) -> Callable[[Progress], Any]:
    """A living curve in a notebook, a line elsewhere."""
    shell = sys.modules.get("IPython") and sys.modules["IPython"].get_ipython()
    if shell and getattr(shell, "kernel", None):
        with contextlib.suppress(ImportError):
            return viewer().show_fit(progress)
    return _line(progress)


def _line(progress: Progress) -> Callable[[Progress], None]:
    """A line in a terminal."""
    line = tqdm(
        total=1.0, desc=progress.title, bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}{postfix}"
    )

    def draw(progress: Progress) -> None:
        line.update(progress.fraction - line.n)
        if progress.kl:
            (_, first), (_, now) = progress.kl[0], progress.kl[-1]
            line.set_postfix_str(
                f"{sum(now) / len(now):.2f} bits from the output, began at {sum(first) / len(first):.2f}"
            )
        if progress.done:
            line.close()

    return draw
