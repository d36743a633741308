"""Header: what stands at the top of a lesson."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lenswidget.grids.marks import well_formed
from lenswidget.lessons.part import Part

TEXTS = {"lesson": "", "title": "", "lead": "", "see": ""}
COUNTS = {"number": None, "minutes": 0, "guesses": 0, "exercises": 0, "questions": 0}
LISTS = {"know": ("text", "lesson"), "moves": ("name", "text"), "terms": ("term", "says")}


class Header(Part):
    """The top of a lesson, as plain data: `lessons.lesson(name)` makes it of a lesson's file.

    `lesson`, `title`, `lead` and `see` are texts; `number`, `minutes`, `guesses`, `exercises`, `questions` are counts; `know` is
    a list of `{"text": …, "lesson": …}`, `moves` of `{"name": …, "text": …}`, `terms` of `{"term": …, "says": …}`.

    Raises ValueError for anything else in it.

        lessons.Header({"title": "Copying", "number": 4, "minutes": 20, "lead": "Four heads read the same token."})
    """

    kind = "lesson"
    counts = False
    _needs_question = False

    def __init__(self, said: Mapping[str, Any]) -> None:
        unknown = [name for name in said if name not in {*TEXTS, *COUNTS, *LISTS}]
        if unknown:
            raise ValueError(
                f"A header has no {unknown[0]!r}; it has {', '.join([*TEXTS, *COUNTS, *LISTS])}: see docs/how-to."
            )
        texts: dict[str, Any] = {name: well_formed(str(said.get(name) or "")) for name in TEXTS}
        counts = {name: said.get(name, usual) for name, usual in COUNTS.items()}
        for name, count in counts.items():
            if not (isinstance(count, int) or (name == "number" and count is None)):
                raise ValueError(f"The {name} of a header is a whole number; got {count!r}.")
        lists: dict[str, Any] = {}
        for name, keys in LISTS.items():
            listed = list(said.get(name) or ())
            if not all(isinstance(one, Mapping) and isinstance(one.get(keys[0]), str) for one in listed):
                raise ValueError(
                    f"`{name}` of a header is a list of mappings with {' and '.join(map(repr, keys))}; got {listed!r}."
                )
            lists[name] = [{key: well_formed(str(one.get(key) or "")) for key in keys} for one in listed]
        super().__init__(
            "",
            id="header",
            lesson=texts.pop("lesson"),
            said=[texts["lead"], texts["see"], *(one["text"] for name in ("know", "moves") for one in lists[name])],
            words=lists.pop("terms"),
            **texts,
            **counts,
            **lists,
        )

    def _problem(self, answer: Any) -> str | None:
        return f"A header asks nothing, so it takes no answer; got {answer!r}."

    def _judge(self, answer: Any) -> bool | None:
        return None

    def _plain(self) -> str:
        return "\n".join(filter(None, [self.part["title"], self.part["lead"], self.part["see"]]))

    def __repr__(self) -> str:
        return f"Header of {self.part['title']!r}"
