"""Fits the tuned lens that comes with lenswidget: `python -m scripts.fit_shipped_lens FOLDER`.

On text of four styles (`bench/styles.py`): documentation and articles, stories, chats and code. What the model writes of it is
kept in FOLDER, and so is a checkpoint, from which the fit goes on when this is called again. At the end FOLDER has
`full.safetensors`, which `scripts/pack_lens.py` packs. `--start` is a lens to go on from.

`--mean EARLIER` takes 0.7 of the fit and 0.3 of an earlier lens of the model: where each fit has its own noise, their mean has
less (Wortsman et al. 2022, arXiv 2203.05482), and it is nearer to the output than either on prose, on chats and on code. What is
shipped is so made of 280 steps on the four styles (100 of a schedule of 400, then on to 280) and of the lens of commit 6964818,
240 steps on documentation and text that the model wrote:

    git show 6964818:lenswidget/data/smollm2-135m.safetensors >earlier.safetensors
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

import torch

import lenswidget as lw
from bench.styles import of_style
from bench.text import in_turn

SHARES = {"prose": 0.27, "story": 0.21, "chat": 0.26, "code": 0.26}
UNIQUE = 100_000
"""Tokens of text, of which a longer fit reads once more."""
WORDS = (
    "prose, stories, chats and code: documentation of Python and its packages, its standard library, and what the model wrote "
    "itself"
)
STEPS = 280
EARLIER = 0.3
"""The share of an earlier lens in a mean."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Fit the tuned lens of the embedded model.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--start", default="linear", help="the path or name of a lens to go on from")
    parser.add_argument("--mean", help="the path of an earlier lens to take the mean with")
    options = parser.parse_args()
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)

    model = lw.load(device="cpu")
    for style, share in SHARES.items():
        kept = folder / f"{style}.json"
        if not kept.exists():
            kept.write_text(json.dumps(of_style(model, style, int(UNIQUE * share))), "utf-8")
    checkpoint = folder / "fit.pt"
    start = options.start if options.start == "linear" else lw.load_lens(options.start)
    lens = lw.TunedLens.fit(
        model,
        texts_of(folder),
        steps=options.steps,
        start=start,
        data=WORDS,
        checkpoint=checkpoint,
        resume=checkpoint if checkpoint.exists() else None,
    )
    if options.mean:
        lens = mean_of(lens, lw.load_lens(options.mean))
    lens.save(folder / "full.safetensors")
    print(lens.card)


def mean_of(lens: lw.FittedLens, earlier: lw.FittedLens) -> lw.TunedLens:
    """Of two lenses of one model, row by row."""
    card = dataclasses.replace(
        lens.card,
        tokens=lens.card.tokens + earlier.card.tokens,
        settings={**lens.card.settings, "mean": {"with": earlier.digest, "share": EARLIER}},
    )
    weight, bias = (torch.lerp(getattr(lens, part), getattr(earlier, part), EARLIER) for part in ("weight", "bias"))
    return lw.TunedLens(weight, bias, card, lens.sample)


def texts_of(folder: Path) -> list[str]:
    """What was fitted on, the styles by turns."""
    return in_turn(*(json.loads((folder / f"{style}.json").read_text("utf-8")) for style in SHARES))


if __name__ == "__main__":
    main()
