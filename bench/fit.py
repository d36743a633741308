"""What fits cost and what they reach, on the embedded model and text that any machine has.

`python -m bench.fit linear` times a linear fit beside its forward passes and measures what memory it adds; `python -m bench.fit
tuned 240` takes so many steps, in our way and by the tuned-lens library's recipe, with the processor seconds of each, and
measures all of them on text that none has seen.
"""

from __future__ import annotations

import gc
import sys
import time

import torch

import lenswidget as lw
from bench.readout import resident
from bench.text import prose
from lenswidget.lenses.fitting.regression import Moments
from lenswidget.lenses.fitting.residuals import Residuals
from lenswidget.lenses.fitting.text import Text
from lenswidget.model.backends import backend_of

TOKENS = 20_000
HELD_OUT = 2_048
WORDS = "docstrings of the Python standard library and package descriptions"


def evaluate(model: object, lenses: dict[str, lw.Lens]) -> dict[str, list[float]]:
    """Mean KL(output ‖ row) in bits, by row: the definition, window by window, apart from what fits measure."""
    windows = torch.stack(
        list(Text(backend_of(model), prose(HELD_OUT, held_out=True), held_out=0).batches(1))[: HELD_OUT // 256]
    )[:, 0]
    totals: dict[str, torch.Tensor] = {}
    with torch.inference_mode():
        for ids in windows:
            run = lw.run(model, ids)
            q = run.readout.logits(run.residual[-1, 1:]).log_softmax(-1)
            for name, lens in lenses.items():
                rows = [run.readout.logits(lens.move(h, i)[1:]) for i, h in enumerate(run.residual[:-1])]
                kl = [float((q.exp() * (q - z.log_softmax(-1))).sum(-1).mean()) for z in rows]
                totals[name] = totals.get(name, torch.zeros(len(kl))) + torch.tensor(kl)
    return {name: (total / len(windows) / torch.log(torch.tensor(2.0))).tolist() for name, total in totals.items()}


def report(figures: dict[str, list[float]]) -> None:
    chosen = [0, 6, 12, 18, 24, 29]
    print(f"held-out KL to the output, bits: mean over rows, and rows {chosen}")
    base = sum(figures["linear"])
    for name, kl in figures.items():
        rows = "".join(f"{kl[row]:8.2f}" for row in chosen)
        print(f"  {name:28} {sum(kl) / len(kl):7.3f}{rows}   {100 * (sum(kl) / base - 1):+6.1f} % of linear")


def linear() -> None:
    model, texts = lw.load(), prose(TOKENS * 2)
    ratios = []
    lens = lw.LinearLens.fit(model, texts, tokens=4096, held_out=0)
    for _ in range(3):  # in turn with the yardstick, so that a noisy minute falls on both
        forward = Residuals(backend_of(model))
        text, read, start = Text(backend_of(model), texts, held_out=0), 0, time.perf_counter()
        for windows in text.batches(16):
            (residual,) = forward(windows)
            read += residual.shape[1]
            if read >= TOKENS:
                break
        alone = time.perf_counter() - start
        start = time.perf_counter()
        lens = lw.LinearLens.fit(model, texts, tokens=TOKENS, held_out=0, data=WORDS)
        ratios.append((time.perf_counter() - start) / alone)
    print(f"linear lens, {lens.card.tokens:,} tokens, {torch.get_num_threads()} threads")
    print(f"  fit / its forward passes alone: {', '.join(f'{r:.2f}' for r in ratios)} (the last: {alone:.1f} s)")
    for tokens in (10_000, 40_000):
        gc.collect()
        before = resident()
        moments = None
        peak = before
        read = 0
        for windows in Text(backend_of(model), texts, held_out=0).batches(16):
            (residual,) = Residuals(backend_of(model))(windows)
            moments = moments or Moments(residual)
            moments.add(residual)
            read += residual.shape[1]
            peak = max(peak, resident())
            if read >= tokens:
                break
        print(f"  memory that a fit on {tokens:,} tokens adds: {(peak - before) / 2**20:.0f} MB")
        del moments, residual
    report(evaluate(model, {"logit": lw.LogitLens(), "linear": lens}))


def tuned(steps: int) -> None:
    model, texts = lw.load(), prose(150_000)
    lenses: dict[str, lw.Lens] = {"logit": lw.LogitLens()}
    lenses["linear"] = lw.LinearLens.fit(model, texts, tokens=TOKENS, held_out=0, data=WORDS)
    for name, settings in {
        "tuned": {},
        "the library's recipe": {"optimizer": "sgd", "start": "identity"},
    }.items():
        began = time.process_time()
        lenses[name] = lens = lw.TunedLens.fit(model, texts, steps=steps, held_out=128, data=WORDS, **settings)
        spent = time.process_time() - began
        print(f"{name}: {lens.card.tokens:,} tokens, {spent:.0f} s of processor", flush=True)
    report(evaluate(model, lenses))


if __name__ == "__main__":
    if "tuned" in sys.argv:
        tuned(int(sys.argv[2]))
    else:
        linear()
