"""What attribution costs: beside TransformerLens, beside a forward pass, and in memory.

All on the embedded model: every head at every position of 256 tokens; the 50 strongest of all neurons at one position;
one jump explained. What a run takes more because it keeps the last position's activations is in bench.first_run.
"""

from __future__ import annotations

import ctypes
import gc
import subprocess
import sys
import threading
from typing import Any

import torch

import lenswidget as lw
from bench.readout import TEXT, interleaved, resident

PROMPT = "The Eiffel Tower is located in the city of"
JOBS = ("ours, heads", "TransformerLens, heads", "ours, neurons")


def main(device: str = "cuda" if torch.cuda.is_available() else "cpu") -> None:
    model = lw.load(device=device)
    run, cache = _long(model)
    paris = model.to_single_token(" Paris")
    heads = interleaved(
        {
            "ours": lambda: lw.attribute(run, paris, unit="head", position=None),
            "TransformerLens": lambda: transformer_lens_heads(cache, paris),
        },
        device,
        rounds=3,
    )
    print(f"every head, {len(run.tokens)} positions, {device}, {torch.get_num_threads()} threads")
    for name, seconds in heads.items():
        print(f"  {name:16} {seconds * 1e3:8.1f} ms")
    print(f"  TransformerLens / ours: {heads['TransformerLens'] / heads['ours']:.1f} ×")
    apart = (ours_heads(run, paris) - transformer_lens_heads(cache, paris).cpu()).abs().max()
    print(f"  largest difference: {float(apart):.1e} logits")

    tower = lw.run(model, PROMPT)
    ids = tower.tokens.unsqueeze(0).to(device)
    with torch.inference_mode():
        times = interleaved(
            {
                "a forward pass": lambda: model(ids),
                "50 of all neurons": lambda: lw.attribute(tower, paris, unit="neuron", top=50),
                "one jump": lambda: lw.explain(tower, paris, "L27"),
            },
            device,
            rounds=9,
        )
    print(f"at one position, prompt of {len(tower.tokens)} tokens")
    for name, seconds in times.items():
        print(f"  {name:18} {seconds * 1e3:8.2f} ms   {seconds / times['a forward pass']:5.2f} × the forward pass")


def _long(model: Any) -> tuple[lw.Run, Any]:
    """256 tokens, and the cache that TransformerLens's own functions read."""
    ids = model.to_tokens(TEXT)[0].repeat(6)[:256].unsqueeze(0)
    with torch.inference_mode():
        names = {*lw.hooks(model, "head"), "ln_final.hook_scale"}
        logits, cache = model.run_with_cache(ids, names_filter=lambda name: name in names or name.endswith("hook_z"))
    return lw.from_cache(cache, logits=logits), cache


def transformer_lens_heads(cache: Any, token: int) -> torch.Tensor:
    """TransformerLens 4.3's own calls: stack the heads, then project them. It scales the stack by the last norm."""
    with torch.inference_mode():
        stack = cache.stack_head_results(layer=-1, apply_ln=False)
        gain = cache.model.ln_final.original_component.weight
        scaled = cache.apply_ln_to_stack(stack, layer=-1)
        # on raw weights the norm's gain is not in the unembedding, as logit_attrs takes it to be
        return (scaled * gain @ cache.model.unembed.W_U[:, token]).squeeze(1)


def ours_heads(run: lw.Run, token: int) -> torch.Tensor:
    grid = lw.attribute(run, token, unit="head", position=None)
    heads = [i for i, row in enumerate(grid.rows) if "H" in row]
    return torch.from_numpy(grid.quantities["contribution"].values[heads])


def memory(job: str) -> None:
    """Peak memory that one call adds, in a process of its own, sampled every few milliseconds."""
    model = lw.load(device="cpu")
    run, cache = _long(model)
    tower = lw.run(model, PROMPT)
    call = {
        "ours, heads": lambda: lw.attribute(run, 0, unit="head", position=None),
        "TransformerLens, heads": lambda: transformer_lens_heads(cache, 0),
        "ours, neurons": lambda: lw.attribute(tower, 0, unit="neuron", top=50),
    }[job]
    call()  # what is allocated once and for all is not the call's
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    before, peak, done = resident(), 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.001):
            peak = max(peak, resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    call()
    done.set()
    watcher.join()
    print(f"  {job:24} adds {max(0, peak - before) / 2**20:6.1f} MB")


if __name__ == "__main__":
    if "--memory" in sys.argv:
        memory(sys.argv[-1])
    else:
        main()
        print("memory at its peak", flush=True)
        for job in JOBS:
            subprocess.run([sys.executable, "-m", "bench.attribution", "--memory", job], check=True)
