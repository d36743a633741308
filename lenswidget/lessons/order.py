"""Order: things to put in order."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from lenswidget.grids.marks import well_formed
from lenswidget.lessons.part import Hint, Part
from lenswidget.lessons.seal import digest, seal


class Order(Part):
    """Things that are to be put in order, with the mouse, by touch or by keys.

    `items` are texts in the right order; a reader finds them mixed, each time in the same way. `say` is said with the right
    answer. `answer` is the list of texts as the reader put them.

    Raises TypeError and ValueError, with what is wrong in a sentence, for items that can't be put in order.

        lessons.Order("What does a block do with its row?", ["norm", "attention", "norm", "MLP"])  # refused: one is there twice
        lessons.Order("From what goes in to what comes out:", ["embedding", "blocks", "final norm", "unembedding"])
    """

    kind = "order"

    def __init__(
        self,
        question: str,
        items: Sequence[str],
        *,
        say: str = "",
        hints: Sequence[Hint] = (),
        id: str = "",
        lesson: str = "",
        state: Mapping[str, Any] | None = None,
    ) -> None:
        if isinstance(items, str) or not all(isinstance(one, str) and one.strip() for one in items):
            raise TypeError(f"`items` is a list of texts, in the right order; got {items!r}.")
        if not isinstance(say, str):
            raise TypeError(f"`say` is a text; got {say!r}.")
        texts = [well_formed(one) for one in items]
        twice = next((one for one in texts if texts.count(one) > 1), None)
        if len(texts) < 2 or twice is not None:
            wrong = "needs two items or more" if twice is None else f"can't tell {twice!r} from {twice!r}"
            raise ValueError(f"An order {wrong}; got {texts!r}.")
        salt = well_formed(question) if isinstance(question, str) else ""
        self._right = texts
        super().__init__(
            question,
            hints=hints,
            id=id,
            lesson=lesson,
            state=state,
            said=[*texts, say],
            items=_mixed(texts, salt),
            sealed=seal(json.dumps({"right": texts, "say": say}), salt),
        )

    def _problem(self, answer: Any) -> str | None:
        if isinstance(answer, list) and sorted(map(str, answer)) == sorted(self._right):
            return None
        return f"This question is answered by a list of all its items, {self.part['items']!r}, in an order; got {answer!r}."

    def _judge(self, answer: Any) -> bool:
        return bool(answer == self._right)

    def _plain(self) -> str:
        return "\n".join([self.part["question"], *(f"- {text}" for text in self.part["items"])])


def _mixed(texts: list[str], salt: str) -> list[str]:
    """In an order that doesn't depend on the right one, and isn't it."""
    mixed = sorted(texts, key=lambda text: digest(salt, text))
    return mixed if mixed != texts else [*mixed[1:], mixed[0]]
