"""A patchscope of 30 rows × 10 columns, readout and all, beside one bare forward pass of the same prompt."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

import lenswidget as lw

PROMPT = "The Eiffel Tower is located in the city of"
ROUNDS = 5


def main() -> None:
    model = lw.load(device="cpu")
    ids = model.to_tokens(PROMPT)
    run = lw.run(model, PROMPT)
    rows, columns = run.residual.shape[0] - 1, run.residual.shape[1]

    def forward() -> None:
        with torch.inference_mode():
            model(ids)

    works: dict[str, Callable[[], object]] = {
        "forward": forward,
        "patchscope": lambda: lw.read(run, lw.Patchscope()),
        "logit lens": lambda: lw.logit_lens(run),
    }
    for work in works.values():
        work()
    # in turn, so that what else the machine does falls on all of them
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            times[name].append(time.perf_counter() - start)
    bare, patched, read = (sorted(some)[ROUNDS // 2] for some in times.values())
    print(f"patchscope, {rows} rows × {columns} columns: {rows * columns} states put into a target prompt")
    print(f"  bare forward pass         {1000 * bare:8.0f} ms")
    print(f"  the same, logit lens      {1000 * read:8.0f} ms: {read / bare:.1f} × the bare pass")
    print(f"  patchscope, readout too   {1000 * patched:8.0f} ms: {patched / bare:.1f} × the bare pass")


if __name__ == "__main__":
    main()
