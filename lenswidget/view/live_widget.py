"""LiveWidget: the half of a widget that has a model behind it. Prompts that are typed, what the model writes, what was tried."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import traitlets

from lenswidget.grids.comparison import Comparison
from lenswidget.grids.grid import Grid
from lenswidget.grids.marks import spaced
from lenswidget.grids.new_columns import NewColumns
from lenswidget.view.latest import Latest, Report
from lenswidget.view.scripted import Scripted

Shown = Grid | Comparison | Sequence[Grid]
Coming = Iterator[Shown | NewColumns]
"""What is shown one after another, as it comes."""
Compute = Callable[[str, Report], Shown | Coming]
"""What a live widget does with a prompt."""
TRIED = 24
"""Prompts that are kept."""
REST = 1.0
"""Seconds after which what came in pieces is told whole, for those who keep the widget's state."""


@dataclass(frozen=True)
class Write:
    """A request: go on with the prompt for `count` tokens at most. With `instead`, a position and the id of the token that is to
    follow it, what comes after that position is let go first."""

    count: int
    temperature: float | int = 0.0
    top_p: float | int = 1.0
    seed: int = 0
    instead: tuple[int, int] | None = None


class Conversation(Protocol):
    """What was said in a chat, turn by turn."""

    turns: list[dict[str, Any]]

    def end(self) -> None:
        """Forget it."""


@runtime_checkable
class Author(Protocol):
    """A Compute that also lets the model write."""

    text: str
    """The prompt, with what was written."""
    chat: Conversation | None
    """What was said before it, in a chat."""

    def __call__(self, prompt: str, report: Report, /) -> Shown | Coming: ...

    def write(self, request: Write, report: Report, /) -> Coming:
        """Grids as the model writes."""

    def together(self, prompts: Sequence[str], report: Report, /) -> Shown:
        """Several prompts, one beside another."""


class LiveWidget(Scripted):
    """What a widget with a model behind it does; `LensWidget` is one that also shows something."""

    failure: BaseException | None = None
    """What the last prompt ended in, with its traceback, if it failed."""
    _latest: Latest | None = None  # one that could not be made is closed as well
    _rest: threading.Timer | None = None

    live = traitlets.Bool(
        False, read_only=True, help="Whether there is a model behind the prompt, as `lw.live` makes it."
    ).tag(sync=True)
    writes = traitlets.Bool(False, read_only=True, help="Whether that model can go on with the prompt.").tag(sync=True)
    prompt = traitlets.Unicode(
        help="What a live widget runs when it is set; with what the model wrote, where it did."
    ).tag(sync=True)
    prompts = traitlets.List(traitlets.Unicode(), help="Prompts to choose from.").tag(sync=True)
    tried = traitlets.List(
        traitlets.Unicode(),
        read_only=True,
        help="Prompts that were run with Enter or from Python, and what was written from them, the newest last.",
    ).tag(sync=True)
    turns = traitlets.List(
        traitlets.Dict(),
        read_only=True,
        help='What was said in a chat: a list of `{"role": "user", "content": "Hello"}`.',
    ).tag(sync=True)
    progress = traitlets.Dict(
        default_value={"state": "idle"},
        read_only=True,
        help='What a live widget is doing: `state` "idle", "running" or "failed", `done` 0 to 1, `message` a sentence.',
    ).tag(sync=True)

    def __init__(self, compute: Compute | None, prompt: str, **settings: Any) -> None:
        self._compute = compute
        self._told: str | None = None
        self._text = prompt
        self._is_writing = False
        if compute is not None:
            self._latest = Latest(
                self._answer_request, done=self._came, failed=self._failed, progress=self._running, halted=self._halted
            )
        super().__init__(prompt=prompt, **settings)
        with self.hold_sync():
            self.set_trait("live", compute is not None)
            self.set_trait("writes", isinstance(compute, Author))
            if compute is not None and prompt:
                self.set_trait("tried", [prompt])
        self.observe(self._ask, "prompt")
        self.on_msg(self._on_message)

    def generate(
        self, max_new_tokens: int = 20, *, temperature: float | int = 0.0, top_p: float | int = 1.0, seed: int = 0
    ) -> None:
        """Let the model go on with the prompt, each token shown as it comes; `wait()` waits for the last.

        `max_new_tokens` are written at most, fewer where the text ends or the context is full, and `stop()` ends it. At
        `temperature` 0 each token is the likeliest one; else it is drawn, as `lw.generate` draws it.

        Raises ValueError for a widget without a model, and for numbers that make no sense.

            w = lw.live(model, "The capital of France is")
            w.generate(20)
        """
        self._request_write({"count": max_new_tokens, "temperature": temperature, "top_p": top_p, "seed": seed})

    def take(self, position: int, token: int, max_new_tokens: int = 20, **sampling: Any) -> None:
        """Let another token follow a position, in place of what did, and the model go on from there.

        `token` is its id. What was written before stays among `tried`. Raises as `generate` does; a position that isn't there is
        told in `progress`.
        """
        self._request_write({"count": max_new_tokens, "instead": [position, token], **sampling})

    def stop(self) -> None:
        """End what is running; what it has brought stays."""
        if self._latest:
            self._latest.halt()

    def new_chat(self) -> None:
        """Forget what was said in a chat; the next question is its first."""
        self._require_author()
        assert isinstance(self._compute, Author)
        self.stop()
        if self._compute.chat is not None:
            self._compute.chat.end()
        self.set_trait("turns", [])

    def show_tried(self) -> None:
        """Show every prompt that was tried, one beside another; setting `prompt` goes back to one."""
        self._require_author()
        self._ask_for(tuple(self.tried))

    def again(self) -> None:
        """Run the prompt that is there once more, as where something changed that it is run with."""
        self._ask_for(self.prompt)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the prompt in flight, if there is one; False if that takes longer than `timeout` seconds."""
        has_ended = self._latest is None or self._latest.wait(timeout)
        if has_ended:
            self._tell_whole()
        return has_ended

    def close(self) -> None:
        """Close the widget everywhere, and let go of a prompt in flight."""
        if self._latest:
            self._latest.stop()
        if self._rest:
            self._rest.cancel()
        super().close()

    # what a widget that shows something does with what comes

    def _bring(self, shown: Shown | NewColumns) -> None:
        raise NotImplementedError

    def _tell_whole(self, *, always: bool = False) -> None:
        """Tell those who keep the widget's state what was sent in pieces, if they haven't been told, or always."""

    @traitlets.validate("prompt")
    def _valid_prompt(self, proposal: Any) -> str:
        if proposal.value and not self._latest:
            raise traitlets.TraitError(
                f"This widget has no model to run {proposal.value!r}; lw.live(model, prompt) makes one that has."
            )
        return str(proposal.value)

    def _ask(self, change: Any) -> None:
        # the browser empties the prompt before it asks for the same one again
        prompt, told, self._told = change.new, self._told, None
        if prompt == told:
            return  # it is what the model wrote, or what was typed and is shown
        self._remember(prompt)
        self._ask_for(prompt)

    def _ask_for(self, request: Any) -> None:
        if self._latest and request:
            self.failure = None
            self._latest.ask(request)

    def _on_message(self, _: Any, content: Any, __: Any) -> None:
        """A request from the browser. What isn't made as one is let go."""
        if not isinstance(content, Mapping) or self._latest is None:
            return
        match content.get("do"):
            case "type" if isinstance(content.get("prompt"), str):
                self._ask_for(content["prompt"])
            case "write":
                with self._told_where_it_stands("writing on"):
                    self._request_write({name: value for name, value in content.items() if name != "do"})
            case "stop":
                self.stop()
            case "send whole":
                self._tell_whole(always=True)
            case "new chat" if isinstance(self._compute, Author):
                self.new_chat()
            case "show tried":
                with self._told_where_it_stands("comparing what was tried"):
                    self.show_tried()

    @contextlib.contextmanager
    def _told_where_it_stands(self, doing: str) -> Iterator[None]:
        try:
            yield
        except Exception as reason:  # the reader asked in the widget, and is told there
            self._failed(reason, doing)

    def _request_write(self, given: Mapping[str, Any]) -> None:
        self._require_author()
        self._ask_for(write_request(given))

    def _require_author(self) -> None:
        if not isinstance(self._compute, Author):
            raise ValueError("This widget has no model that writes; make one that has with lw.live(model, prompt).")

    def _answer_request(self, request: Any, report: Report) -> Shown | Coming:
        assert self._compute is not None
        self._is_writing = isinstance(request, Write)
        if isinstance(request, str):
            self._text = request
            return self._compute(request, report)
        assert isinstance(self._compute, Author)
        return (
            self._compute.write(request, report)
            if isinstance(request, Write)
            else self._compute.together(request, report)
        )

    def _remember(self, prompt: str) -> None:
        if prompt:
            others = [one for one in self.tried if one != prompt]
            self.set_trait("tried", [*others, prompt][-TRIED:])

    def _came(self, shown: Shown | NewColumns | None, is_last: bool) -> None:
        with self.hold_sync():  # the picture and the end of waiting for it arrive together
            if shown is not None:
                self._bring(shown)
            if self._text:
                self._told = self._text
                if isinstance(self._compute, Author):
                    self._told = self._compute.text
                    self.set_trait("turns", self._compute.chat.turns if self._compute.chat else [])
                self.prompt = self._told
            if is_last:
                if self._is_writing:
                    self._remember(self.prompt)  # another token taken in it makes a branch beside it
                self.set_trait("progress", {"state": "idle"})
        if self._rest:
            self._rest.cancel()
        if is_last:
            self._rest = threading.Timer(REST, self._tell_whole)
            self._rest.daemon = True
            self._rest.start()

    def _halted(self) -> None:
        self._came(None, True)

    def _running(self, share: float, what: str) -> None:
        self.set_trait("progress", {"state": "running", "done": share, "message": f"{what[:1].upper()}{what[1:]} …"})

    def _failed(self, reason: BaseException, doing: str) -> None:
        self.failure = reason
        self.set_trait("progress", {"state": "failed", "message": what_went_wrong(reason, doing)})


def write_request(given: Mapping[str, Any]) -> Write:
    """A request to write, from whoever asks. Raises ValueError, with what was expected, for what makes none."""
    known = {"count", "temperature", "top_p", "seed", "instead"}
    unknown = [name for name in given if name not in known]
    if unknown:
        raise ValueError(f"{unknown[0]!r} says nothing about writing; give temperature, top_p or seed.")
    count, seed, instead = given.get("count", 20), given.get("seed", 0), given.get("instead")
    temperature, top_p = given.get("temperature", 0.0), given.get("top_p", 1.0)
    if isinstance(count, bool) or not isinstance(count, int) or count < (0 if instead is not None else 1):
        raise ValueError(f"The number of tokens to write is a whole number, 1 or more; got {count!r}.")
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise ValueError(f"A seed is a whole number, 0 or more; got {seed!r}.")
    for name, number in (("temperature", temperature), ("top_p", top_p)):
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            raise ValueError(f"{name} is a number; got {number!r}.")
    if not (0 <= temperature < float("inf") and 0 < top_p <= 1):
        raise ValueError(f"Expected temperature >= 0 and 0 < top_p <= 1; got {temperature=}, {top_p=}.")
    if instead is not None and not (
        isinstance(instead, (list, tuple))
        and len(instead) == 2
        and all(isinstance(one, int) and not isinstance(one, bool) and one >= 0 for one in instead)
    ):
        raise ValueError(
            f"What is taken instead is a position and the id of the token that is to follow it; got {instead!r}."
        )
    return Write(count, float(temperature), float(top_p), seed, None if instead is None else (instead[0], instead[1]))


def what_went_wrong(reason: BaseException, doing: str) -> str:
    """A sentence for a reader who sees no traceback."""
    while_doing = f" while {doing}" if doing else ""
    said = spaced(" ".join(str(reason).split()))
    if isinstance(reason, KeyboardInterrupt):
        return f"Interrupted{while_doing}."
    # told by its name, as the view knows no torch; on a processor torch has no class for it
    if isinstance(reason, MemoryError) or type(reason).__name__ == "OutOfMemoryError" or "allocate memory" in said:
        return f"Out of memory{while_doing}: {said or 'no more could be had'}. A shorter prompt needs less."
    kind = "" if isinstance(reason, (ValueError, TypeError)) and said else f"{type(reason).__name__}: "
    return f"Failed{while_doing}. {kind}{said}".rstrip(": ")
