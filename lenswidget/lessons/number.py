"""Number: a question that a number answers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

from lenswidget.grids.marks import well_formed
from lenswidget.lessons.part import Hint, Part
from lenswidget.lessons.seal import seal


class Number(Part):
    """A question that is answered by a number, right where it is at most `within` off.

    `unit` stands behind the box, and `say` is said with the right answer. `answer` is the number.

    Raises TypeError and ValueError, with what is wrong in a sentence, for numbers that are none.

        lessons.Number("How many blocks has this model?", 30, say="L0 to L29.")
        lessons.Number("How sure is the tuned lens of ` gold` at L24?", 90, within=2, unit="%")
    """

    kind = "number"

    def __init__(
        self,
        question: str,
        right: float | int,
        *,
        within: float | int = 0,
        unit: str = "",
        say: str = "",
        hints: Sequence[Hint] = (),
        id: str = "",
        lesson: str = "",
        state: Mapping[str, Any] | None = None,
    ) -> None:
        for name, value in (("right", right), ("within", within)):
            if not _is_number(value) or (name == "within" and value < 0):
                most = " of 0 or more" if name == "within" else ""
                raise ValueError(f"`{name}` is a number{most}; got {value!r}.")
        if not isinstance(unit, str) or not isinstance(say, str):
            raise TypeError(f"`unit` and `say` are texts; got {unit!r} and {say!r}.")
        self._right, self._within = float(right), float(within)
        key = {"right": _plain(self._right), "within": self._within, "say": say}
        super().__init__(
            question,
            hints=hints,
            id=id,
            lesson=lesson,
            state=state,
            said=[say],
            unit=well_formed(unit),
            sealed=seal(json.dumps(key), well_formed(question) if isinstance(question, str) else ""),
        )

    def _problem(self, answer: Any) -> str | None:
        return None if _is_number(answer) else f"This question is answered by a number; got {answer!r}."

    def _normal(self, answer: Any) -> float | int:
        return _plain(float(answer))

    def _judge(self, answer: Any) -> bool:
        # as the browser reckons: what was typed in decimals is right at the very end of what is allowed
        return bool(abs(answer - self._right) <= self._within + 1e-9 * max(1.0, abs(self._right)))

    def _plain(self) -> str:
        unit = f" ({self.part['unit']})" if self.part["unit"] else ""
        return f"{self.part['question']}{unit}"


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _plain(value: float) -> float | int:
    return int(value) if value.is_integer() and abs(value) < 2**53 else value
