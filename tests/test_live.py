"""Prompts that run while the notebook stays free: the newest wins, the last good picture stays, and failures are told."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import traitlets

import lenswidget as lw
from lenswidget.grids.grid import Grid
from lenswidget.view.latest import Report
from lenswidget.view.wire import encode
from tests.golden.write import header_of
from tests.grids import make_grid

LONG = 60.0
"""Seconds after which a test has failed."""


def live(compute: Callable[[str, Report], Any], **settings: Any) -> tuple[lw.LensWidget, list[dict]]:
    """A widget with something to run, and what it has told of its progress."""
    widget = lw.LensWidget(make_grid(title="first"), compute=compute, prompt="first", **settings)
    told: list[dict] = []
    widget.observe(lambda change: told.append(change.new), "progress")
    return widget, told


def test_a_prompt_runs_and_its_picture_takes_the_place_of_the_last() -> None:
    def compute(prompt: str, report: Report) -> Grid:
        report(0.5, "reading")
        return make_grid(5, 3, title=prompt)

    widget, told = live(compute, pins=[[3]], selected=[6, 4])
    assert widget.live and widget.progress == {"state": "idle"}
    widget.prompt = "second"
    assert widget.wait(LONG)
    assert widget.grid.title == "second" and widget.grids == encode([widget.grid])
    assert told == [{"state": "running", "done": 0.5, "message": "Reading …"}, {"state": "idle"}]
    assert (widget.pins, widget.selected) == ([[3]], None), "what the new picture lacks is let go, and nothing else"


def test_a_newer_prompt_takes_the_place_of_the_one_in_flight() -> None:
    begun, go = threading.Event(), threading.Event()
    finished = []

    def compute(prompt: str, report: Report) -> Grid:
        begun.set()
        assert go.wait(LONG)
        report(0.5, "reading")
        finished.append(prompt)
        return make_grid(title=prompt)

    widget, told = live(compute)
    widget.prompt = "old"
    assert begun.wait(LONG)
    widget.prompt = "newer"
    widget.prompt = "newest"
    go.set()
    assert widget.wait(LONG)
    assert finished == ["newest"] and widget.grid.title == "newest"
    assert told[-1] == {"state": "idle"}


class OutOfMemoryError(RuntimeError):
    """Named as torch's is, for a GPU."""


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        (ValueError("The prompt has 9 tokens."), "Failed while running the model. The prompt has 9 tokens."),
        (RuntimeError("a hook\n broke"), "Failed while running the model. RuntimeError: a hook broke"),
        (ZeroDivisionError(), "Failed while running the model. ZeroDivisionError"),
        (KeyboardInterrupt(), "Interrupted while running the model."),
        (MemoryError(), "Out of memory while running the model: no more could be had. A shorter prompt needs less."),
        (
            OutOfMemoryError("Tried 2 GiB"),
            "Out of memory while running the model: Tried 2 GiB. A shorter prompt needs less.",
        ),
        (
            RuntimeError("can't allocate memory: 9 bytes"),
            "Out of memory while running the model: can't allocate memory",
        ),
    ],
)
def test_what_went_wrong_is_said_and_the_last_good_picture_stays(reason: BaseException, says: str) -> None:
    def compute(prompt: str, report: Report) -> Grid:
        report(0.0, "running the model")
        if prompt == "bad":
            raise reason
        return make_grid(title=prompt)

    widget, told = live(compute)
    before = widget.grids
    widget.prompt = "bad"
    assert widget.wait(LONG)
    assert told[-1]["state"] == "failed" and told[-1]["message"].startswith(says)
    assert widget.grids == before and widget.failure is reason
    widget.prompt = "good"
    assert widget.wait(LONG)
    assert (widget.progress, widget.grid.title, widget.failure) == ({"state": "idle"}, "good", None)


def endless(begun: threading.Event) -> Any:
    """Work that goes on until somebody ends it."""

    def compute(prompt: str, report: Report) -> Grid:
        report(0.0, "running the model")
        begun.set()
        while prompt == "endless":
            report(0.5, "running the model")
            time.sleep(0.001)
        return make_grid(title=prompt)

    return compute


def test_an_interrupt_while_a_cell_waits_ends_the_prompt() -> None:
    begun = threading.Event()
    widget, told = live(endless(begun))
    widget.prompt = "endless"
    assert begun.wait(LONG)
    threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        widget.wait(LONG)
    assert widget.wait(LONG)
    assert told[-1] == {"state": "failed", "message": "Interrupted while running the model."}
    widget.prompt = "good"
    assert widget.wait(LONG) and widget.grid.title == "good"


def interrupted_between_two_cells() -> None:
    """As in a kernel, which lets interrupts pass while no cell runs: those of a prompt that a reader typed, too."""
    begun = threading.Event()
    widget, told = live(endless(begun))

    async def kernel() -> None:
        widget.prompt = "endless"
        while not begun.is_set():
            await asyncio.sleep(0.001)
        os.kill(os.getpid(), signal.SIGINT)
        while told[-1]["state"] == "running" or signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            await asyncio.sleep(0.001)

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        asyncio.run(asyncio.wait_for(kernel(), LONG))
    finally:
        signal.signal(signal.SIGINT, before)
    assert told[-1] == {"state": "failed", "message": "Interrupted while running the model."}


def test_an_interrupt_between_two_cells_ends_the_prompt() -> None:
    """In a process of its own: another test's browser may keep an event loop running in this one."""
    code = "from tests.test_live import interrupted_between_two_cells as what; what()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=2 * LONG, check=False)
    assert done.returncode == 0, done.stderr


def test_the_same_prompt_runs_again_when_it_was_emptied_between() -> None:
    ran = []
    widget, _ = live(lambda prompt, report: ran.append(prompt) or make_grid(title=prompt))  # type: ignore[func-returns-value]
    for prompt in ("again", "", "again"):
        widget.prompt = prompt
        assert widget.wait(LONG)
    assert ran == ["again", "again"]


def test_a_closed_widget_lets_go_of_what_it_was_running() -> None:
    begun, go = threading.Event(), threading.Event()

    def compute(prompt: str, report: Report) -> Grid:
        begun.set()
        assert go.wait(LONG)
        return make_grid(title=prompt)

    widget, _ = live(compute)
    widget.prompt = "late"
    assert begun.wait(LONG)
    widget.close()
    go.set()
    assert widget.wait(LONG)
    assert widget.grid.title == "first"


def test_without_a_model_there_is_no_prompt() -> None:
    widget = lw.LensWidget(make_grid())
    assert not widget.live and widget.wait(0.0)
    with pytest.raises(traitlets.TraitError, match=r"no model to run 'hello'; lw\.live\(model, prompt\) makes one"):
        widget.prompt = "hello"


# --- with a model -------------------------------------------------------------------------------------------------


def test_a_live_model_shows_what_its_prompt_says(smollm: Any) -> None:
    widget = lw.live(smollm, "The capital of France is", targets=[" Paris"], color="entropy")
    assert widget.grid == lw.logit_lens(lw.run(smollm, "The capital of France is"), targets=[" Paris"])
    told = []
    widget.observe(lambda change: told.append(change.new), "progress")
    widget.prompt = "The capital of Spain is"
    assert widget.wait(LONG)
    assert widget.grid == lw.logit_lens(lw.run(smollm, "The capital of Spain is"), targets=[" Paris"])
    assert widget.color == "entropy"
    assert [one["state"] for one in told[:-1]] == ["running"] * (len(told) - 1) and told[-1] == {"state": "idle"}
    assert {one["message"] for one in told[:-1]} >= {"Running the model …"}
    shares = [one["done"] for one in told[:-1]]
    assert shares == sorted(shares) and 0 <= shares[0] <= shares[-1] < 1


def test_several_lenses_live_side_by_side(smollm: Any) -> None:
    widget = lw.live(smollm, "Hello", lenses=[lw.LogitLens(), lw.NegativeLens()])
    assert widget.comparison is not None and widget.comparison.names == ("Logit lens", "Negative lens")
    widget.prompt = "Hello there"
    assert widget.wait(LONG)
    assert widget.comparison.shape[1] == 2 and len(header_of(widget.grids)["grids"]) == 2


def test_a_model_that_fails_live_says_where_and_runs_again(smollm: Any) -> None:
    widget = lw.live(smollm, "Hello")
    before = widget.grid
    with failing(smollm.blocks[7], RuntimeError("a broken block")):
        widget.prompt = "Hello there"
        assert widget.wait(LONG)
    assert widget.progress["state"] == "failed"
    assert widget.progress["message"] == "Failed while running the model. RuntimeError: a broken block"
    assert widget.grid is before
    widget.prompt = "word " * 9000
    assert widget.wait(LONG)
    assert "tokens and" in widget.progress["message"] and "takes" in widget.progress["message"]
    widget.prompt = "Hello again"
    assert widget.wait(LONG)
    assert widget.grid.title == "Hello again"
    assert not any(block._forward_pre_hooks for block in smollm.blocks), "nothing is left in the model"


def test_a_prompt_in_the_model_ends_where_a_newer_one_comes(smollm: Any) -> None:
    widget = lw.live(smollm, "Hello")
    ran: list[str] = []
    armed = threading.Event()
    handle = smollm.blocks[5].register_forward_pre_hook(
        lambda *_: setattr(widget, "prompt", "The newer one") if armed.is_set() else None
    )
    late = smollm.blocks[9].register_forward_hook(lambda *_: ran.append("block 9") if armed.is_set() else None)
    try:
        lw.run(smollm, "Hello")  # finds what the blocks consist of, under these hooks of torch
        armed.set()
        widget.prompt = "The older one"
        assert widget.wait(LONG)
    finally:
        handle.remove()
        late.remove()
    assert widget.grid.title == "The newer one" and ran == ["block 9"], "the older one never reached block 9"


def test_a_cell_that_runs_the_model_waits_for_the_live_prompt(smollm: Any) -> None:
    """Hooks belong to the model: two threads in it at once would each be caught in the other's."""
    widget = lw.live(smollm, "Hello")
    begun, went_in = threading.Event(), []
    prompts = {"in the thread": "The capital of Spain is", "in a cell": "Two plus two is four, as ever"}

    armed = threading.Event()

    def enters(*_: Any) -> None:
        if armed.is_set():
            went_in.append(threading.current_thread() is threading.main_thread())
            begun.set()

    handle = smollm.blocks[3].register_forward_pre_hook(enters)
    out = smollm.blocks[29].register_forward_hook(lambda *_: went_in.append("out") if armed.is_set() else None)
    try:
        lw.run(smollm, "Hello")  # finds what the blocks consist of, under these hooks of torch
        armed.set()
        widget.prompt = prompts["in the thread"]
        assert begun.wait(LONG)
        run = lw.run(smollm, prompts["in a cell"])
        assert widget.wait(LONG)
    finally:
        handle.remove()
        out.remove()
    assert went_in == [False, "out", True, "out"], "one after the other"
    assert widget.grid.title == prompts["in the thread"] and run.prompt == prompts["in a cell"]
    assert run.check is not None and run.check.holds


def test_a_live_widget_is_refused_what_it_cannot_begin_with(smollm: Any) -> None:
    with pytest.raises(ValueError, match="The prompt is empty"):
        lw.live(smollm, "")
    with pytest.raises(ValueError, match="lenses is empty"):
        lw.live(smollm, "Hello", lenses=[])


@contextmanager
def failing(block: Any, reason: Exception) -> Iterator[None]:
    def fail(*_: Any) -> None:
        raise reason

    handle = block.register_forward_pre_hook(fail)
    try:
        yield
    finally:
        handle.remove()


def test_a_prompt_box_needs_a_model_behind_it() -> None:
    with pytest.raises(
        TypeError, match=r"needs a model of transformers or TransformerLens and got Grid; boot one with lw\.load"
    ):
        lw.live(make_grid(), "The capital of France is")
