"""What fits cost and what they reach, on the embedded model and text that any machine has.

`python -m bench.fit linear` times a linear fit beside its forward passes. `python -m bench.fit memory` measures what fits add to
a process, on so much text and on four times as much. `python -m bench.fit tuned 160` takes so many steps, in our way, and the
tuned-lens library's optimiser and schedule through as many forward passes, to their end; a few rows of each, measured on text
that none has seen.
"""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import torch

import lenswidget as lw
from bench.text import prose
from lenswidget.lenses.fitting.parallel import Workers
from lenswidget.lenses.fitting.residuals import Residuals
from lenswidget.lenses.fitting.sampled_kl import Sample
from lenswidget.lenses.fitting.text import Text
from lenswidget.lenses.fitting.training import START_TOKENS
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
    report(evaluate(model, {"logit": lw.LogitLens(), "linear": lens}))


def tuned(steps: int, rows: tuple[str, ...] = ("L5", "L14", "L23")) -> None:
    model, texts = lw.load(), prose(150_000)
    quiet: dict[str, Any] = {"held_out": 0, "data": WORDS, "rows": rows, "watch": lambda progress: None}
    began = time.process_time()
    ours = lw.TunedLens.fit(model, texts, steps=steps, **quiet)
    tokens = START_TOKENS + ours.card.tokens
    print(
        f"ours: {steps} steps, {tokens:,} tokens with those of the start, {time.process_time() - began:.0f} s",
        flush=True,
    )
    began = time.process_time()
    chosen = [ours_row for ours_row, label in enumerate(lw.run(model, "The").labels) if label in rows]
    theirs = as_the_library(model, texts, tokens, chosen)
    print(f"the library's way: {STEPS} steps, as many tokens, {time.process_time() - began:.0f} s", flush=True)
    figures = evaluate(model, {"logit": lw.LogitLens(), "ours": ours, "the library's way": theirs})
    print(f"KL to the output, bits, of {', '.join(rows)} on text that none has seen")
    for name, kl in figures.items():
        print(f"  {name:20}" + "".join(f"{kl[row]:8.2f}" for row in chosen))


STEPS = 250


def as_the_library(model: object, texts: list[str], tokens: int, rows: list[int]) -> lw.TunedLens:
    """A lens from the identity by the defaults of the tuned-lens library's trainer, apart from how ours descends: SGD with
    Nesterov momentum 0.9, a rate of 1 · (1 - 0.9) that falls to zero in a line, weight decay 1e-3, gradients clipped to 1.0,
    250 steps.

    Its steps are of 2¹⁸ tokens; these share `tokens`. The KL is that on a sample of the vocabulary, as in our fits.
    """
    lens = lw.TunedLens.identity(model)
    backend = backend_of(model)
    one = lw.run(model, "The")
    each = tokens // STEPS
    device = backend.device
    weights = {
        row: tuple(torch.zeros(*shape, device=device, requires_grad=True) for shape in ((576, 576), (576,)))
        for row in rows
    }
    optimizer = torch.optim.SGD(
        [part for pair in weights.values() for part in pair],
        lr=1.0 * (1 - 0.9),
        momentum=0.9,
        nesterov=True,
        weight_decay=1e-3,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / STEPS)
    generator = torch.Generator().manual_seed(0)
    residuals = Residuals(backend)
    waiting = torch.empty(len(one.labels), 0, 576, device=device)
    text = Text(backend, texts, held_out=0).batches(16, mixed=True)
    for _ in range(STEPS):
        while waiting.shape[1] < each:
            (some,) = residuals(next(text))
            # neighbours are too alike for one step
            mixed = some[:, torch.randperm(some.shape[1], generator=generator)]
            waiting = torch.cat([waiting, mixed], dim=1)
        batch, waiting = waiting[:, :each], waiting[:, each:]
        sample = Sample.of(one.readout, batch[-1], generator, Workers())
        optimizer.zero_grad()
        for row, (weight, bias) in weights.items():
            h = batch[row]
            (sample.kl(h + h @ weight.T + bias) / len(h)).backward()
            torch.nn.utils.clip_grad_norm_([weight, bias], 1.0)
        optimizer.step()
        schedule.step()
    for row, (weight, bias) in weights.items():
        lens.weight[row], lens.bias[row] = weight.detach(), bias.detach()
    return lens


FIT = """
import resource, sys
import lenswidget as lw
from bench.text import prose
model, texts = lw.load(device="cpu"), prose(100_000)
lw.run(model, list(range(256)))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
{fit}
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
FITS = {
    "linear, tokens": ("lw.LinearLens.fit(model, texts, tokens={}, held_out=0)", 10_000),
    "tuned, steps": ("lw.TunedLens.fit(model, texts, steps={}, rows=['L5', 'L14'], held_out=0, watch=print)", 16),
}


def memory() -> None:
    """What fits add to the peak of a process of their own, on so much text and on four times as much."""
    for name, (fit, amount) in FITS.items():
        for much in (amount, 4 * amount):
            done = subprocess.run(
                [sys.executable, "-c", FIT.format(fit=fit.format(much))], check=True, capture_output=True, text=True
            )
            print(f"{name} {much:,}: {int(done.stdout.split()[-1]):,} MB", flush=True)


if __name__ == "__main__":
    if "tuned" in sys.argv:
        tuned(int(sys.argv[2]) if len(sys.argv) > 2 else 160)
    elif "memory" in sys.argv:
        memory()
    else:
        linear()
