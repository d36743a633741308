"""Fits the tuned lens that comes with lenswidget: `python -m scripts.fit_shipped_lens FOLDER`.

On text of four styles (`bench/styles.py`): documentation and articles, stories, chats and code. Then the fit goes on with code by
many hands, that of the packages that are installed and of the front-end's. What the model writes is kept in FOLDER, and so are
checkpoints, from which the fit goes on when this is called again. At the end FOLDER has `full.safetensors`, which
`scripts/pack_lens.py` packs. The first part takes six minutes on an H100 (`--device cuda`), two of them to write, and hours on
two cores of a processor; the second takes twenty minutes there.

What is shipped is what this made. Mean KL to the output of rows 0, 3, … 27, in bits, on text that no fit has seen: a page of each
style (`bench/held_out/`), and excerpts of packages that `bench/styles.py` holds out, packed all of them:

                       prose  story  chat  code   Python  JavaScript
    the lens before     2.51   2.14  2.59  2.99     3.22        4.10
    the first part      2.40   2.05  2.43  2.37     2.81        3.77
    both                2.44   2.10  2.47  2.33     2.58        2.82
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import lenswidget as lw
from bench.styles import of_style, packaged_code
from bench.text import in_turn

SHARES = {"prose": 0.26, "story": 0.16, "chat": 0.24, "code": 0.34}
"""Code has the largest, being what a lens reads worst."""
UNIQUE = 1_500_000
"""Tokens of text, of which a longer fit reads once more."""
STEPS = 2_438
FURTHER = {"prose": 0.2, "story": 0.12, "chat": 0.2, "code": 0.13, "packages": 0.35}
"""Then the fit goes on, with code by many hands: one library has one style, and a lens of it alone was no nearer on others."""
FURTHER_STEPS, FURTHER_RATE = 1_000, 0.01
PACKAGED = 400_000
"""Tokens of that code."""
WORDS = "prose, stories, chats and code: documentation of Python and its packages, their code, and what the model wrote itself"


def main() -> None:
    parser = argparse.ArgumentParser(description="Fit the tuned lens of the embedded model.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tokens", type=int, default=UNIQUE, help="how much text")
    parser.add_argument("--steps", type=int, default=STEPS, help="of about 256 tokens")
    parser.add_argument("--further", type=int, default=FURTHER_STEPS, help="steps of the second part")
    parser.add_argument("--rate", type=float, help="the peak of the learning rate")
    parser.add_argument("--device", default="cpu", help="as in cuda")
    options = parser.parse_args()
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)

    model = lw.load(device=options.device)
    for style, share in SHARES.items():
        kept = folder / f"{style}.json"
        if not kept.exists():
            kept.write_text(json.dumps(of_style(model, style, int(options.tokens * share))), "utf-8")
            print(f"{style}: {kept.stat().st_size:,} characters", flush=True)
    packages = folder / "packages.json"
    if not packages.exists():
        packages.write_text(json.dumps(packaged_code(PACKAGED)), "utf-8")
    first = folder / "first.safetensors"
    if not first.exists():
        fit(model, folder, SHARES, options.steps, options.rate).save(first)
    lens = fit(model, folder, FURTHER, options.further, FURTHER_RATE, start=lw.load_lens(first))
    lens.save(folder / "full.safetensors")
    print(lens.card)


def fit(
    model: Any, folder: Path, shares: dict[str, float], steps: int, rate: float | None, **known: Any
) -> lw.FittedLens:
    """A fit that goes on from its checkpoint, where it was interrupted."""
    checkpoint = folder / f"{'-'.join(shares)}.pt"
    return lw.TunedLens.fit(
        model,
        by_style(folder, shares),
        shares=shares,
        steps=steps,
        rate=rate,
        held_out=8_192,
        data=WORDS,
        checkpoint=checkpoint,
        resume=checkpoint if checkpoint.exists() else None,
        **known,
    )


def by_style(folder: Path, styles: Iterable[str]) -> dict[str, list[str]]:
    """What was fitted on."""
    return {style: json.loads((folder / f"{style}.json").read_text("utf-8")) for style in styles}


def texts_of(folder: Path) -> list[str]:
    """The same, the styles by turns."""
    return in_turn(*by_style(folder, FURTHER).values())


if __name__ == "__main__":
    main()
