"""Prompts: a few prompts to try, each with its Grid, and a box for others where there is a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lenswidget.grids.grid import Grid
from lenswidget.lessons.figure_part import figure_of, plain_state
from lenswidget.lessons.part import STATE, Part
from lenswidget.view.widget import CHOICES
from lenswidget.view.wire import encode

MOST = 24
"""Grids that are kept: of what is typed beyond, the oldest goes."""


class Prompts(Part):
    """Prompts to choose among, each with the Grid of it, so that a page needs no model; with `read`, others can be typed.

    `grids` maps each prompt to its Grid. `read` is a function that makes the Grid of a prompt: it is called in the kernel when a
    reader types one, and what it raises is shown beside the box. `state` is how the part stands, and how the figure is shown,
    as `LensWidget.state()` has it. `answer` is the prompt that is shown, `w.grid` its Grid.

    Raises TypeError or ValueError with a sentence for what are no prompts or no Grids.

        lessons.Prompts(
            {prompt: lw.read(lw.run(model, prompt), lens) for prompt in ["The opposite of hot is", "The opposite of tall is"]},
            read=lambda prompt: lw.read(lw.run(model, prompt), lens),
            title="Try another opposite",
        )
    """

    kind = "prompts"
    counts = False
    _needs_question = False

    def __init__(
        self,
        grids: Mapping[str, Grid],
        read: Callable[[str], Grid] | None = None,
        *,
        title: str = "",
        id: str = "",
        lesson: str = "",
        state: Mapping[str, Any] | None = None,
    ) -> None:
        if not isinstance(grids, Mapping) or not grids:
            raise TypeError(f"Prompts takes a mapping from each prompt to its Grid, {{prompt: grid}}; got {grids!r}.")
        self._grids = {prompt: _grid_of(prompt, grid) for prompt, grid in grids.items()}
        self._own, self._read, self._failed = set(grids), read, ""
        state = state or {}
        unknown = next((name for name in state if name not in (*STATE, *CHOICES)), None)
        if unknown is not None:
            raise ValueError(
                f"state has {unknown!r}, which Prompts have not; they have {', '.join((*STATE, *CHOICES))}."
            )
        shown = {name: value for name, value in state.items() if name in CHOICES}
        super().__init__(
            title,
            id=id,
            lesson=lesson,
            prompts=list(self._grids),
            types=read is not None,
            problem="",
            shown=plain_state(shown, next(iter(self._grids.values()))),
        )
        self._send_grids()
        self.observe(self._try, "tried")
        self._restore({name: value for name, value in state.items() if name in STATE})

    @property
    def grid(self) -> Grid:
        """The Grid of the prompt that is shown."""
        return self._grids.get(self.answer, next(iter(self._grids.values())))

    def _try(self, _: Any) -> None:
        """Read what was typed, if it is new."""
        prompt, failed = self.answer, ""
        if prompt is None or prompt in self._grids:
            return
        try:
            assert self._read is not None
            self._grids[prompt] = _grid_of(prompt, self._read(prompt))
        except Exception as reason:  # whatever it is, the reader typed it in the page and is told there
            failed = str(reason) or type(reason).__name__
        typed = [one for one in self._grids if one not in self._own]
        for one in typed[: max(0, len(self._grids) - MOST)]:
            del self._grids[one]
        with self.hold_sync():
            self.set_trait("part", {**self.part, "prompts": list(self._grids), "problem": failed})
            self._send_grids()

    def _send_grids(self) -> None:
        self.set_trait("grids", encode(list(self._grids.values()), None))

    def _problem(self, answer: Any) -> str | None:
        if not isinstance(answer, str) or not answer.strip():
            return f"A prompt is a text; got {answer!r}."
        if answer not in self._grids and self._read is None:
            known = ", ".join(map(repr, self._grids))
            return f"{answer!r} is none of these prompts, and without read= no other can be tried: {known}."
        return None

    def _tried_with(self, answer: Any) -> list[Any]:
        return [answer]

    def _judge(self, answer: Any) -> None:
        return None

    def _stands(self) -> str:
        return f"{self.answer or next(iter(self._grids))!r} of {len(self._grids)} prompts"

    def _plain(self) -> str:
        return "\n".join([self.part["question"], *(f"- {prompt}" for prompt in self._grids)]).strip()


def _grid_of(prompt: Any, grid: Any) -> Grid:
    if not isinstance(prompt, str) or not prompt.strip():
        raise TypeError(f"A prompt is a text; got {prompt!r}.")
    if not isinstance(grid, Grid):
        raise TypeError(
            f"The prompt {prompt!r} has no Grid but a {type(grid).__name__}; lw.read(lw.run(model, prompt), lens) makes one."
        )
    figure_of(grid, "Prompts")
    return grid
