"""What each line of an overview answers: the token that the model says, from which layer on it leads, and whether it is right.

Twin of js/src/data/answers.ts; tests/golden/answers.json holds what both must say.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lenswidget.grids.grid import Grid
from lenswidget.grids.parts import NO_TOKEN

BELIEF = "belief"
"""The quantity of an overview that says how far each of its cells can be believed."""
RIGHT = "probability of the right answer"


@dataclass(frozen=True)
class Answer:
    """One prompt's answer.

    - `token`: what leads in the last layer, NO_TOKEN where nothing does, and its `probability`
    - `decided`: the index of the column from which it leads in every layer
    - `right`: whether it is the right answer, None where that isn't known
    - `right_probability`: that of the right answer in the last layer, NaN where none is known
    - `led_until`: the last column in which the right answer led before it was lost; None where it never led, or leads
    """

    token: int
    probability: float
    decided: int
    right: bool | None
    right_probability: float
    led_until: int | None


def answers_of(overview: Grid) -> list[Answer]:
    """An Answer for each row of an overview."""
    assert overview.candidates is not None
    leaders = overview.candidates.ids[..., 0]
    last = overview.shape[1] - 1
    followed = overview.quantities.get(RIGHT)
    found = []
    for row, (line, bits) in enumerate(zip(leaders, overview.candidates.log_probability[:, -1, 0])):
        token = int(line[-1])
        # a layer that this model doesn't have changes nothing
        others = np.flatnonzero((line != token) & (line != NO_TOKEN))
        ids = overview.targets[row].ids if overview.targets else ()
        led = np.flatnonzero(np.isin(line, ids))
        right = token in ids if ids else None
        found.append(
            Answer(
                token=token,
                probability=float(np.exp2(bits)),
                decided=min(int(others[-1]) + 1 if len(others) else 0, last),
                right=right,
                right_probability=float(followed.values[row, -1]) if followed and ids else float("nan"),
                led_until=int(led[-1]) if len(led) and not right else None,
            )
        )
    return found


def told(overview: Grid) -> Grid:
    """The overview with what is to be said of all of its answers: a headline and a sentence."""
    answers = answers_of(overview)
    known = [one for one in answers if one.right is not None]
    wrong = [one for one in known if not one.right]
    counts = [f"{len(known) - len(wrong)} right", f"{len(wrong)} not"] if known else []
    if known and len(known) < len(answers):
        counts.append(f"{len(answers) - len(known)} without a known answer")
    lost = sum(one.led_until is not None for one in wrong)
    notes = []
    if lost:
        which = "the one that is not right" if len(wrong) == 1 else f"{lost} of the {len(wrong)} that are not right"
        notes.append(f"in {which}, the right answer led in an earlier layer and was lost")
    first = min(one.decided for one in answers)
    if first > 0:
        notes.append(f"no answer leads for good before {overview.column_labels[first]}")  # type: ignore[index]
    title = f"{overview.title}: {', '.join(counts)}" if counts else overview.title
    return replace(overview, title=title, notes=tuple(notes))
