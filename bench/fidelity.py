"""What fidelity costs: beside the model's own passes over the same text and the bare products of all rows.

Two lenses on the embedded model, 256 tokens; then causal fidelity, a direction at a time.
"""

from __future__ import annotations

import time

import torch

import lenswidget as lw
from bench.readout import interleaved
from bench.text import prose

TOKENS, DIRECTIONS = 256, 4


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
    for name, seconds in times.items():
        print(f"  {name:20} {seconds:8.2f} s   {seconds / times['passes and products']:5.2f} × the bare work")
    start = time.perf_counter()
    lw.fidelity(model, lenses, texts, tokens=TOKENS, directions=DIRECTIONS)
    causal = time.perf_counter() - start - times["fidelity"]
    print(f"  causal fidelity      {causal / DIRECTIONS:8.2f} s a direction, all rows")


if __name__ == "__main__":
    main()
