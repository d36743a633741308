"""What fidelity costs: beside the model's own passes over the same text and the bare products of all rows.

Two lenses on the embedded model, 256 tokens; then causal fidelity of one lens along 16 directions, beside the forward passes that
it needs: from each row on, to the last; then the causal basis of a row. `python -m bench.fidelity erase` erases, and says how the
shipped lens does.
"""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
import torch

import lenswidget as lw
from bench.readout import interleaved
from bench.styles import held_out_pages
from bench.text import prose
from bench.timing import median, seconds
from lenswidget.lenses.causal import Trial
from lenswidget.lenses.fidelity import windows_of
from lenswidget.model.backends import backend_of

TOKENS, DIRECTIONS = 256, 16


def main(device: str = "cuda" if torch.cuda.is_available() else "cpu") -> None:
    model = lw.load(device=device)
    texts = prose(TOKENS * 4, held_out=True)
    windows = [model.to_tokens(text)[0].split(128)[0] for text in texts][: TOKENS // 128]
    lenses = [lw.LogitLens(), lw.NegativeLens()]
    run = lw.run(model, windows[0])
    x = run.residual.flatten(0, 1)
    out = torch.empty(len(x), run.readout.vocabulary, device=device)

    def bare() -> None:
        for window in windows:
            model(window[None])
            for _ in lenses:
                torch.mm(x, run.readout.W_U, out=out)

    def ours() -> None:
        lw.fidelity(model, lenses, texts, tokens=TOKENS)

    with torch.inference_mode():
        times = interleaved({"passes and products": bare, "fidelity": ours}, device, rounds=3)
    print(f"fidelity, {len(lenses)} lenses × {TOKENS} tokens, {device}, {torch.get_num_threads()} threads")
    for name, spent in times.items():
        print(f"  {name:20} {spent:8.2f} s   {spent / times['passes and products']:5.2f} × the bare work")


def causal() -> None:
    """Seconds of the processor: what else the machine does falls on none of them."""
    torch.set_num_threads(1)
    model, lens = lw.load(device="cpu"), lw.load_lens()
    backend = backend_of(model)
    runs = list(windows_of(backend, prose(TOKENS * 4, held_out=True), TOKENS, 0))
    trial = Trial.of(backend, runs, DIRECTIONS)
    sites, last = backend.rows, len(backend.rows) - 1
    some = [0, last // 2, last]

    def passes() -> None:
        for prompt in trial.prompts:
            tokens = prompt.tokens.expand(DIRECTIONS, -1)
            backend.forward(tokens, keep={}, stop=sites[-1])

    whole = median(passes)
    spent = []
    for row in some:
        spent.append(median(partial(trial.respond, [lens], row, DIRECTIONS)))
        print(
            f"  row {row:2}  {spent[-1]:6.2f} s, and {whole * (last - row) / last:6.2f} s of passes from there on",
            flush=True,
        )
    rows = np.arange(last + 1)
    ratio = np.interp(rows, some, spent).sum() / (whole * (last - rows) / last).sum()
    print(
        f"causal fidelity, all rows, {DIRECTIONS} directions, 1 thread: {ratio:.2f} × the forward passes that it needs"
    )


def basis() -> None:
    """Seconds of the processor for eight vectors of one row, and how strong they are together."""
    torch.set_num_threads(1)
    model, lens = lw.load(device="cpu"), lw.load_lens()
    texts = prose(TOKENS * 4, held_out=True)
    lw.run(model, texts[0][:100])  # what is found out of a model once
    found: list[lw.CausalBasis] = []
    spent = seconds(lambda: found.append(lw.causal_basis(model, lens, texts, row="L23")))
    print(
        f"causal basis, 8 vectors of L23, 1 thread: {spent:.1f} s; their energies sum to {found[0].energy.sum():.2f} bits"
    )


def erase() -> None:
    """The Spearman correlation by erasing, by row of the upper half, of the shipped lens and the raw one."""
    model = lw.load(device="cpu")
    rows = ["L14", "L17", "L20", "L23", "L26", "L28"]
    lenses = [lw.LogitLens(), lw.load_lens()]
    texts = held_out_pages(model.tokenizer)["prose"]
    measured = lw.fidelity(model, lenses, texts, rows=rows, tokens=TOKENS, directions=DIRECTIONS, how="erase")
    print(measured)
    print(f"mean over rows: {measured.influence[:-1].mean(0)}")


if __name__ == "__main__":
    {"erase": erase, "causal": causal, "basis": basis}.get(sys.argv[-1], main)()
    if len(sys.argv) < 2:
        causal()
        basis()
