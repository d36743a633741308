"""Work shared out among threads that never wait for each other.

An operation of torch that several threads share ends when the slowest of them does. That is a thousand waits a reading, and on a
machine that has other things to do each can take milliseconds. Here each thread takes the next piece of the work when it is done
with one, and computes it alone.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

Piece = TypeVar("Piece")
Result = TypeVar("Result")


def shared_out(pieces: Sequence[Piece], worker: Callable[[], Callable[[Piece], Result]], workers: int) -> list[Result]:
    """The results of some pieces of work, in their order. `worker` makes what does one piece after another, with its own buffers.

    torch's threads are shared among the workers, which run in inference mode. Raises what a piece raises; an interrupt ends the
    work between two pieces.
    """
    if workers <= 1:
        work = worker()
        return [work(piece) for piece in pieces]
    threads = torch.get_num_threads()
    waiting = deque(enumerate(pieces))
    found: dict[int, Result] = {}
    wrong: list[BaseException] = []
    ready = threading.Barrier(workers + 1)

    def take() -> tuple[int, Piece] | None:
        try:
            return waiting.popleft()
        except IndexError:
            return None

    def run() -> None:
        # how many threads torch takes is a thread's own, once it was asked for it, but for threads that are born at this moment
        torch.get_num_threads()
        torch.set_num_threads(max(1, threads // workers))
        try:
            ready.wait()
            with torch.inference_mode():
                work = worker()
                while taken := take():
                    index, piece = taken
                    found[index] = work(piece)
        except BaseException as error:
            wrong.append(error)
            waiting.clear()

    helpers = [threading.Thread(target=run, daemon=True) for _ in range(workers)]
    try:
        for helper in helpers:
            helper.start()
        ready.wait()
        torch.set_num_threads(threads)
        for helper in helpers:
            helper.join()
    except BaseException:
        ready.abort()
        raise
    finally:
        waiting.clear()
        torch.set_num_threads(threads)
    if wrong:
        raise wrong[0]
    return [found[index] for index in range(len(pieces))]
