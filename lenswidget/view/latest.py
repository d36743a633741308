"""Latest: does work in a thread, one request at a time, and only what was asked for last."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

Report = Callable[[float, str], None]
"""Says how far the work is, 0 to 1, and what it is doing. Raises Superseded where nobody waits for it any more."""
PAUSE = 0.05
"""Seconds between reports that are passed on: a reader sees no more."""


class Superseded(BaseException):
    """Raised within work that a newer request has made pointless."""


class Latest:
    """Calls `work(request, report)` in a thread; a newer request takes the place of the one in flight.

    `done` gets what the work returned, or each thing that it brings one after another, and whether that is the last;
    `failed` the exception and what it was doing then, `progress` what it reports. They are called in the thread; of a
    request that was superseded, nothing more. Where the work was halted, `halted` is called, and what it has brought stays.
    """

    def __init__(
        self,
        work: Callable[[Any, Report], Any],
        *,
        done: Callable[[Any, bool], None],
        failed: Callable[[BaseException, str], None],
        progress: Report,
        halted: Callable[[], None] = lambda: None,
    ) -> None:
        self._work, self._done, self._failed, self._progress, self._on_halt = work, done, failed, progress, halted
        self._lock = threading.Lock()
        self._waiting: tuple[Any] | None = None
        self._thread: threading.Thread | None = None
        self._idle = threading.Event()
        self._idle.set()
        self._stopped = self._interrupted = self._is_halted = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def ask(self, request: Any) -> None:
        """Begin a piece of work, and let go of the one in flight."""
        self._listen()
        with self._lock:
            self._waiting, self._is_halted = (request,), False
            if self._thread is None:
                self._idle.clear()
                self._thread = threading.Thread(target=self._run, name="lenswidget", daemon=True)
                self._thread.start()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing is in flight; False if that takes longer than `timeout` seconds. An interrupt ends that, too."""
        try:
            return self._idle.wait(timeout)  # a thread whose join is interrupted counts as ended, in some Pythons
        except KeyboardInterrupt:
            self.interrupt()
            raise

    def halt(self) -> None:
        """End the work in flight when it next reports; what it has brought stays."""
        with self._lock:
            self._is_halted, self._waiting = self._thread is not None, None

    def interrupt(self) -> None:
        """End the work in flight when it next reports: it has failed by a KeyboardInterrupt."""
        with self._lock:
            self._interrupted = self._thread is not None

    def _listen(self) -> None:
        """Take interrupts, where nobody does: a kernel between two cells lets them pass, although a thread is at work for it."""
        with contextlib.suppress(RuntimeError, ValueError):  # no event loop, or not in the main thread
            self._loop = asyncio.get_running_loop()
            self._loop.call_soon(self._take_interrupts)  # the kernel sets its own handler after each message

    def _take_interrupts(self) -> None:
        if self._thread is not None and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            signal.signal(signal.SIGINT, self._on_interrupt)

    def _leave_interrupts(self) -> None:
        if self._thread is None and signal.getsignal(signal.SIGINT) == self._on_interrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _on_interrupt(self, *_: object) -> None:
        self.interrupt()

    def stop(self) -> None:
        """Let go of all work, for good."""
        with self._lock:
            self._stopped, self._waiting = True, None

    def _run(self) -> None:
        while True:
            with self._lock:
                self._interrupted = False
                if self._waiting is None:
                    self._thread = None
                    self._idle.set()
                    break
                (request,) = self._waiting
                self._waiting = None
            self._do(request)
            if self._is_halted:
                self._is_halted = False
                self._on_halt()
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # a loop that was closed meanwhile
                self._loop.call_soon_threadsafe(self._leave_interrupts)

    def _do(self, request: Any) -> None:
        doing, last = "", -PAUSE

        def wanted() -> None:
            if self._is_superseded:
                raise Superseded
            if self._interrupted:
                raise KeyboardInterrupt

        def report(share: float, what: str) -> None:
            nonlocal doing, last
            wanted()
            now = time.monotonic()
            if what != doing or now - last >= PAUSE:
                last, doing = now, what
                self._progress(share, what)

        try:
            result = self._work(request, report)
            if isinstance(result, Iterator):
                for one in result:  # it goes on from what it has brought, so that is shown in any case
                    self._done(one, False)
                result = None
            wanted()
        except Superseded:
            return
        except BaseException as reason:  # an interrupt, too, must end in the thread that it stops
            if not self._is_superseded:
                self._failed(reason, doing)
            return
        self._done(result, True)

    @property
    def _is_superseded(self) -> bool:
        return self._stopped or self._is_halted or self._waiting is not None
