"""Exercises of lesson 4, "Copying"."""

from __future__ import annotations

from typing import Any

import numpy as np

from lenswidget.grids.grid import Grid
from lenswidget.lessons.course.asked import leader, row_named, with_space
from lenswidget.lessons.exercise import Exercise


def _before_the_end(answer: str, grid: Grid) -> bool | str:
    here, twice = row_named(answer, grid), grid.values("probability of the target")[:, 1]
    right = int(np.argmax(twice))
    if here == right:
        return True
    return f"At {answer} it has {twice[here]:.0%}; in another row it has more. Look at the column “twice”."


def _against_most(answer: str, grid: Grid) -> bool | str:
    given = dict(zip(grid.rows, grid.values("contribution")[:, 0]))
    if answer not in given:
        raise ValueError("parts are called L24H4, L29.mlp and so on")
    if answer == min(given, key=lambda part: given[part]):
        return True
    if given[answer] > 0:
        return f"{answer} votes for *moon*, with {given[answer]:+.2f}."
    return f"{answer} votes against it, with {given[answer]:+.2f}; another one does so more."


def _one_of_three(answer: float, table: Any) -> bool | str:
    right = float(table.loc["without L23H7", "moon"])
    if abs(float(answer) - right) < 0.006:
        return True
    if abs(float(answer) - 100 * right) < 1:
        return "That is in percent. Probabilities go from 0 to 1 here."
    return f"Not {float(answer):g}. It stands in the table, in the row “without L23H7”."


def _bob(answer: str, grid: Grid) -> bool | str:
    right = with_space(answer) == leader(grid, grid.rows[-1])
    return right or f"{answer!r} is not what the model says. Look at the last row of the last column."


EXERCISES = {
    "before-the-end": Exercise(
        "After two numbers that were repeated, the model says ` tree` with less than it had in between. In which row is the "
        "probability of that word highest?",
        check=_before_the_end,
        solution='answer = rounds.rows[int(rounds.values("probability of the target")[:, 1].argmax())]',
        hints=[
            'The word is the target of the column "twice", the second one.',
            '`rounds.values("probability of the target")[:, 1]` has one number for each row.',
            "`.argmax()` of it is the index of the row; `rounds.rows[…]` is its label.",
        ],
        minutes=3,
        expects='a row label, such as "L24"',
    ),
    "against-most": Exercise(
        "Of all parts of the model, which votes most *against* ` moon`?",
        check=_against_most,
        solution='answer = votes.rows[int(votes.values("contribution")[:, 0].argmin())]',
        hints=[
            "The bars below are sorted, and those against stand on the other side.",
            'As a table: `votes.to_dataframe().sort_values("contribution").head()`.',
            "You have met it in this section.",
        ],
        minutes=2,
        expects='a part, such as "L20H0" or "L29.mlp"',
    ),
    "one-of-three": Exercise(
        "Without L23H7 alone: how probable is ` moon` in the end?",
        check=_one_of_three,
        solution='answer = without("L23H7")["moon"]',
        hints=[
            "It stands in the table.",
            '`table.loc["without L23H7", "moon"]`',
            "It is less than with the head, and more than three quarters of it.",
        ],
        minutes=2,
        expects="a number between 0 and 1",
    ),
    "bob": Exercise(
        "What does the model say after “Bob likes”?",
        check=_bob,
        solution="answer = tea.text(int(tea.candidates.ids[-1, -1, 0]))",
        hints=[
            "It is not what Bob liked before.",
            "The last row is the model itself: read its last cell.",
            {"show": {"selected": ["L29", -1]}, "say": "This cell."},
        ],
        minutes=2,
        expects='a token, such as " milk"',
    ),
}
