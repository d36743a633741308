"""A prompt of 2,000 tokens: how long until its last columns can be painted, beside a forward pass and the whole readout."""

from __future__ import annotations

import time

import torch

import lenswidget as lw
from bench.readout import TEXT
from lenswidget.lenses.reader import Asked

TOKENS = 2000


def main() -> None:
    model = lw.load(device="cpu")
    words = model.to_tokens(TEXT)[0]
    ids = words.repeat(1 + TOKENS // len(words))[:TOKENS]
    clock = time.process_time
    start = clock()
    with torch.inference_mode():
        model(ids[None])
    forward = clock() - start
    start = clock()
    reader = Asked(lw.LogitLens()).of(lw.run(model, ids))
    run = clock() - start
    start, pieces, first = clock(), [], 0.0
    for piece in reader.pieces():
        pieces.append(piece)
        first = first or clock() - start
    read = clock() - start
    grid = reader.together(pieces)
    together = clock() - start - read
    assert grid.shape[1] == TOKENS
    print(f"{TOKENS} tokens in {len(pieces)} pieces, seconds of the processor")
    print(f"  bare forward pass   {forward:7.2f}   the run {run:7.2f}")
    print(f"  first piece         {first:7.2f}   {first / read:.3f} of all pieces")
    print(f"  all pieces          {read:7.2f}   put together {together:.3f}")
    print(
        f"  run and first piece / forward pass and a tenth of the readout: {(run + first) / (forward + read / 10):.2f}"
    )


if __name__ == "__main__":
    main()
