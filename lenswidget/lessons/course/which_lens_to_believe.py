"""Exercises of lesson 2, "Which lens to believe"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lenswidget.lessons.exercise import Exercise


def _of_lens(measured: Any, lens: str) -> tuple[list[str], np.ndarray]:
    """The rows and their KL to the output, of one lens among those that were measured."""
    table = measured.to_dataframe()
    mine = table[table["lens"] == lens]
    return list(mine["layer"]), mine["KL to the output"].to_numpy()


def _tea_leaves(answer: str, measured: Any) -> bool | str:
    rows, bits = _of_lens(measured, "Logit lens")
    if answer not in rows:
        raise ValueError(f"the rows are {rows[0]!r}, {rows[1]!r}, … {rows[-1]!r}")
    nearer = bits < measured.blind
    first, here = int(np.argmax(nearer)), rows.index(answer)
    if here == first:
        return True
    if not nearer[here]:
        return f"At {answer} the raw lens is {bits[here]:.1f} bits off, and the blind guess {measured.blind:.1f}."
    return f"At {answer} it is nearer than the blind guess, but it is so in a lower row already."


def _bits_at_l12(answer: float, measured: Any) -> bool | str:
    rows, bits = _of_lens(measured, "Tuned lens")
    right = float(bits[rows.index("L12")])
    if abs(float(answer) - right) < 0.06:
        return True
    return f"Not {float(answer):g}. Take the row of L12, and the column of the tuned lens."


def _goes_along(answer: str, causes: Any) -> bool | str:
    turned = causes["lens, at this row"] > 0.5
    followed = causes["model, in the end"] > 0.1
    right = [label for label in causes.index if turned[label] and not followed[label]]
    if answer in right:
        return True
    if answer not in causes.index:
        raise ValueError(f"the rows of the table are {', '.join(causes.index)}")
    if not turned[answer]:
        return (
            f"At {answer} the lens has London at {causes['lens, at this row'][answer]:.0%}: it was not turned itself."
        )
    return f"At {answer} the model followed: London has {causes['model, in the end'][answer]:.0%} in the end."


def _larger_push(answer: float, london_after: Callable[[float], float]) -> bool | str:
    size = float(answer)
    if not 0 < size <= 10:
        return f"{size:g} is no size of a push: take a number above 0, and not above 10."
    said = london_after(size)
    return said > 0.5 or f"After a push of {size:g}, London has {said:.0%} in the end. Try another size."


EXERCISES = {
    "tea-leaves": Exercise(
        "From which row on is the raw lens nearer to the output than the blind guess?",
        check=_tea_leaves,
        solution="""raw = table[table["lens"] == "Logit lens"]
answer = raw[raw["KL to the output"] < measured.blind]["layer"].iloc[0]""",
        hints=[
            "`measured.blind` is the blind guess, in bits. In the table, look down the column of the raw lens.",
            "The table shows some rows only. `table` has them all.",
            'Keep the rows of `table` where `lens` is "Logit lens" and the KL is under `measured.blind`; take the first.',
        ],
        minutes=4,
        expects='a row label, such as "L24"',
    ),
    "bits-at-L12": Exercise(
        "How many bits is the tuned lens from the output at L12? One digit after the point is enough.",
        check=_bits_at_l12,
        solution="""mine = table[(table["lens"] == "Tuned lens") & (table["layer"] == "L12")]
answer = mine["KL to the output"].iloc[0]""",
        hints=[
            "It stands in the table above, in the line of L12.",
            "Or point at the cell in the picture.",
            'In `table`: `lens` is "Tuned lens", and `layer` is "L12".',
        ],
        minutes=2,
        expects="a number of bits, such as 3.5",
    ),
    "goes-along": Exercise(
        "Name a row of the table where the lens was turned (London above a half) and the model did not follow (London under "
        "a tenth).",
        check=_goes_along,
        solution="""turned = causes["lens, at this row"] > 0.5
followed = causes["model, in the end"] > 0.1
answer = causes.index[turned & ~followed][0]""",
        hints=[
            "Look at the first column for numbers above a half.",
            "Among those, look at the second column for a number under a tenth.",
            "It is the row that you drew a line for.",
        ],
        minutes=2,
        expects='a row of the table, such as "L5"',
    ),
    "larger-push": Exercise(
        "Find a size of the push at L17 after which the model itself gives ` London` more than 50 %.",
        check=_larger_push,
        solution="answer = 0.6",
        hints=[
            "`london_after(0.4)` is what the model says after a push that is twice as long as ours.",
            "More is not always more: a very long step breaks the model.",
            "Try three times the size, or four times.",
        ],
        minutes=4,
        expects="a size, such as 0.3",
    ),
}
