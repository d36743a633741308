"""What a reader waits for after Enter: a prompt of 16 tokens, until its picture is on its way to the browser.

The yardstick in the same run is the bare forward pass, and the readout of its residual stream.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

import lenswidget as lw

PROMPTS = [
    "The river that flows through the middle of London and out to the sea is called",
    "The tallest mountain on the whole of the earth, as everybody knows, is called the",
]
ROUNDS = 4


def main() -> None:
    model = lw.load(device="cpu")
    ids = [model.to_tokens(prompt)[:, :16] for prompt in PROMPTS]
    texts = [model.tokenizer.decode(tokens[0]) for tokens in ids]
    sizes = {lw.run(model, text).residual.shape[1] for text in texts}
    runs = [lw.run(model, text) for text in texts]
    widget = lw.live(model, texts[1])

    def forward(i: int) -> None:
        with torch.inference_mode():
            model(ids[i])

    def readout(i: int) -> None:
        runs[i].readout.read(runs[i].residual, runs[i].following)

    def live(i: int) -> None:
        widget.prompt = texts[i]
        widget.wait()
        assert widget.progress == {"state": "idle"}, widget.progress

    # in turn, so that what else the machine does falls on all of them
    times: dict[str, list[float]] = {"forward": [], "readout": [], "live": []}
    for i in range(2 * ROUNDS):
        for name, work in (("forward", forward), ("readout", readout), ("live", live)):
            times[name].append(timed(work, i % 2))
    bare, read, shown = (sorted(times[name])[ROUNDS] for name in times)
    print(f"live, prompts of {sorted(sizes)} tokens, {model.cfg.n_layers + 1} rows")
    print(f"  bare forward pass         {1000 * bare:8.0f} ms")
    print(f"  readout                   {1000 * read:8.0f} ms")
    print(f"  Enter to picture sent     {1000 * shown:8.0f} ms: {shown / (bare + read):.2f} × both")


def timed(work: Callable[[int], None], i: int) -> float:
    start = time.perf_counter()
    work(i)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
