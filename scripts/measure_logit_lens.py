"""Measures how far the raw logit lens of the embedded model can be believed: `python -m scripts.measure_logit_lens`.

On the pages of text on which the shipped lens is measured, too, one of each style (`bench/held_out/`). What comes of it goes to
lenswidget/data/, and is shown beside the rows of every logit lens of that model.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32

import lenswidget as lw
from bench.styles import held_out_pages
from lenswidget.lenses.measured_logit import FILE, MeasuredLogitLens, Seen
from lenswidget.model.backends import backend_of

PROMPT = "When the storm had passed, the keeper went down to the harbour"
"""What the model is known by."""
WORDS = "a page each of prose, a story, chats and code, which no fit of ours has seen"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the raw logit lens of the embedded model.")
    parser.add_argument("-o", "--output", type=Path, default=FILE)
    options = parser.parse_args()

    model = lw.load(device="cpu")
    measured = lw.fidelity(model, lw.LogitLens(), held_out_pages(model.tokenizer), tokens=2_000)
    backend = backend_of(model)
    with torch.no_grad():
        seen = Seen.of(backend, tuple(backend.encode(PROMPT).tolist()))
    card = MeasuredLogitLens(
        model=measured.model,
        data=WORDS,
        tokens=measured.tokens,
        kl=by_row(measured.kl),
        kl_by_style={style: by_row(part.kl) for style, part in measured.styles.items()},
        agreement=by_row(measured.agreement),
        blind=round(measured.blind, 4),
        seen=seen,
    )
    card.save(options.output)
    print(measured)
    print(f"{options.output}: {options.output.stat().st_size / 1e3:.1f} kB")


def by_row(figures: Float32[np.ndarray, "rows lenses"]) -> tuple[float, ...]:
    return tuple(round(float(figure), 4) for figure in figures[:, 0])


if __name__ == "__main__":
    main()
