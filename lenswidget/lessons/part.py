"""Part: what every part of a lesson is, whatever it asks. A widget that keeps what was answered, as plain data."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import traitlets

from lenswidget.grids.marks import well_formed
from lenswidget.lessons.seal import digest, seal
from lenswidget.lessons.terms import terms_in
from lenswidget.view.scripted import Scripted
from lenswidget.view.showing import asker, keep

STATE = ("tried", "hints", "given_up")
"""The traits that make up a state."""
Hint = str | Mapping[str, Any]
"""A sentence; or a mapping with it as `"say"`, and with `"show"` (a state of the figure) or `"code"` (which solves it)."""

_lesson = ""
_is_unshown = False


def begin(lesson: str) -> None:
    """Let the parts that are made from now on belong to a lesson, by its name: `"meaning-before-form"`."""
    global _lesson
    _lesson = lesson


@contextmanager
def unshown() -> Iterator[None]:
    """Make parts that are only asked within another: a notebook would store each as a widget, beside the quiz that holds it."""
    global _is_unshown
    _is_unshown = True
    try:
        yield
    finally:
        _is_unshown = False


class Part(Scripted):
    """A part of a lesson. `answer`, `correct` and `attempts` say how it stands; `state()` is that as plain data.

    What is answered in the browser is known in Python, and the other way round. `w.answer = …` answers, and `None` starts again.
    """

    kind: ClassVar[str]
    counts: ClassVar[bool] = True
    """Whether it is a question, which a quiz can ask."""
    part = traitlets.Dict(read_only=True, help="What is asked, as plain data, answers sealed.").tag(sync=True)
    grids = traitlets.Bytes(read_only=True, help="Its figure, as `lenswidget.view.wire` writes it; or nothing.").tag(
        sync=True
    )
    tried: traitlets.List[Any] = traitlets.List(help="The answers that were given, in order.").tag(sync=True)
    hints = traitlets.Int(0, min=0, help="How many hints were opened.").tag(sync=True)
    given_up = traitlets.Bool(help="Whether the answer was shown: that counts as shown, not as solved.").tag(sync=True)
    answer = traitlets.Any(None, allow_none=True, help="The last answer; None before there is one.").tag(sync=True)
    correct = traitlets.Bool(None, allow_none=True, read_only=True, help="Whether it is right; None before.").tag(
        sync=True
    )
    attempts = traitlets.Int(read_only=True, help="How many answers were given.").tag(sync=True)

    def __init__(
        self,
        question: str,
        *,
        hints: Sequence[Hint] = (),
        id: str = "",
        lesson: str = "",
        said: Sequence[str] = (),
        state: Mapping[str, Any] | None = None,
        **asked: Any,
    ) -> None:
        """`asked` is the rest of the plain data, and `said` its texts in which terms may stand.

        `id` is what the answer is kept by, within its `lesson`: without one, it follows from the question.
        """
        text = _text(question, f"The question of a {type(self).__name__}", may_be_empty=not self._needs_question)
        opened = self._hints = [_hint(one, number) for number, one in enumerate(hints, 1)]
        super().__init__()
        what = {
            "kind": self.kind,
            "id": _text(id, "An id", may_be_empty=True) or digest("id", text + json.dumps(asked, sort_keys=True))[:8],
            "lesson": _text(lesson, "A lesson's name", may_be_empty=True) or _lesson,
            "question": text,
            "hints": sealed(opened, text),
            "terms": terms_in([text, *said, *(one["say"] for one in opened)]),
            **asked,
        }
        self.set_trait("part", what)
        self._restore(state or {})

    _needs_question: ClassVar[bool] = True

    def _restore(self, state: Mapping[str, Any]) -> None:
        for name, value in state.items():
            if name not in STATE:
                raise ValueError(f"state has {name!r}, which no part has; it has {', '.join(STATE)}.")
            setattr(self, name, value)

    def open(self) -> None:
        """Tell the browser of it, as ipywidgets does when a widget is made."""
        if not _is_unshown:
            super().open()

    def state(self) -> dict[str, Any]:
        """What was answered, as plain data: `{"tried": […], "hints": 1, "given_up": False}`."""
        return {name: copy.deepcopy(getattr(self, name)) for name in STATE}

    def _problem(self, answer: Any) -> str | None:
        """Why something is no answer to this, in a sentence; None where it is one."""
        raise NotImplementedError

    def _normal(self, answer: Any) -> Any:
        """An answer as it is kept: in one form, where several are understood. Asked only where there is no problem with it."""
        return answer

    def _judge(self, answer: Any) -> bool | None:
        """Whether an answer is right; None where there is no right and wrong."""
        raise NotImplementedError

    def _plain(self) -> str:
        """What is asked, for readers who see text alone."""
        return str(self.part["question"])

    @traitlets.validate("tried")
    def _valid_tried(self, proposal: Any) -> Any:
        for one in proposal.value:
            problem = self._problem(one)
            if problem:
                raise traitlets.TraitError(problem)
        return [self._normal(one) for one in proposal.value]

    @traitlets.validate("hints")
    def _valid_hints(self, proposal: Any) -> Any:
        if proposal.value > len(self._hints):
            raise traitlets.TraitError(f"There are {len(self._hints)} hints to open; got {proposal.value}.")
        return proposal.value

    @traitlets.validate("answer")
    def _valid_answer(self, proposal: Any) -> Any:
        problem = None if proposal.value is None else self._problem(proposal.value)
        if problem:
            raise traitlets.TraitError(problem)
        return None if proposal.value is None else self._normal(proposal.value)

    @traitlets.observe("tried")
    def _tell(self, _: Any) -> None:
        with self.hold_sync():
            self.answer = copy.deepcopy(self.tried[-1]) if self.tried else None
            self.set_trait("correct", self._judge(self.answer) if self.tried else None)
            self.set_trait("attempts", len(self.tried))

    @traitlets.observe("answer")
    def _answered(self, change: Any) -> None:
        if change.new is None:
            self.tried = []
        elif not self.tried or self.tried[-1] != change.new:
            self.tried = self._tried_with(copy.deepcopy(change.new))

    def _tried_with(self, answer: Any) -> list[Any]:
        """The answers given, with one more."""
        return [*self.tried, answer]

    @property
    def solved(self) -> bool:
        """Whether the answer is right, and wasn't shown."""
        return bool(self.correct) and not self.given_up

    def _stands(self) -> str:
        """How it stands, in words."""
        tries = "1 try" if self.attempts == 1 else f"{self.attempts} tries"
        if self.given_up:
            return "the answer was shown"
        if not self.attempts:
            return "not answered yet"
        if self.correct is None:
            return "answered"
        return f"{'right' if self.correct else 'not right yet'} after {tries}"

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self.part['question']!r}: {self._stands()}"

    def _ipython_display_(self) -> None:
        """ipywidgets 7 would show itself here, with no more words than the repr's."""
        raise NotImplementedError  # IPython asks for the mimebundle instead

    def _repr_mimebundle_(self, **arguments: Any) -> Any:
        keep(self, asker())
        bundle = super()._repr_mimebundle_(**arguments)
        if bundle is None:
            return None
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        data["text/plain"] = self._plain()
        return data, metadata


def _text(value: Any, what: str, *, may_be_empty: bool = False) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{what} is a text; got {type(value).__name__}.")
    if not value.strip() and not may_be_empty:
        raise ValueError(f"{what} is empty; write what you ask.")
    return well_formed(value)


def sealed(hints: Sequence[Hint], question: str) -> list[str]:
    """Hints as they cross."""
    return [seal(json.dumps(_hint(one, number)), question) for number, one in enumerate(hints, 1)]


def _hint(hint: Hint, number: int) -> dict[str, Any]:
    """A hint as a mapping."""
    whole = {"say": hint} if isinstance(hint, str) else dict(hint) if isinstance(hint, Mapping) else None
    if whole is None or not whole.keys() <= {"say", "show", "code"} or not isinstance(whole.get("say"), str):
        raise TypeError(
            f"Hint {number} is a sentence, or a mapping with 'say' and perhaps 'show' (a state) or 'code'; got {hint!r}."
        )
    return {**whole, "say": _text(whole["say"], f"Hint {number}")}
