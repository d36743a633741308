"""The exercises of lesson 8, Take it away, put it in."""

from __future__ import annotations

import re

from lenswidget.grids.grid import Grid
from lenswidget.lessons.exercise import Exercise


def _who_knows_the_city(block: str, mlps: Grid) -> bool | str:
    best = {row: float(values.max()) for row, values in zip(mlps.rows, mlps.values("recovered"))}
    if block not in best:
        return f"{block!r} is no row of this sweep; its rows are {mlps.rows[0]} to {mlps.rows[-1]}."
    if best[block] == max(best.values()):
        return True
    return f"{block} brings back {best[block]:.2f} at its best position. Another one brings back more."


def _one_state(grid: Grid) -> bool | str:
    if not grid.title.startswith("The Colosseum"):
        return f"Change the run about the Colosseum; this is “{grid.title}”."
    code = grid.provenance.get("edits in code", "")
    if code.count("lw.Edit(") != 1:
        return "Make one edit, no more and no fewer."
    if not re.search(rf"[^_]position=(-1|{grid.shape[1] - 1})\)$", code):
        return f"Edit the last token, position -1; yours is {code}."
    said = grid.text(grid.candidates.ids[-1, -1, 0]) if grid.candidates else ""
    return said == " Paris" or f"Now the model says `{said}`. In which rows does the last token hold the city?"


def _needed(grid: Grid) -> bool | str:
    if not grid.title.startswith("The Eiffel Tower is located in the city of"):
        return f"Read the run of the tower, with its MLP taken out; this is “{grid.title}”."
    share = float(grid.values("probability", target=" Paris")[-1, -1])
    if share >= 0.75:
        return True
    return f"Here ` Paris` has {100 * share:.0f} % at the end. Take out `L4.mlp` alone, at position 2."


def _unseen(head: str, shares: Grid, votes: Grid) -> bool | str:
    wrote = dict(zip(votes.rows, votes.values("contribution")[:, 0].tolist()))
    recovered = {
        f"L{layer}H{index}": float(value)
        for layer, row in enumerate(shares.values("recovered"))
        for index, value in enumerate(row)
    }
    if head not in recovered:
        return f"{head!r} is no head of this model; a head is named like L23H3."
    if recovered[head] < 0.1:
        return f"{head} brings back {recovered[head]:.2f}. Look for one that brings back a tenth or more."
    if abs(wrote[head]) > 0.1:
        return f"{head} brings back {recovered[head]:.2f}, but it also votes, with {wrote[head]:+.2f} logits. Another doesn't."
    return True


EXERCISES = {
    "who-knows-the-city": Exercise(
        "Sweep the *MLPs* of the two prompts about a city, as the lesson did with attention. Which MLP brings back most?",
        check=_who_knows_the_city,
        solution=(
            'mlps = lw.patch(rome, paris, " Paris", against=" Rome", unit="mlp")\n'
            'answer = mlps.rows[mlps.values("recovered").max(axis=1).argmax()]'
        ),
        hints=[
            '`unit="mlp"` in place of `unit="attn"`.',
            "Look for the darkest cell of the column ` osse`.",
            "It is very low: the first thing that is done with a name.",
        ],
        minutes=4,
        expects='the label of an MLP, such as "L12.mlp"',
    ),
    "one-state": Exercise(
        "The lesson changed the state at ` osse`. Make ` Paris` the answer of the Colosseum by one edit at the *last"
        " token*. Your answer is the run.",
        check=_one_state,
        solution=(
            'run = lw.run(model, rome.prompt, edits=[lw.Edit("L24", to=paris, position=-1)])\n'
            "answer = lw.logit_lens(run)"
        ),
        hints=[
            "Which rows of the last column are bright in the first sweep?",
            "Copy the line that makes `edited`, and change its row and its position.",
            "`position=-1` is the last token; any row from `L23` on will do.",
        ],
        minutes=5,
        expects="a Grid, made by lw.logit_lens(lw.run(model, rome.prompt, edits=[lw.Edit(…)]))",
    ),
    "needed": Exercise(
        "Put in, `L4.mlp` at ` osse` brings back four tenths. Is it *needed*? Take it out of the run of the tower at"
        " `iffel`, position 2, and read that"
        ' run with `targets=[" Paris"]`. Your answer is the Grid.',
        check=_needed,
        solution=(
            'out = lw.run(model, paris.prompt, edits=[lw.Edit("L4.mlp", to=0, position=2)])\n'
            'answer = lw.logit_lens(out, targets=[" Paris"])'
        ),
        hints=[
            "Before you run it: what will become of ` Paris`?",
            "An edit with `to=0` takes out.",
            '`lw.logit_lens(lw.run(model, paris.prompt, edits=[…]), targets=[" Paris"])`',
        ],
        minutes=5,
        expects='a Grid, made by lw.logit_lens(run, targets=[" Paris"])',
    ),
    "unseen": Exercise(
        "Find a head that attribution can't see and patching can: it brings back a tenth or more of the way from"
        " `mary` to `john`, and its own vote is"
        " next to nothing.",
        check=_unseen,
        solution='answer = "L17H4"',
        hints=[
            "`shares` shows what each head brings back; point at the cells that have some color.",
            "It works before the heads that vote, so it is in a lower block.",
            "The lesson names two of them; one has no vote at all.",
        ],
        minutes=4,
        expects='the label of a head, such as "L15H4"',
    ),
}
