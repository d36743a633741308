"""An edit dropped in the widget: from the drop to the picture that is sent, beside a bare forward pass and the readout.

python -m bench.experiment
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch

import lenswidget as lw
from lenswidget.view.wire import encode

PROMPTS = ["The Eiffel Tower is located in the city of", "The Colosseum is located in the city of"]
TIMES = 7


def median(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(TIMES):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def main() -> None:
    torch.set_num_threads(1)
    model = lw.load()
    source, base = lw.runs(model, PROMPTS)
    widget = lw.LensWidget(lw.compare(lw.logit_lens(source), lw.logit_lens(base)))
    backend = base.require_activations().backend
    tokens = base.tokens.unsqueeze(0)

    def forward() -> None:
        with torch.no_grad():
            backend.model(tokens)

    def readout() -> None:
        base.readout.read(base.residual, base.following, k=10, targets=[])

    drops = iter(range(TIMES))

    def drop() -> None:
        widget.edits = [{"grid": 1, "site": f"L{10 + next(drops)}", "position": 2, "to": [0, 2], "on": True}]
        assert widget.wait() and widget.failure is None

    f, r, d = (median(work) for work in (forward, readout, drop))
    print(
        f"forward {1000 * f:.0f} ms, readout {1000 * r:.0f} ms; drop to picture {1000 * d:.0f} ms: {d / (f + r):.2f} × both"
    )
    sweep = lw.patch(base, source, " Paris", against=" Rome")
    print(f"a sweep of {sweep.shape[0]} × {sweep.shape[1]} in a page: {len(encode([sweep])):,} B")


if __name__ == "__main__":
    main()
