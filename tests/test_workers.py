"""Work that is shared out among threads: all of it is done once, in order, and what surrounds it stays as it was."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
import torch

from lenswidget.model.workers import shared_out


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("workers", [0, 1, 2, 3, 9])
def test_every_piece_is_done_once_and_the_results_are_in_order(workers: int) -> None:
    done: list[int] = []

    def worker() -> Callable[[int], int]:
        def work(piece: int) -> int:
            time.sleep(0.002 * (piece % 3))
            done.append(piece)
            return piece**2

        return work

    assert shared_out(range(20), worker, workers) == [piece**2 for piece in range(20)]
    assert sorted(done) == list(range(20))
    assert shared_out([], worker, workers) == []


def test_each_worker_has_its_share_of_the_threads_and_buffers_of_its_own() -> None:
    buffers: list[int] = []
    seen: set[tuple[int, int, bool]] = set()
    together = threading.Barrier(2)

    def worker() -> Callable[[int], None]:
        buffers.append(threading.get_ident())

        def work(_: int) -> None:
            together.wait(timeout=10)  # both are at it
            seen.add((threading.get_ident(), torch.get_num_threads(), torch.is_inference_mode_enabled()))

        return work

    shared_out(range(2), worker, 2)
    assert len(buffers) == 2 and {(n, mode) for _, n, mode in seen} == {(2, True)} and len(seen) == 2


def test_the_callers_threads_are_as_they_were() -> None:
    before = set(threading.enumerate())
    shared_out(range(4), lambda: lambda piece: piece, 2)
    assert torch.get_num_threads() == 4 and set(threading.enumerate()) == before
    born: list[int] = []
    late = threading.Thread(target=lambda: born.append(torch.get_num_threads()))
    late.start()
    late.join()
    assert born == [4]


def test_what_a_piece_raises_is_raised_and_ends_the_rest() -> None:
    done: list[int] = []

    def work(piece: int) -> None:
        if piece == 3:
            raise ValueError("piece 3 is wrong")
        time.sleep(0.001)
        done.append(piece)

    with pytest.raises(ValueError, match="piece 3 is wrong"):
        shared_out(range(1000), lambda: work, 2)
    assert len(done) < 20 and torch.get_num_threads() == 4

    def broken() -> Callable[[int], int]:
        raise MemoryError("no room for buffers")

    with pytest.raises(MemoryError, match="no room for buffers"):
        shared_out(range(4), broken, 2)


def test_an_interrupt_ends_the_work_between_two_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []

    def work(piece: int) -> None:
        time.sleep(0.005)
        done.append(piece)

    def interrupted(self: threading.Thread) -> None:
        raise KeyboardInterrupt

    join = threading.Thread.join
    before = set(threading.enumerate())
    monkeypatch.setattr(threading.Thread, "join", interrupted)
    with pytest.raises(KeyboardInterrupt):
        shared_out(range(1000), lambda: work, 2)
    for thread in set(threading.enumerate()) - before:
        join(thread, timeout=10)
    assert len(done) <= 4 and torch.get_num_threads() == 4
