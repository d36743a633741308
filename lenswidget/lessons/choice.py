"""Choice: one of several sentences, or each that is true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lenswidget.grids.marks import well_formed
from lenswidget.lessons.part import Hint, Part
from lenswidget.lessons.seal import digest, seal


class Choice(Part):
    """A question with a few options, each with the sentence that is said when it is chosen.

    `options` maps each option's text to its sentence; `right` is the option that is right, or a list of them, all of which are to
    be ticked. The texts may have `*emphasis*`, `**weight**`, `` `code` `` and `[[terms]]` of the glossary.

    `answer` is the text of the option that was chosen last, or a list of texts where several are right.

    Raises TypeError and ValueError, with what is wrong in a sentence, for options that are none.

        lessons.Choice(
            "What is in row L12 of a grid?",
            {
                "What block 12 has written": "That is one part of it: the stream adds up what every block wrote.",
                "The residual stream after block 12": "A lens reads it as if the model ended there.",
            },
            "The residual stream after block 12",
        )
    """

    kind = "choice"

    def __init__(
        self,
        question: str,
        options: Mapping[str, str],
        right: str | Sequence[str],
        *,
        hints: Sequence[Hint] = (),
        id: str = "",
        lesson: str = "",
        state: Mapping[str, Any] | None = None,
    ) -> None:
        if not isinstance(options, Mapping):
            raise TypeError(
                f"Options are a mapping from each text to the sentence that is said when it is chosen; got "
                f"{type(options).__name__}."
            )
        for text, say in options.items():
            if not isinstance(text, str) or not isinstance(say, str) or not text.strip():
                raise TypeError(f"An option is a text and its sentence a text; got {text!r}: {say!r}.")
        texts = [well_formed(text) for text in options]
        if len(set(texts)) < 2:
            raise ValueError(f"A choice needs two options or more; got {len(set(texts))}.")
        several = not isinstance(right, str)
        self._right = [well_formed(one) for one in ([right] if isinstance(right, str) else right)]
        lacking = next((one for one in self._right if one not in texts), None)
        if lacking is not None or not self._right or len(set(self._right)) < len(self._right):
            wrong = f"{lacking!r} is none of the options" if lacking is not None else "none is right, or one twice"
            raise ValueError(
                f"`right` names options by their texts, but {wrong}; they are {', '.join(map(repr, texts))}."
            )
        self._texts, self._several = texts, several
        salt = well_formed(question) if isinstance(question, str) else ""
        super().__init__(
            question,
            hints=hints,
            id=id,
            lesson=lesson,
            state=state,
            said=[*texts, *options.values()],
            several=several,
            options=[{"text": text, "say": seal(say, f"{salt}\n{text}")} for text, say in zip(texts, options.values())],
            right=sorted(digest(salt, one) for one in self._right),
        )

    def _problem(self, answer: Any) -> str | None:
        if self._several:
            if not isinstance(answer, list) or not all(isinstance(one, str) for one in answer):
                return f"This choice is answered by a list of options' texts; got {answer!r}."
            unknown = next((one for one in answer if one not in self._texts), None)
        else:
            if not isinstance(answer, str):
                return f"This choice is answered by the text of an option; got {answer!r}."
            unknown = None if answer in self._texts else answer
        if unknown is not None:
            return f"{unknown!r} is no option of this choice; they are {', '.join(map(repr, self._texts))}."
        return None

    def _judge(self, answer: Any) -> bool:
        return sorted(answer if self._several else [answer]) == sorted(self._right)

    def _plain(self) -> str:
        return "\n".join([self.part["question"], *(f"- {text}" for text in self._texts)])
