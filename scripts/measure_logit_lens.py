"""Measures how far the raw logit lens of the embedded model can be believed: `python -m scripts.measure_logit_lens`.

On text that neither the shipped lens nor a fit of ours has seen. What comes of it goes to lenswidget/data/, and is shown beside
the rows of every logit lens of that model.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

import lenswidget as lw
from bench.fit_embedded import WORDS
from bench.text import mixture
from lenswidget.lenses.measured_logit import FILE, MeasuredLogitLens, Seen
from lenswidget.model.backends import backend_of

PROMPT = "When the storm had passed, the keeper went down to the harbour"
"""What the model is known by."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the raw logit lens of the embedded model.")
    parser.add_argument("--tokens", type=int, default=8_192)
    parser.add_argument("-o", "--output", type=Path, default=FILE)
    options = parser.parse_args()

    model = lw.load(device="cpu")
    measured = lw.fidelity(model, lw.LogitLens(), mixture(model, options.tokens, held_out=True), tokens=options.tokens)
    backend = backend_of(model)
    with torch.no_grad():
        seen = Seen.of(backend, tuple(backend.encode(PROMPT).tolist()))
    card = MeasuredLogitLens(
        model=measured.model,
        data=WORDS,
        tokens=measured.tokens,
        kl=tuple(round(float(kl), 4) for kl in measured.kl[:, 0]),
        agreement=tuple(round(float(share), 4) for share in measured.agreement[:, 0]),
        blind=round(measured.blind, 4),
        seen=seen,
    )
    card.save(options.output)
    print(measured)
    print(f"{options.output}: {options.output.stat().st_size / 1e3:.1f} kB")


if __name__ == "__main__":
    main()
