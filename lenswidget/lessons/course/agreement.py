"""The exercises of lesson 6, Agreement."""

from __future__ import annotations

from typing import Any

from lenswidget.grids.grid import Grid
from lenswidget.lessons.exercise import Exercise


def _shares(grid: Grid) -> dict[str, float]:
    return dict(zip(grid.rows, grid.values("contribution")[:, 0].tolist()))


def _the_one_that_fails(prompt: str, forty: Any) -> bool | str:
    """`forty` is the lesson's table: prompt, subject, neighbour, and the logit of ` are` less that of ` is`."""
    rows = {row[0]: row for row in forty.itertuples(index=False, name=None)}
    if prompt not in rows:
        return f"{prompt!r} is not one of the forty; copy it from the column “prompt” of `forty`."
    _, subject, _, difference = rows[prompt]
    if (difference > 0) != (subject == "many"):
        return True
    return f"“{prompt}” is right: its subject is {subject}, and ` are` less ` is` is {difference:+.2f}."


def _who_says_is(part: str, mirror: Grid) -> bool | str:
    shares = _shares(mirror)
    if part not in shares:
        return f"{part!r} is no row of this Grid; look for labels such as L26H0 or L25.mlp in `mirror.rows`."
    if shares[part] == min(shares.values()):
        return True
    return f"{part} has {shares[part]:+.2f}. There is a part with a lower figure, which speaks more for ` is`."


def _who_steps_in(part: str, whole: Grid, alone: Grid) -> bool | str:
    before, after = _shares(whole), _shares(alone)
    change = {name: after[name] - before[name] for name in before if name != "L26H0"}
    if part == "L26H0":
        return "L26H0 is the head that was taken out: it fell to 0. Who *rose*?"
    if part not in change:
        return f"{part!r} is no row of these Grids; look for labels such as L27H8 or L28.mlp in `whole.rows`."
    if change[part] == max(change.values()):
        return True
    return f"{part} changed by {change[part]:+.2f}. Another part rose by more."


def _too_far(grid: Grid) -> bool | str:
    if not grid.title.startswith("The keys"):
        return f"Begin with “The keys”, so that the subject is a plural; yours begins “{grid.title[:20]}”."
    are, is_ = (float(grid.values("probability", target=verb)[-1, -1]) for verb in (" are", " is"))
    if is_ > are:
        return True
    return f"Here ` are` is still ahead, {100 * are:.1f} % to {100 * is_:.1f} %. Put more between the keys and the end."


EXERCISES = {
    "the-one-that-fails": Exercise(
        "For one of the forty prompts the verb that doesn't agree is ahead. Which prompt?",
        check=_the_one_that_fails,
        solution='answer = forty[(forty["are − is"] > 0) & (forty.subject == "one")].prompt.iloc[0]',
        hints=[
            "Where the subject is a singular, the difference should be below zero.",
            'Sort those with a subject in the singular: `forty[forty.subject == "one"].sort_values("are − is")`.',
            "It is about a player. Is “the player in the teams” even good English?",
        ],
        minutes=4,
        expects="one of the prompts, as text",
    ),
    "who-says-is": Exercise(
        "“The key to the cabinets” ends with ` is` ahead. Which head or MLP speaks most for ` is`, against ` are`?",
        check=_who_says_is,
        solution='answer = mirror.rows[mirror.values("contribution")[:, 0].argmin()]',
        hints=[
            "` is` is what ` are` is compared with: what speaks for it has a share below zero.",
            "Show `mirror`, and look for the longest bar to the left.",
            "It is no head: `L26H0` has little to do here.",
        ],
        minutes=4,
        expects='the label of a part, such as "L26H0" or "L25.mlp"',
    ),
    "who-steps-in": Exercise(
        "Without `L26H0`, less is lost than it wrote. Which other part *rises* most when it is silent?",
        check=_who_steps_in,
        solution=(
            'rise = {row: after - before for row, before, after in zip(whole.rows, whole.values("contribution")[:, 0],'
            ' alone.values("contribution")[:, 0])}\nanswer = max(rise, key=rise.get)'
        ),
        hints=[
            "Compare the two Grids, row by row: `lw.compare(whole, alone)`.",
            "It had spoken against ` are`, and speaks less against it now.",
            "Look at the MLPs above `L26H0`.",
        ],
        minutes=6,
        expects='the label of a part, such as "L27H8" or "L28.mlp"',
    ),
    "too-far": Exercise(
        "How far does it carry? Write a text that begins with “The keys”, ends before its verb, and after which the"
        " model has ` is` ahead of ` are`."
        " Your answer is a lens Grid that follows both verbs.",
        check=_too_far,
        solution=(
            'text = "The keys to the only cabinet in the only room of the only house in the village"\n'
            'answer = lw.logit_lens(lw.run(model, text), targets=[" are", " is"])'
        ),
        hints=[
            "Put more nouns in the singular between the subject and the verb.",
            "Words that speak of *one* help: “the only cabinet in the only room …”.",
            "Or begin a clause with a subject of its own: “The keys that the man”. Is that fair?",
        ],
        minutes=8,
        expects='a Grid, made by lw.logit_lens(lw.run(model, "The keys …"), targets=[" are", " is"])',
    ),
}
