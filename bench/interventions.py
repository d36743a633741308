"""What sweeps cost beside one bare forward pass of the same prompt, and beside TransformerLens's own patching.

Times are of the processor, on one thread, so that what else the machine does falls on none of them.
"""

from __future__ import annotations

import contextlib
import io
import threading
from functools import partial

import psutil
import torch
from transformer_lens import patching

import lenswidget as lw
from bench.timing import median, seconds
from lenswidget.grids.grid import Grid

SHARED = (
    "When John and Mary went to the shop, John gave a bottle of milk to",
    "When John and Mary went to the shop, Mary gave a bottle of milk to",
    " Mary",
    " John",
)
"""A pair that begins alike: the common prefix is never run twice."""
APART = (
    "The Colosseum is located in the city of",
    "The Eiffel Tower is located in the city of",
    " Paris",
    " Rome",
)


def main() -> None:
    torch.set_num_threads(1)
    model = lw.load(device="cpu")
    for name, (base_text, source_text, target, against) in {"prefix shared": SHARED, "none shared": APART}.items():
        base, source = lw.runs(model, [base_text, source_text])
        with torch.no_grad():
            F = median(lambda: model(base.tokens[None]))  # noqa: B023
        sweep = partial(lw.patch, base, source, target, against)
        first = int((base.tokens != source.tokens).nonzero()[0])
        reached = 30 * (len(base.tokens) - first)
        with contextlib.redirect_stderr(io.StringIO()):
            rows = median(sweep)
            print(f"{name}, {len(base.tokens)} tokens, F = {F * 1e3:.0f} ms")
            print(f"  rows: {rows / F:.1f} F, {rows / F / reached:.3f} F for each of {reached} reached cells")
            for unit in ("attn", "mlp", "head"):
                print(f"  {unit}: {median(partial(sweep, unit=unit)) / F:.1f} F")
            print(f"  heads at one position: {median(partial(sweep, unit='head', at=-1)) / F:.1f} F")
            if name == "prefix shared":
                theirs, heatmap = whole_heatmap(model, base, source, target, against)
                apart = float((torch.from_numpy(sweep().values("recovered")) - heatmap).abs().max())
                print(
                    f"  TransformerLens, a pass a cell: {theirs / F:.0f} F, {theirs / rows:.0f} × ours; apart by {apart:.1e}"
                )
    print(f"memory of a sweep of a prompt of 205 tokens beyond the model: {memory(model):.0f} MB")


def whole_heatmap(model: object, base: lw.Run, source: lw.Run, target: str, against: str) -> tuple[float, torch.Tensor]:
    """TransformerLens's `get_act_patch_resid_pre` of the same pair, and the seconds that it took."""
    ids = [int(model.to_single_token(text)) for text in (target, against)]  # type: ignore[attr-defined]
    with torch.no_grad():
        _, cache = model.run_with_cache(source.tokens[None])  # type: ignore[attr-defined]

        def metric(logits: torch.Tensor) -> torch.Tensor:
            return logits[0, -1, ids[0]] - logits[0, -1, ids[1]]

        low, high = (metric(model(run.tokens[None])) for run in (base, source))  # type: ignore[operator]
        found: list[torch.Tensor] = []
        took = seconds(lambda: found.append(patching.get_act_patch_resid_pre(model, base.tokens[None], cache, metric)))
    return took, (found[0] - low) / (high - low)


def memory(model: object) -> float:
    """How much the process grows during a sweep, at most."""
    text = " ".join(["word"] * 200)
    base, source = lw.runs(model, [f"{text} one of a few", f"{text} two of a few"])
    process = psutil.Process()
    before, most, done = process.memory_info().rss, 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.005):
            most = max(most, process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    with contextlib.redirect_stderr(io.StringIO()):
        grid: Grid = lw.patch(base, source, " one", metric="KL")
    done.set()
    watcher.join()
    del grid
    return (most - before) / 1e6


if __name__ == "__main__":
    main()
