"""The exercises of lesson 5, Who did it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lenswidget.grids.grid import Grid
from lenswidget.lessons.exercise import Exercise

_NEAR = 0.06
"""Logits: as near as two decimals and another machine's rounding come."""


def _opposes(value: float, cost: Callable[..., float]) -> bool | str:
    found = cost("L29H0")
    if abs(value - found) <= _NEAR:
        return True
    if abs(value + found) <= _NEAR:
        return "The size is right. But `cost` is how much the difference *falls*: mind its sign."
    return f"Not {value}. Ask `cost` for the head; a value below zero means that the difference rises."


def _two_at_once(value: float, cost: Callable[..., float]) -> bool | str:
    together = cost("L23H3", "L23H0")
    apart = cost("L23H3") + cost("L23H0")
    if abs(value - (together - apart)) <= 1.5 * _NEAR:
        return True
    if abs(value - together) <= _NEAR:
        return f"{value} is what both cost together. How much *more* is that than the sum of each alone?"
    return f"Not {value}. Take what both cost together, less what each costs alone."


def _no_share(head: str, cost: Callable[..., float], mean: Any) -> bool | str:
    shares = mean.to_dict()
    if head not in shares or "H" not in head:
        return f"{head!r} is no head of this model; a head is named like L23H3."
    if abs(shares[head]) > 0.1:
        return f"{head} has a share of {shares[head]:+.2f} itself. Look for one that writes next to nothing in this direction."
    found = cost(head, position=None)
    if found >= 0.5:
        return True
    return f"{head} writes next to nothing, and costs {found:.2f} when it is silent. Another one costs half a logit or more."


def _final_readers(token: str, looks: Grid) -> bool | str:
    shares = looks.values("contribution")
    read = {head: int(shares[looks.rows.index(head)].argmax()) for head in ("L29H1", "L23H3", "L23H0")}
    texts = {head: looks.text(looks.columns[column]) for head, column in read.items()}
    if not isinstance(token, str):
        return f"An answer is a token, as text; got {token!r}."
    if token.strip() == texts["L29H1"].strip():
        return True
    other = next((head for head, text in texts.items() if text.strip() == token.strip()), None)
    return (
        f"` {token.strip()}` is what {other} reads."
        if other
        else f"Not ` {token.strip()}`. Look for the largest figure in the row of L29H1."
    )


EXERCISES = {
    "opposes": Exercise(
        "`L29H0` speaks against the answer in all twelve. By how many logits does the difference fall when it is"
        " silent at the last token?"
        " (Two decimals.)",
        check=_opposes,
        solution='answer = cost("L29H0")',
        hints=[
            "If it works against the answer, should the difference fall, or rise?",
            "`cost` of section 4 measures it.",
            '`cost("L29H0")`, with its sign.',
        ],
        minutes=3,
        expects="a number of logits",
    ),
    "two-at-once": Exercise(
        "Silence `L23H3` and `L23H0` together. By how many logits does that cost more than the sum of what each costs alone?",
        check=_two_at_once,
        solution='answer = cost("L23H3", "L23H0") - (cost("L23H3") + cost("L23H0"))',
        hints=[
            "If neither stood in for the other, the answer would be zero.",
            '`cost` takes several heads: `cost("L23H3", "L23H0")`.',
            'From that, take `cost("L23H3")` and `cost("L23H0")`.',
        ],
        minutes=4,
        expects="a number of logits",
    ),
    "no-share": Exercise(
        "To know that John was said twice, some head must notice it, at an earlier token. Attribution at the last"
        " token can't see such a head."
        " Find one, in `L14` to `L18`, whose own share is next to nothing, and which costs half a logit or more when"
        " it is silent at *every* position.",
        check=_no_share,
        solution=(
            "mean = each.mean(axis=1)\n"
            'candidates = [f"L{layer}H{head}" for layer in (16, 18) for head in range(3)]\n'
            "answer = max((head for head in candidates if abs(mean[head]) < 0.1), key=lambda head: cost(head, position=None))"
        ),
        hints=[
            "`cost(head, position=None)` silences a head at every position.",
            "Try the nine heads of one block after the other. Each takes a second or two.",
            "Begin with the first head of each block.",
        ],
        minutes=8,
        expects='the label of a head, such as "L15H4"',
    ),
    "final-readers": Exercise(
        "Which token does `L29H1` read, when it votes for ` Mary`? `looks` has it.",
        check=_final_readers,
        solution='answer = looks.text(looks.columns[looks.values("contribution")[looks.rows.index("L29H1")].argmax()])',
        hints=[
            "Show `looks`, and go to the row of the head.",
            "The heads of the last block need not look far: the answer has been worked out below.",
            "It is the last token of the prompt.",
        ],
        minutes=3,
        expects="a token of the prompt, as text",
    ),
}
