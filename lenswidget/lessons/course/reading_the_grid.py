"""Exercises of lesson 1, "Reading the grid"."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from lenswidget.grids.grid import Grid
from lenswidget.lessons.course.asked import leader, row_named, with_space
from lenswidget.lessons.exercise import Exercise


def _first_settled(answer: str, grid: Grid) -> bool | str:
    if grid.decision is None:
        return "This Grid has no decision layers: it was not read through a lens."
    texts = [grid.text(column) for column in grid.columns]
    answer = answer if answer in texts else with_space(answer)
    if answer not in texts:
        return f"{answer.strip()!r} is no token of this prompt; its tokens are {', '.join(map(repr, texts))}."
    if texts.index(answer) in grid.excluded:
        return "The first column doesn't count: models use their first token for something else."
    here = int(grid.decision[texts.index(answer)])
    if here == min(int(row) for column, row in enumerate(grid.decision) if column not in grid.excluded):
        return True
    return f"The column of {answer!r} is settled from {grid.rows[here]} on; another one is settled in a lower row."


def _turns(answer: float, grid: Grid) -> bool | str:
    leaders = [leader(grid, row) for row in grid.rows[row_named("L23", grid) :]]
    turns = sum(one != before for before, one in pairwise(leaders))
    if float(answer) == turns:
        return True
    many = "more often" if float(answer) < turns else "less often"
    return (
        f"It changes {many} than that. Go up the last column from L23: every new word is one change, every dot is none."
    )


def _on_its_way(answer: str, grid: Grid) -> bool | str:
    here, rank = row_named(answer, grid), grid.values("rank", target=" Ottawa")[:, -1]
    if here == int(np.argmax(rank <= 10)):
        return True
    if rank[here] > 10:
        return f"At {answer} its rank is {rank[here]:,.0f}: not among the ten yet."
    return f"At {answer} its rank is {rank[here]:.0f}; but a lower row has it among the ten already."


def _another_opposite(answer: str, grid: Grid) -> bool | str:
    right = with_space(answer) == leader(grid, "L24")
    return right or f"{answer!r} does not lead there. Read the word in the last column, in the row of L24."


EXERCISES = {
    "first-settled": Exercise(
        "Which token's column is decided in the lowest row? The first column doesn't count.",
        check=_first_settled,
        solution="answer = min(range(1, 8), key=lambda i: william.decision[i])\nanswer = william.text(william.columns[answer])",
        hints=[
            "A dashed line stands where the lead changes for the last time. Above it, the leading token stays the same.",
            "One column has no such line, as nothing changes in it. What follows that token is nearly always a short word.",
            {"show": {"selected": ["embed", 6]}, "say": "After this token, *a* leads before any block, and stays."},
        ],
        minutes=2,
        expects='a token of the prompt, such as " of"',
    ),
    "turns": Exercise(
        "How often does the lead change in the last column, from L23 up to the last row?",
        check=_turns,
        solution="""leaders = canada.candidates.ids[24:, -1, 0]
answer = int((leaders[1:] != leaders[:-1]).sum())""",
        hints=[
            "Read the last column from the row of L23 upwards.",
            "A dot says that nothing has changed. So a change is a word that is written out.",
            "The word in L23 itself is where you begin; it is no change yet.",
        ],
        minutes=3,
        expects="a whole number",
    ),
    "on-its-way": Exercise(
        "In which row is *Ottawa* among the ten most probable tokens for the first time?",
        check=_on_its_way,
        solution="""rank = canada.values("rank", target=" Ottawa")[:, -1]
answer = canada.rows[int((rank <= 10).argmax())]""",
        hints=[
            "The table above has the column `rank of ' Ottawa'`.",
            'Or ask for the array: `canada.values("rank", target=" Ottawa")[:, -1]`.',
            "The first of those numbers that is 10 or less stands in a row; `canada.rows` has the labels in the same order.",
        ],
        minutes=4,
        expects='a row label, such as "L24"',
    ),
    "another-opposite": Exercise(
        "For *hot*, words about temperature came before *cold*. What comes just before *small*: which token leads at L24, in the "
        "last column?",
        check=_another_opposite,
        solution="answer = big.text(int(big.candidates.ids[big.rows.index('L24'), -1, 0]))",
        hints=[
            "It is a word of the question.",
            "Hover over the last column, in the row of L24.",
            {"show": {"selected": ["L24", -1]}, "say": "The word in this cell."},
        ],
        minutes=2,
        expects='a token, such as " tiny"',
    ),
}
