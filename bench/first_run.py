"""What a run costs beside the model alone: the first and the second in a process, and the first picture in a new one.

Times are of the processor, on one thread, so that what else the machine does falls on none of them. The yardsticks are a bare
forward pass that keeps the same activations through TransformerLens's own hooks, and importing torch and TransformerLens and
booting the same folder.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import torch

import lenswidget as lw
from lenswidget.model.backends import backend_of
from lenswidget.model.embedded import embedded_folder

TOKENS = 16
ROUNDS = 11
NEW_PROCESS = {
    "bare": """
import torch
from transformer_lens.model_bridge import TransformerBridge
TransformerBridge.boot_transformers({folder!r}, dtype=torch.float32)
""",
    "lenswidget": """
import lenswidget as lw
lw.logit_lens(lw.run(lw.load(), "The Eiffel Tower is located in the city of"))
""",
}


def main() -> None:
    torch.set_num_threads(1)
    model, other = lw.load(device="cpu"), lw.load(device="cpu")
    ids = torch.arange(1000, 1000 + TOKENS)
    with torch.no_grad():
        model(ids[None]), other(ids[None])
    first = seconds(lambda: lw.run(model, ids))
    components = lw.run(model, ids).require_activations().components
    backend = backend_of(model)
    last, rows = ([backend.name(site) for site in sites] for sites in (components.sites, backend.rows))

    def bare() -> None:
        kept = {}

        def keep(value: torch.Tensor, hook: object, name: str) -> None:
            value = value[0] if isinstance(value, tuple) else value
            kept[name] = value[:, -1:].clone() if name in last else value

        hooks = [(name, lambda x, hook, name=name: keep(x, hook, name)) for name in (*last, *rows)]
        with torch.no_grad(), model.hooks(fwd_hooks=hooks):
            model(ids[None])

    def in_turn() -> None:
        lw.run(model, ids)
        lw.run(other, ids)

    one, two, turns = (median(work) for work in (bare, lambda: lw.run(model, ids), in_turn))
    print(
        f"a run of {TOKENS} tokens, {len(rows)} rows and {len(last)} activations of the last position kept, one thread"
    )
    print(f"  a bare forward pass that keeps the same  {1e3 * one:7.0f} ms")
    print(f"  a run                                    {1e3 * two:7.0f} ms: {two / one:.2f} × that")
    print(f"  the first run of the model               {1e3 * first:7.0f} ms: {first / two:.2f} × a later one")
    print(f"  two models in turn, each                 {1e3 * turns / 2:7.0f} ms: {turns / 2 / two:.2f} × one alone")
    folder = str(embedded_folder())
    took = {
        name: min(in_new_process(code.format(folder=folder)) for _ in range(3)) for name, code in NEW_PROCESS.items()
    }
    print("in a new process, of the processor, one thread")
    print(f"  import torch and TransformerLens, boot   {took['bare']:7.2f} s")
    share = took["lenswidget"] / took["bare"]
    print(f"  lw.load, lw.run, lw.logit_lens           {took['lenswidget']:7.2f} s: {share:.2f} × that")


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def median(work: Callable[[], object]) -> float:
    return statistics.median(seconds(work) for _ in range(ROUNDS))


def in_new_process(code: str) -> float:
    """Seconds of the processor from the first line to the last."""
    timed = f"import time\nstart = time.process_time()\n{code}\nprint(time.process_time() - start)"
    environment = {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "-c", timed], check=True, capture_output=True, text=True, env={**os.environ, **environment}
    )
    return float(done.stdout.split()[-1])


if __name__ == "__main__":
    main()
