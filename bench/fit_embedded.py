"""Fit the tuned lens that is shipped for the embedded model: `python -m bench.fit_embedded FOLDER`.

Writes `fit.pt`, a checkpoint that it goes on from when called again, and when it is done `full.safetensors`, which
`scripts/pack_lens.py` packs.
"""

from __future__ import annotations

import sys
from pathlib import Path

import lenswidget as lw
from bench.text import mixture

WORDS = "text that the model wrote itself, docstrings of the Python standard library and package descriptions"


def main(folder: Path, steps: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    model = lw.load()
    checkpoint = folder / "fit.pt"
    lens = lw.TunedLens.fit(
        model,
        mixture(model, steps * 256 + 20_000),
        steps=steps,
        data=WORDS,
        checkpoint=checkpoint,
        resume=checkpoint if checkpoint.exists() else None,
    )
    lens.save(folder / "full.safetensors")
    print(lens.card)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 240)
