"""Exercises of lesson 3, "Meaning before form"."""

from __future__ import annotations

import numpy as np

from lenswidget.grids.grid import Grid
from lenswidget.lessons.course.asked import row_named
from lenswidget.lessons.exercise import Exercise


def _silver_turns(answer: str, grid: Grid) -> bool | str:
    if grid.decision is None or grid.column_labels is None:
        return "This is not the Grid of seven metals: check the answer against `metals`."
    here = row_named(answer, grid)
    first = int(grid.decision[grid.column_labels.index("silver")])
    if here == first:
        return True
    if here > first:
        return f"At {answer} the symbol leads, but it leads one row lower already."
    return f"At {answer} the symbol does not lead yet: look at the word in the column of silver."


def _sure_of_gold(answer: float, grid: Grid) -> bool | str:
    highest = float(np.max(grid.values("probability", target=" gold")[:, -1]))
    if abs(float(answer) - highest) < 0.006:
        return True
    if abs(float(answer) - 100 * highest) < 1:
        return "That is in percent. Probabilities go from 0 to 1 here."
    return f"Not {float(answer):g}. Take the largest number of the last column of `values`."


def _who_wrote_it(answer: str, grid: Grid) -> bool | str:
    given = grid.values("contribution")[:, 0]
    heads = [row for row, label in enumerate(grid.rows) if "H" in label]
    strongest = grid.rows[max(heads, key=lambda row: float(given[row]))]
    if answer == strongest:
        return True
    if answer not in grid.rows:
        raise ValueError("parts are called L28.mlp, L29H0 and so on")
    if "H" not in answer:
        return f"{answer} is no attention head: heads have an H in their label."
    return f"{answer} writes {given[grid.rows.index(answer)]:+.2f} of the difference; another head writes more."


def _stopped_there(answer: float, grid: Grid) -> bool | str:
    row = row_named("L24", grid)
    right = float(grid.values("probability", target=" gold")[row, -1])
    if abs(float(answer) - right) < 0.0006:
        return True
    if abs(float(answer) - 0.9) < 0.01:
        return "That is what the tuned lens says. The question is about the raw lens."
    return f"Not {float(answer):g}. Click the cell of the last column at L24, and look for gold in the card."


EXERCISES = {
    "silver-turns": Exercise(
        "In which row does *silver* turn into its symbol: the first row from which ` Ag` leads to the end?",
        check=_silver_turns,
        solution="answer = metals.rows[int(metals.decision[list(elements).index('silver')])]",
        hints=[
            "Look at the second column, from the top down.",
            "The dashed line in each column is the decision layer.",
            {"show": {"selected": ["L26", 1]}, "say": "Silver turns earlier than gold does."},
        ],
        minutes=2,
        expects='a row label, such as "L24"',
    ),
    "sure-of-gold": Exercise(
        "In the prompt about wedding rings: what is the highest probability that *gold* has in any row of the last column?",
        check=_sure_of_gold,
        solution="answer = rings.values('probability', target=' gold')[:, -1].max()",
        hints=[
            "The line in the chart has a top. Hover over it.",
            'Or in numbers: `rings.values("probability", target=" gold")` has a row for each row and a column for each token.',
            "The last column is `[:, -1]`; its largest number is `.max()`.",
        ],
        minutes=3,
        expects="a number between 0 and 1",
    ),
    "who-wrote-it": Exercise(
        "The two MLPs wrote most. Which *attention head* wrote most for *Au* over *gold*?",
        check=_who_wrote_it,
        solution="""given = parts.values("contribution")[:, 0]
heads = [row for row, label in enumerate(parts.rows) if "H" in label]
answer = parts.rows[max(heads, key=lambda row: given[row])]""",
        hints=[
            "In the bars above, look for labels with an H.",
            'As a table: `parts.to_dataframe().sort_values("contribution")`.',
            "It is in the last block.",
        ],
        minutes=3,
        expects='a head, such as "L23H3"',
    ),
    "stopped-there": Exercise(
        "How probable is *gold* at L24 through the raw lens, in the last column?",
        check=_stopped_there,
        solution="""raw = lw.logit_lens(gold_run, targets=[" gold"])
answer = raw.values("probability", target=" gold")[raw.rows.index("L24"), -1]""",
        hints=[
            "Select the cell in the picture above: the card says how probable each token is.",
            'Or `lw.logit_lens(gold_run, targets=[" gold"]).values("probability", target=" gold")`.',
            'The row of L24 is `.rows.index("L24")`, the last column is `-1`.',
        ],
        minutes=3,
        expects="a number between 0 and 1",
    ),
}
