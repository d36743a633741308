"""Fit the tuned lens that is shipped for the embedded model: `python -m bench.fit_embedded FOLDER`.

Writes `fit.pt`, a checkpoint that it goes on from when called again, and when it is done `tuned.pt`: weight, bias and card
of the lens, in float32, the second moments of every row for whoever rounds them, and the held-out windows of its card.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import torch

import lenswidget as lw
from bench.text import mixture
from lenswidget.lenses.fitting import Residuals
from lenswidget.lenses.linear import regress
from lenswidget.lenses.text import Text

WORDS = "text that the model wrote itself, docstrings of the Python standard library and package descriptions"


def main(folder: Path, steps: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    model = lw.load()
    texts = mixture(model, steps * 256 + 20_000)
    checkpoint = folder / "fit.pt"
    lens = lw.TunedLens.fit(
        model, texts, steps=steps, data=WORDS, checkpoint=checkpoint, resume=checkpoint if checkpoint.exists() else None
    )
    text = Text(model, texts)
    moments = regress(text.batches(16, mixed=True), Residuals(model), 20_000, lambda share: False)
    # positions in the second place: about zero, as a rounding sees rows
    second = torch.stack([
        (moments.covariance(row) + torch.outer(moments.mean[row], moments.mean[row])).float()
        for row in range(len(lens.weight))
    ])  # fmt: skip
    saved = {"weight": lens.weight, "bias": lens.bias, "card": asdict(lens.card), "second_moments": second}
    torch.save(saved | {"mean": moments.mean.float(), "held_out": text.held_out}, folder / "tuned.pt")
    print(lens.card)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 240)
