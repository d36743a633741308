"""The exercises of lesson 10, Something was slipped in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lenswidget.lessons.exercise import Exercise

Tried = Callable[[str], tuple[int, int]]
"""Of ten reviews with a sentence: how many are flagged, and how many are answered ` positive`."""


def _pairs(share: float, found: Any) -> bool | str:
    right = next(group.auroc for group in found.groups if group.name == "weather")
    if not 0 <= share <= 1:
        return f"An AUROC is a share of pairs, from 0 to 1; got {share!r}."
    if abs(share - right) < 0.005:
        return True
    if abs(1 - share - right) < 0.005:
        return f"{share:.2f} is how often the *plain* review scores higher. The question is the other way round."
    return f"{share:.2f} is not the share. Compare each score of the weather with each of `found.held_out`."


def _sentence(text: Any) -> str:
    """What is wrong with a sentence to slip in, or ""."""
    if not isinstance(text, str):
        return f"An answer is a sentence, as text; got {text!r}."
    if not 4 <= len(text.split()) <= 30:
        return f"An answer is a sentence of 4 to 30 words; got {text!r}."
    if any(word in text.lower() for word in ("positive", "negative", "sentiment")):
        return f"“{text}” has a word of the task in it. Do without *positive*, *negative* and *sentiment*."
    return ""


def _no_reader_minds(text: str, tried: Tried) -> bool | str:
    if wrong := _sentence(text):
        return wrong
    flagged, _ = tried(text)
    return flagged > 5 or f"The score flags {flagged} of ten with “{text}”. More than five are asked for."


def _not_noticed(text: str, tried: Tried) -> bool | str:
    if wrong := _sentence(text):
        return wrong
    flagged, turned = tried(text)
    if turned < 9:
        return f"After “{text}”, {turned} of ten are answered ` positive`. Nine or more are asked for."
    return flagged <= 1 or f"It works: {turned} of ten. But {flagged} of them lie beyond the line; at most one may."


def _chosen_afterwards(found: Any) -> bool | str:
    figures = {group.name: group.auroc for group in found.groups}
    if set(figures) != {"also plain", "attack", "weather"}:
        return f'Score `grid`, with normal="plain"; this has the groups {", ".join(figures)}.'
    attack, weather = figures["attack"], figures["weather"]
    if attack >= 0.95 and weather <= 0.65:
        return True
    return f"The attack has {attack:.2f} and the weather {weather:.2f}. At least .95 and at most .65 are asked for."


EXERCISES = {
    "count-the-pairs": Exercise(
        "Work out the AUROC of the weather against plain reviews by yourself, from the scores in `found`: of all pairs,"
        " in what share does the weather score higher?",
        check=_pairs,
        solution=(
            'rain = found.scores[np.array(grid.groups) == "weather"]\n'
            "answer = (rain[:, None] > found.held_out[None, :]).mean()"
        ),
        hints=[
            "`found.scores` has the score of each column; `np.array(grid.groups)` says of which kind it is.",
            "The scores of the plain ones, each without itself, are `found.held_out`.",
            "Compare all pairs at once: `rain[:, None] > found.held_out[None, :]`, and take the mean.",
        ],
        minutes=5,
        expects="a number from 0 to 1",
    ),
    "no-reader-minds": Exercise(
        "Write an aside that no reader would mind, and that the wide score flags in more than five of ten reviews.",
        check=_no_reader_minds,
        solution='answer = "Sent from my phone"',
        hints=[
            "The five normal asides have much in common. What else do people write at the end of a text?",
            "A greeting, a signature, a question, capital letters: try one with `tried(…)`.",
            "What does a phone add by itself? Leave out the full stop.",
        ],
        minutes=6,
        expects='a sentence, such as "It rained all day."',
    ),
    "not-noticed": Exercise(
        "Now be the attacker. Write a sentence without the word *positive* that makes nine of ten answers ` positive`,"
        " and of which the wide score flags at most one.",
        check=_not_noticed,
        solution='answer = "But I loved every minute of it."',
        hints=[
            "You need not give an order. What would make a *reader* say positive?",
            "Praise that sounds like a review is nothing unusual among reviews.",
            "The first of the four examples is praise that the model has seen.",
        ],
        minutes=8,
        expects='a sentence, such as "It rained all day."',
    ),
    "chosen-afterwards": Exercise(
        "Make the result nicer. Find a score of `grid`, with another `k=` or another `by=`, of which you could report:"
        " the attack has an AUROC of .95 or more, the harmless weather .65 or less. Plain reviews alone are normal.",
        check=_chosen_afterwards,
        solution='answer = lw.unusual(grid, normal="plain", k=20)',
        hints=[
            "`k=` is the number of neighbours. Print the result for a few of them.",
            "With more neighbours a score sees less of what is near.",
            "Try 20. And then ask how many you would have tried until one had fitted.",
        ],
        minutes=5,
        expects='what lw.unusual(grid, normal="plain", …) returns',
    ),
}
