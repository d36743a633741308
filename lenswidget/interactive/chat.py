"""Chat: what was said before the question that is being typed, as the tokenizer's own template puts it together."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from lenswidget.model.tokens import TokenTexts


class Chat:
    """The turns of a conversation, `{"role": "user", "content": "Hello"}`, and the answer that is being written."""

    def __init__(self, system: str | None = None) -> None:
        self.turns: list[dict[str, Any]] = []
        self._system = [] if system is None else [{"role": "system", "content": system}]
        self._begins = 0
        """The position at which the answer begins."""

    def with_question(self, question: str, *, alone: bool = False) -> list[dict[str, Any]]:
        """All messages, of which the last is the question that is typed; `alone`, without what was said before."""
        return [*self._system, *([] if alone else self.turns), {"role": "user", "content": question}]

    def begin(self, question: str, position: int, first: int) -> None:
        """The question is asked, and its answer begins at a position; without a question, the last answer goes on.

        `first` is the first position that is written. Raises ValueError where there is no question, or that is no answer's.
        """
        if not question and not self.turns:
            raise ValueError("There is no question to answer; type one.")
        begins = position if question else self._begins
        if first < begins:
            raise ValueError(f"In a chat only the answer is written, from position {begins} on; got position {first}.")
        if question:
            self.turns = [*self.turns, {"role": "user", "content": question}, {"role": "assistant", "content": ""}]
            self._begins = position

    def answered(self, texts: TokenTexts, tokens: Tensor) -> None:
        """The answer is what follows its beginning."""
        ids = [i for i in tokens[self._begins :].tolist() if i not in texts.special]
        self.turns = [*self.turns[:-1], {"role": "assistant", "content": texts.decode(ids)}]

    def end(self) -> None:
        """Forget what was said; the system prompt stays."""
        self.turns = []
