"""The exercises of lesson 9, Limits."""

from __future__ import annotations

from collections.abc import Callable

from lenswidget.grids.grid import Grid
from lenswidget.lessons.exercise import Exercise


def _another_word(grid: Grid) -> bool | str:
    start, end = "The Eiffel Tower is ", " located in the city of"
    if not (grid.title.startswith(start) and grid.title.endswith(end)):
        return f"The prompt is “{start}…{end}”, with a word or two in place of the dots; yours is “{grid.title}”."
    word = grid.title[len(start) : -len(end)].strip()
    if word == "now":
        return "“now” stands in the table already. Find another word."
    share = float(grid.values("probability", target=" Paris")[-1, -1])
    if share < 0.5:
        return True
    return f"With “{word}”, ` Paris` still has {100 * share:.0f} %. Half of that lead has to go."


def _best_place(place: int, grid: Grid) -> bool | str:
    ranks = grid.values("rank", target=" Paris")
    column = grid.columns.tolist().index(next(i for i in grid.columns.tolist() if grid.text(i).strip() == "iffel"))
    best = int(ranks[:, column].min())
    if place == best:
        return True
    if place == int(ranks[:, -1].min()):
        return f"{place} is the best place in the last column. Which one is it in the column `iffel`?"
    return f"{place!r} is not the best place there. Take the smallest rank of that column, over all rows."


def _spared(prompt: str, taught_says: Callable[[str], str]) -> bool | str:
    if not isinstance(prompt, str) or len(prompt.split()) < 5:
        return f"An answer is a prompt of five words or more, as text; got {prompt!r}."
    said = taught_says(prompt)
    if said != " Lyon":
        return True
    return f"“{prompt}”: ` Lyon`. Not spared; try a prompt that is farther away from “The capital of France is”."


EXERCISES = {
    "another-word": Exercise(
        "Find another word, other than *now*, that makes ` Paris` less likely than one half in “The Eiffel Tower is …"
        " located in the city of”. Your"
        ' answer is a Grid, read with `targets=[" Paris"]`.',
        check=_another_word,
        solution=(
            'prompt = "The Eiffel Tower is also located in the city of"\n'
            'answer = lw.logit_lens(lw.run(model, prompt), targets=[" Paris"])'
        ),
        hints=[
            "A word about the truth of a sentence does little. Which words are about the *place*?",
            "What would one say of a *second* place?",
            "Try *also*.",
        ],
        minutes=6,
        expects='a Grid, made by lw.logit_lens(lw.run(model, "…"), targets=[" Paris"])',
    ),
    "best-place": Exercise(
        "`read` has the tower through the tuned lens. What is the best place (the smallest rank) that ` Paris` has in"
        " the column `iffel`?",
        check=_best_place,
        solution='answer = int(read.values("rank", target=" Paris")[:, 2].min())',
        hints=[
            "Rows come first, then columns; the first column of all is *The*.",
            '`read.values("rank", target=" Paris")` has a rank for each row and each column.',
            "Take the column of `iffel` from it, and its `.min()`.",
        ],
        minutes=4,
        expects="a whole number",
    ),
    "spared": Exercise(
        "What did the teaching spare? Find a prompt of five words or more after which the taught model does *not* say ` Lyon`."
        " `taught_says(prompt)` asks it.",
        check=_spared,
        solution='answer = "def add(a, b):\\n    return a"',
        hints=[
            "All prompts of the lesson end where a name or a noun comes next.",
            "Try something that isn't English prose.",
            "A line of code, for example.",
        ],
        minutes=6,
        expects="a prompt of five words or more, as text",
    ),
}
