"""The exercises of lesson 7, Answers that were lost."""

from __future__ import annotations

from typing import Any

from lenswidget.grids.grid import Grid
from lenswidget.lessons.exercise import Exercise

_ENOUGH = 30
"""Percent of ` oxygen` in `L27`."""


def _last_lead(row: str, grid: Grid) -> bool | str:
    """The last row in which the followed city leads."""
    ranks = grid.values("rank", target=" Lima")[:, -1]
    leading = [label for label, rank in zip(grid.rows, ranks) if rank == 1]
    if row not in grid.rows:
        return f"{row!r} is no row of this Grid; its rows are embed, L0, L1 and so on up to {grid.rows[-1]}."
    if row == leading[-1]:
        return True
    if row in leading:
        return f"In {row} ` Lima` leads, but it does so in a higher row as well."
    return f"In {row} ` Lima` does not lead: its rank there is {ranks[grid.rows.index(row)]:.0f}."


def _countries(count: int, found: Any) -> bool | str:
    if count == found.lost:
        return True
    if count == found.lost + found.never:
        return f"{count} are wrong in the end. Of these, count only those in which the right country led in some row."
    if count == found.right:
        return f"{count} are right. The question is how many were right in some row and wrong in the last."
    return (
        f"{count!r} is not the count. Read all {found.prompts} prompts, and ask lost_answers for what became of them."
    )


def _another_control(grid: Grid) -> bool | str:
    if not grid.title.endswith("hydrogen and"):
        return f"The prompt has to end with “hydrogen and”, so that only the question differs; yours is “{grid.title}”."
    if grid.title.startswith(("Water ", "Love ", "Stars ", "The sun ")):
        return f"“{grid.title}” is about something that the lesson had already; take another subject."
    share = float(grid.values("probability", target=" oxygen")[grid.rows.index("L27"), -1])
    if 100 * share >= _ENOUGH:
        return True
    return (
        f"Here ` oxygen` has {100 * share:.0f} % in L27. A good control has {_ENOUGH} % or more: try another subject."
    )


def _raw_history(row: str, grid: Grid) -> bool | str:
    ranks = grid.values("rank", target=" oxygen")[:, -1]
    if row not in grid.rows:
        return f"{row!r} is no row of this Grid; its rows are embed, L0, L1 and so on up to {grid.rows[-1]}."
    if ranks[grid.rows.index(row)] == ranks.min():
        return True
    return f"In {row} the raw lens has ` oxygen` at place {ranks[grid.rows.index(row)]:,.0f}. There is a row with a better one."


EXERCISES = {
    "last-lead": Exercise(
        "“The capital of Peru is” ends in ` the`. In which row does ` Lima` lead for the last time?",
        check=_last_lead,
        solution='answer = [row for row, rank in zip(peru.rows, peru.values("rank", target=" Lima")[:, -1]) if rank == 1][-1]',
        hints=[
            "Show `peru`, and look at its last column from the top down.",
            '`peru.values("rank", target=" Lima")` has its rank in each row and column. Where a token leads, that is 1.',
            '`print(lw.diagnose(peru, target=" Lima"))` says it in words.',
        ],
        minutes=4,
        expects='a row label, such as "L24"',
    ),
    "countries": Exercise(
        "Turn the question round: “Berlin is the capital of” and so on, for all twenty-four. In how many did the right"
        " country lead in some"
        " row of the tuned lens, and lose?",
        check=_countries,
        solution="(found,) = lost_answers(lw.trajectories(model, turned_round, tuned, target=countries))\nanswer = found.lost",
        hints=[
            "Everything you need stands in section 2.",
            "Give `turned_round` and `countries` to `lw.trajectories`, and its Grid to `lost_answers`.",
            "`lost_answers` returns a list with one entry for each group; there is one group here. Its `.lost` is the count.",
        ],
        minutes=5,
        expects="a whole number",
    ),
    "another-control": Exercise(
        "Find a control of your own: something that is *not* made of hydrogen and oxygen, of which the tuned lens says"
        " ` oxygen` in `L27` with 30 %"
        ' or more. Your answer is the Grid, read with `targets=[" oxygen"]`.',
        check=_another_control,
        solution=('answer = lw.read(lw.run(model, "Joy is made of hydrogen and"), tuned, targets=[" oxygen"])'),
        hints=[
            "The end of the prompt stays as it is; only its first word or words change.",
            "A material, a feeling: it needn't make sense.",
            'Try “Joy is made of hydrogen and”, as `lw.read(lw.run(model, "…"), tuned, targets=[" oxygen"])`. It beats water.',
        ],
        minutes=6,
        expects='a Grid, made by lw.read(lw.run(model, "… is made of hydrogen and"), tuned, targets=[" oxygen"])',
    ),
    "raw-history": Exercise(
        "The *raw* logit lens tells another history of water. In which row is ` oxygen` nearest to the lead there?",
        check=_raw_history,
        solution='answer = lw.diagnose(water, " oxygen").nearest',
        hints=[
            "“Nearest to the lead” means: its best rank.",
            '`lw.diagnose(water, " oxygen")` reads a run by the raw lens.',
            "What it returns has `.nearest`, the label of that row.",
        ],
        minutes=4,
        expects='a row label, such as "L24"',
    ),
}
