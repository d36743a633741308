"""What a reading costs: time beside one bare matrix product and beside TransformerLens, and memory.

All statistics of 31 rows × 64 positions on the embedded model: ten candidates, entropy, KL, surprisal, ranks of two
targets and of the next token, and every candidate's trajectory. Seconds of the processor stand beside those of the clock:
on a machine that is busy with other things, they are the ones to compare.
"""

from __future__ import annotations

import ctypes
import gc
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping

import torch

import lenswidget as lw

TEXT = (
    "The history of science is the study of the development of science and scientific knowledge. Science is a body of "
    "empirical, theoretical, and practical knowledge about the natural world, produced by researchers who emphasize the "
    "observation, explanation, and prediction of real phenomena. Its history tells how people came to ask, "
    "to measure and to answer, and what they did then."
)


def main(device: str = "cuda" if torch.cuda.is_available() else "cpu") -> None:
    model = lw.load(device=device)
    ids = model.to_tokens(TEXT)[0, :64]
    assert len(ids) == 64, len(ids)
    run = lw.run(model, ids)
    rows, positions, d = run.residual.shape
    targets = [[model.to_single_token(" the")], [model.to_single_token(" science")]]
    x = run.residual.reshape(-1, d)
    out = torch.empty(len(x), run.readout.vocabulary, device=device)

    def product() -> None:
        torch.mm(x, run.readout.W_U, out=out)

    def ours() -> None:
        run.readout.read(run.residual, run.following, targets=targets)

    lenses = lw.LogitLens(), lw.load_lens()

    def two_lenses() -> None:
        for lens in lenses:
            lw.read(run, lens)

    jobs = {
        "product": product,
        "ours": ours,
        "TransformerLens": transformer_lens_calls(model, run, targets),
        "one lens": lambda: lw.read(run, lenses[1]),
        "two lenses": two_lenses,
    }
    with torch.inference_mode():
        times, processor = (interleaved(jobs, device, clock) for clock in (time.perf_counter, time.process_time))
    print(f"readout, {rows} rows × {positions} positions, {device}, {torch.get_num_threads()} threads")
    for name, seconds in times.items():
        share, of_processor = seconds / times["product"], processor[name] / processor["product"]
        print(
            f"  {name:16} {seconds:8.3f} s   {share:6.2f} × the product, {of_processor:6.2f} × its seconds of the processor"
        )
    print(f"  TransformerLens / ours: {times['TransformerLens'] / times['ours']:.2f} ×")
    print(f"  two lenses / twice one: {times['two lenses'] / (2 * times['one lens']):.2f} ×")


def interleaved(
    jobs: Mapping[str, Callable[[], object]],
    device: str,
    clock: Callable[[], float] = time.perf_counter,
    rounds: int = 5,
) -> dict[str, float]:
    """The median time of each job, run in turn, so that a noisy minute falls on all of them."""
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for round_number in range(rounds + 1):
        for name, job in jobs.items():
            start = clock()
            job()
            if device == "cuda":
                torch.cuda.synchronize()
            if round_number:  # the first round warms up
                times[name].append(clock() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def transformer_lens_calls(model: object, run: lw.Run, targets: list[list[int]]) -> Callable[[], None]:
    """TransformerLens 4.3's own calls for the same statistics; it has none for the KL."""
    from transformer_lens.tools.analysis import logit_readout

    stack = run.residual
    following = run.following.clamp(min=0).expand(len(stack), -1)
    shared = [i for group in targets for i in group]

    def calls() -> None:
        top = logit_readout(model, stack, top_k=10, return_type="log_probs")
        logit_readout(model, stack, targets=shared, return_type="log_probs")
        logit_readout(model, stack, targets=following, return_type="log_probs")
        logit_readout(model, stack, vocab=top.top_ids.unique(), return_type="log_probs")

    return calls


def memory(positions: int = 4096) -> None:
    """Peak memory that a reading adds, in a process of its own, sampled every few milliseconds."""
    model = lw.load(device="cpu")
    run = lw.run(model, (model.to_tokens(TEXT)[0].repeat(1 + positions // 64))[:positions])
    del model
    gc.collect()
    # what earlier work freed goes back to the system, so that a reading can't use it unseen
    ctypes.CDLL(None).malloc_trim(0)
    before, peak, done = resident(), 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.003):
            peak = max(peak, resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    reading = run.readout.read(run.residual, run.following, targets=[[1], [2]])
    done.set()
    watcher.join()
    size = sum(tensor.nbytes for tensor in vars(reading).values() if tensor is not None)
    print(f"memory, {run.residual.shape[0]} rows × {positions} positions, vocabulary {run.readout.vocabulary}")
    print(f"  a reading adds {(peak - before) / 2**20:.0f} MB; its result is {size / 2**20:.0f} MB of them")


def resident() -> int:
    """Bytes of this process that are in memory now."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


if __name__ == "__main__":
    if "--memory" in sys.argv:
        memory()
    else:
        main()
        subprocess.run([sys.executable, "-m", "bench.readout", "--memory"], check=True)
