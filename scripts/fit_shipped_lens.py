"""Fits the tuned lens that comes with lenswidget: `python -m scripts.fit_shipped_lens FOLDER`.

On text of four styles (`bench/styles.py`): documentation and articles, stories, chats and code. What the model writes of it is
kept in FOLDER, and so is a checkpoint, from which the fit goes on when this is called again. At the end FOLDER has
`full.safetensors`, which `scripts/pack_lens.py` packs. On an H100 all of it takes six minutes (`--device cuda`), two of them to
write; on two cores of a processor, hours.

**What is shipped now is of an earlier form of this script**, that of commit ca46752, and took a file of the git history. This
one was run once, and is nearer to the output on a page of each style that no fit has seen: mean KL of rows 0, 3, … 27 in bits,
before packing, all of a page in one window:

            prose  story  chat  code
    shipped  2.61   2.19  2.87  3.52
    this     2.48   2.06  2.69  2.78
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import lenswidget as lw
from bench.styles import of_style
from bench.text import in_turn

SHARES = {"prose": 0.26, "story": 0.16, "chat": 0.24, "code": 0.34}
"""Code has the largest, being what a lens reads worst."""
UNIQUE = 1_500_000
"""Tokens of text, of which a longer fit reads once more."""
STEPS = 2_438
WORDS = (
    "prose, stories, chats and code: documentation of Python and its packages, its standard library, and what the model wrote "
    "itself"
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Fit the tuned lens of the embedded model.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tokens", type=int, default=UNIQUE, help="how much text")
    parser.add_argument("--steps", type=int, default=STEPS, help="of about 256 tokens")
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
    checkpoint = folder / "fit.pt"
    lens = lw.TunedLens.fit(
        model,
        by_style(folder),
        shares=SHARES,
        steps=options.steps,
        rate=options.rate,
        held_out=8_192,
        data=WORDS,
        checkpoint=checkpoint,
        resume=checkpoint if checkpoint.exists() else None,
    )
    lens.save(folder / "full.safetensors")
    print(lens.card)


def by_style(folder: Path) -> dict[str, list[str]]:
    """What was fitted on."""
    return {style: json.loads((folder / f"{style}.json").read_text("utf-8")) for style in SHARES}


def texts_of(folder: Path) -> list[str]:
    """The same, the styles by turns."""
    return in_turn(*by_style(folder).values())


if __name__ == "__main__":
    main()
