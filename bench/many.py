"""What many prompts cost, read at their last position, beside their bare forward passes: in batches of one length both.

Times are of the processor, on one thread, so that what else the machine does falls on none of them.
"""

from __future__ import annotations

import sys
from typing import Any

import torch

import lenswidget as lw
from bench.text import prose
from bench.timing import seconds

COUNT = 500
"""Prompts, of 55 to 65 tokens each; `python -m bench.many 100` takes fewer."""
TOGETHER = 1024
"""Tokens of a bare pass: as many as ours has, which costs least."""


def main() -> None:
    torch.set_num_threads(1)
    model = lw.load(device="cpu")
    prompts = prompts_of(model, int(sys.argv[1]) if len(sys.argv) > 1 else COUNT)
    lw.trajectories(model, prompts[:2])  # what is found out of a model once
    bare = seconds(lambda: passes(model, prompts))
    one_by_one = seconds(lambda: [model(ids[None]) for ids in prompts[:50]]) * len(prompts) / 50
    print(
        f"{len(prompts)} prompts of {sum(map(len, prompts)) / len(prompts):.0f} tokens; bare forward passes {bare:.1f} s"
    )
    print(f"  one by one: {one_by_one / bare:.2f} x")
    tuned = lw.load_lens()
    answers = [int(ids[0]) for ids in prompts]
    for name, known in {
        "logit lens": {},
        "tuned lens": {"lens": tuned},
        "logit lens, one target for all": {"target": " the"},
        "logit lens, a target for each": {"target": answers},
    }.items():
        print(f"  {name}: {seconds(lambda: lw.trajectories(model, prompts, **known)) / bare:.2f} x")  # noqa: B023


def passes(model: Any, prompts: list[torch.Tensor]) -> None:
    """The model itself, in batches of one length, all of its logits."""
    alike: dict[int, list[torch.Tensor]] = {}
    for ids in prompts:
        alike.setdefault(len(ids), []).append(ids)
    with torch.inference_mode():
        for length, some in alike.items():
            for batch in torch.stack(some).split(max(1, TOGETHER // length)):
                model(batch)


def prompts_of(model: Any, count: int) -> list[torch.Tensor]:
    """Passages of English prose, cut to 55 to 65 tokens."""
    lengths = [55 + i % 11 for i in range(count)]
    ids = [i for text in prose(sum(lengths) * 2) for i in model.tokenizer(text)["input_ids"]]
    return list(torch.tensor(ids[: sum(lengths)]).split(lengths))


if __name__ == "__main__":
    main()
