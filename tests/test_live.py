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
import torch
import traitlets

import lenswidget as lw
from lenswidget.grids.grid import Grid
from lenswidget.view.latest import Report
from lenswidget.view.wire import encode, joined_pieces
from tests import architectures
from tests.golden.write import header_of
from tests.grids import assert_alike, make_grid

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
    assert_alike(widget.grid, lw.logit_lens(lw.run(smollm, "The capital of France is"), targets=[" Paris"]))
    told = []
    widget.observe(lambda change: told.append(change.new), "progress")
    widget.prompt = "The capital of Spain is"
    assert widget.wait(LONG)
    assert_alike(widget.grid, lw.logit_lens(lw.run(smollm, "The capital of Spain is"), targets=[" Paris"]))
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


def rest(widget: lw.LensWidget, content: dict[str, Any]) -> list[dict[str, Any]]:
    """What the widget sends by itself for a request from the browser, until it rests."""
    sent: list[dict[str, Any]] = []
    own, widget.send = widget.send, lambda content, buffers=None: sent.append({**content, "bytes": buffers[0]})  # type: ignore[method-assign]
    widget._handle_custom_msg(content, [])
    assert widget.wait(LONG)
    widget.send = own  # type: ignore[method-assign]
    return sent


def test_what_is_typed_arrives_as_columns_and_is_at_each_rest_what_a_fresh_run_is(smollm: Any) -> None:
    widget = lw.live(smollm, "The capital of France is")
    texts = [
        "The capital of France is the",
        "The capital of France is the city",
        "The capital of Fran",
        "The cap",
        "Une",
    ]
    widget.selected = [3, 2]
    for text in texts:
        sent = rest(widget, {"do": "type", "prompt": text})
        assert [one["piece"] for one in sent] == [len(widget._pieces) - 1]
        assert widget.prompt == text and widget.progress == {"state": "idle"}
        assert_alike(widget.grid, lw.logit_lens(lw.run(smollm, text)))
        # what was sent, piece by piece, is what the trait says to those who come later
        assert widget.grids == joined_pieces(widget._pieces)
    assert widget.tried == ["The capital of France is"], "what is typed on the way is not kept"


def test_the_selection_stays_on_its_token(smollm: Any) -> None:
    widget = lw.live(smollm, "The capital of France is")
    widget.selected, widget.jump = [3, 3], None
    rest(widget, {"do": "type", "prompt": "The big old capital of France is"})
    assert widget.selected == [3, 5] and widget.grid.text(widget.grid.columns[5]) == " France"
    rest(widget, {"do": "type", "prompt": "The capital of France is"})
    assert widget.selected == [3, 3]
    rest(widget, {"do": "type", "prompt": "The capital of"})
    assert widget.selected is None


def test_a_model_writes_and_each_token_is_a_column(smollm: Any) -> None:
    widget = lw.live(smollm, "The capital of France is", prompts=["One", "Two"])
    assert widget.writes and widget.prompts == ["One", "Two"]
    sent = rest(widget, {"do": "write", "count": 9})
    *_, own = lw.generate(smollm, "The capital of France is", max_new_tokens=9)
    assert_alike(widget.grid, own)
    assert len(sent) == 3, "four columns at a time, and the end"
    assert widget.prompt == own.title
    # another token instead of one that was written, and on from there: what was there before is kept
    second = int(widget.grid.candidates.ids[-1, 4, 1])  # type: ignore[union-attr]
    widget.take(4, second, 3)
    assert widget.wait(LONG)
    assert widget.grid.columns[5] == second and widget.grid.columns[:5].tolist() == own.columns[:5].tolist()
    assert widget.tried == ["The capital of France is", own.title, widget.prompt]
    widget.show_tried()
    assert widget.wait(LONG)
    assert widget.comparison is not None and len(widget.comparison.grids) == 3
    widget.prompt = "Hello"
    assert widget.wait(LONG) and widget.grid.title == "Hello"


def test_writing_goes_on_from_its_tokens_whatever_the_text_splits_into(smollm: Any) -> None:
    """Tokens that a model wrote may be others than those that their text splits into."""
    widget = lw.live(smollm, "The capital")
    pieces = [smollm.tokenizer.convert_tokens_to_ids(piece) for piece in ("Ġo", "f")]
    widget.take(len(widget.grid.columns) - 1, pieces[0], 0)
    assert widget.wait(LONG)
    widget.take(len(widget.grid.columns) - 1, pieces[1], 0)
    assert widget.wait(LONG)
    assert widget.prompt == "The capital of" and widget.grid.columns[-2:].tolist() == pieces
    widget.generate(2)
    assert widget.wait(LONG) and widget.grid.columns[-4:-2].tolist() == pieces


def test_it_stops_and_keeps_what_is_there(smollm: Any) -> None:
    widget = lw.live(smollm, "Once upon a time")
    widget.observe(lambda _: widget.stop() if len(widget.grid.columns) > 8 else None, "grids")
    widget.generate(200, temperature=1.0, seed=1)
    assert widget.wait(LONG)
    count = len(widget.grid.columns)
    assert 8 < count < 60 and widget.progress == {"state": "idle"}
    assert widget.prompt.startswith("Once upon a time")
    widget.unobserve_all("grids")
    widget.generate(2)
    assert widget.wait(LONG) and len(widget.grid.columns) > count


def test_a_long_prompt_shows_its_end_first(smollm: Any) -> None:
    text = "one two three four five six seven eight nine ten " * 14
    widget = lw.live(smollm, text)
    begins = int(widget.grid.positions[0])
    assert widget.wait(LONG) and begins > 0
    assert_alike(widget.grid, lw.logit_lens(lw.run(smollm, text)))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"do": "write", "count": 0}, "1 or more; got 0"),
        ({"do": "write", "count": "many"}, "1 or more; got 'many'"),
        ({"do": "write", "temperature": "hot"}, "temperature is a number; got 'hot'"),
        ({"do": "write", "temperature": -1}, "Expected temperature >= 0"),
        ({"do": "write", "top_p": 2}, "0 < top_p <= 1"),
        ({"do": "write", "seed": -1}, "A seed is a whole number, 0 or more; got -1"),
        ({"do": "write", "fast": True}, "'fast' says nothing about writing"),
        ({"do": "write", "instead": [1]}, "a position and the id of the token"),
        ({"do": "write", "instead": [99, 5]}, "This prompt has no position 99; it has 0 to 0"),
        ({"do": "write", "instead": [0, 10**7]}, "outside the vocabulary"),
        ({"do": "type", "prompt": "half \ud800"}, "half of a character"),
        ({"do": "type", "prompt": "word " * 20_000}, "tokens and"),
    ],
)
def test_a_request_that_makes_no_sense_is_told_and_the_picture_stays(content: dict, says: str, smollm: Any) -> None:
    widget = lw.live(smollm, "Hello")
    before = widget.grid
    rest(widget, content)
    assert widget.progress["state"] == "failed" and says in widget.progress["message"]
    assert widget.grid is before and widget.prompt == "Hello"
    rest(widget, {"do": "write", "count": 1})
    assert widget.progress == {"state": "idle"} and len(widget.grid.columns) == 2


def test_what_is_no_request_is_let_go(smollm: Any) -> None:
    widget = lw.live(smollm, "Hello")
    for content in (None, [], "write", {"do": "nothing"}, {"do": "type"}, {"do": "type", "prompt": ""}, {}):
        assert not rest(widget, content)  # type: ignore[arg-type]
    assert widget.progress == {"state": "idle"} and widget.grid.title == "Hello"
    with pytest.raises(ValueError, match=r"no model that writes; make one that has with lw\.live"):
        lw.LensWidget(make_grid()).generate(3)
    with pytest.raises(TypeError, match="prompts is a list of texts"):
        lw.live(smollm, "Hello", prompts="One")


def test_two_widgets_on_one_model_type_by_turns(smollm: Any) -> None:
    one, other = lw.live(smollm, "The capital of"), lw.live(smollm, "Two plus two")
    one.generate(6)
    other.generate(6)
    assert one.wait(LONG) and other.wait(LONG)
    for widget, text in ((one, "The capital of"), (other, "Two plus two")):
        *_, own = lw.generate(smollm, text, max_new_tokens=6)
        assert_alike(widget.grid, own)


# --- a chat -------------------------------------------------------------------------------------------------------


def test_a_chat_puts_questions_together_by_the_template_and_keeps_what_was_said(smollm: Any) -> None:
    """Hugging Face's own template, and its own greedy answer, are the oracles."""
    question = {"role": "user", "content": "What is the capital of France?"}
    system = {"role": "system", "content": "Answer in one sentence."}
    widget = lw.live(smollm, question["content"], chat=True, system=system["content"])

    def template(*messages: dict[str, str]) -> list[int]:
        return list(
            smollm.tokenizer.apply_chat_template(list(messages), add_generation_prompt=True, return_dict=True)[
                "input_ids"
            ]
        )

    assert widget.grid.columns.tolist() == template(system, question) and widget.turns == []
    widget.generate(40)
    assert widget.wait(LONG)
    ids = torch.tensor([template(system, question)])
    with torch.no_grad():
        whole = smollm.original_model.generate(ids, max_new_tokens=40, do_sample=False, use_cache=False)[0].tolist()
    written = [i for i in whole if i != smollm.tokenizer.eos_token_id or i in ids[0]]
    answer = smollm.tokenizer.decode(written[ids.shape[1] :], skip_special_tokens=True)
    assert widget.turns == [question, {"role": "assistant", "content": answer}] and widget.prompt == ""
    then = {"role": "user", "content": "And of Spain?"}
    rest(widget, {"do": "type", "prompt": then["content"]})
    assert widget.grid.columns.tolist() == template(system, question, {"role": "assistant", "content": answer}, then)
    assert len(widget.turns) == 2 and widget.prompt == then["content"]
    # special tokens of the template are told from text
    assert {widget.grid.text(i) for i in widget.grid.special} >= {"<|im_start|>", "<|im_end|>"}
    rest(widget, {"do": "write", "instead": [3, 5]})
    assert widget.progress["state"] == "failed" and "only the answer is written" in widget.progress["message"]
    assert len(widget.turns) == 2
    rest(widget, {"do": "new chat"})
    rest(widget, {"do": "type", "prompt": "Hello"})
    assert widget.turns == []
    assert widget.grid.columns.tolist() == template(system, {"role": "user", "content": "Hello"})


def test_a_chat_without_a_question_says_that_there_is_none(smollm: Any) -> None:
    widget = lw.live(smollm, "", chat=True)
    before = widget.grid.columns.tolist()
    rest(widget, {"do": "write"})
    assert widget.progress["state"] == "failed"
    assert widget.progress["message"].endswith("There is no question to answer; type one.")
    assert widget.turns == [] and widget.grid.columns.tolist() == before


def test_an_answer_that_was_stopped_goes_on(smollm: Any) -> None:
    widget = lw.live(smollm, "Count to twenty, please.", chat=True)
    widget.generate(4)
    assert widget.wait(LONG)
    begun = widget.turns[1]["content"]
    widget.generate(4)
    assert widget.wait(LONG)
    assert (
        len(widget.turns) == 2 and widget.turns[1]["content"].startswith(begun) and widget.turns[1]["content"] != begun
    )


def test_it_is_said_where_the_model_writes_no_more(smollm: Any, tmp_path: Any) -> None:
    widget = lw.live(smollm, "Say only: yes", chat=True)
    widget.generate(40)
    assert widget.wait(LONG) and "the text has ended" in widget.grid.notes
    count = len(widget.grid.columns)
    widget.generate(5)
    assert widget.wait(LONG)
    assert len(widget.grid.columns) == count and "the text has ended" in widget.grid.notes
    architectures.save("GPT2LMHeadModel", tmp_path)
    small = lw.live(architectures.boot(tmp_path), "a" * 60)
    room = 64 - len(small.grid.columns)
    small.generate(room + 3, temperature=3.0, seed=2)
    assert small.wait(LONG) and len(small.grid.columns) <= 64
    assert small.grid.notes[-1] in ("the context of 64 tokens is full", "the text has ended")


def test_a_chat_needs_a_template(tmp_path: Any) -> None:
    architectures.save("LlamaForCausalLM", tmp_path)
    model = architectures.boot(tmp_path)
    with pytest.raises(ValueError, match="has no chat template"):
        lw.live(model, "Hello", chat=True)
    with pytest.raises(ValueError, match="A system prompt belongs to a chat; pass chat=True"):
        lw.live(model, "Hello", system="Be brief.")
