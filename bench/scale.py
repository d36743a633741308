"""What lenses, attribution and patches cost on models that fit no notebook: computed, and held against what fits here.

`python -m bench.scale` prints the tables of docs/scale.md. `python -m bench.scale --check` makes models of random weights of
several sizes, in bfloat16, and prints what was measured beside what the same formulas say of them: memory on any machine, time
beside its own bare passes.
"""

from __future__ import annotations

import statistics
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

GB = 1e9
HALF, SINGLE, DOUBLE = 2, 4, 8
TOKENS = 31
"""Of the prompt that is looked at."""
PATCHED = 16
"""Of the prompt that is swept."""


@dataclass(frozen=True)
class Size:
    """A Llama-shaped model."""

    name: str
    width: int
    layers: int
    heads: int
    groups: int
    inner: int
    vocabulary: int = 128256

    @property
    def block(self) -> int:
        """Weights of a block."""
        attention = 2 * self.width * self.width * (1 + self.groups / self.heads)
        return int(attention + 3 * self.width * self.inner)

    @property
    def weights(self) -> int:
        """Bytes of all weights in half precision: blocks, embedding and unembedding."""
        return HALF * (self.layers * self.block + 2 * self.width * self.vocabulary)

    @property
    def unembedding(self) -> int:
        return HALF * self.width * self.vocabulary

    def forward(self, tokens: int) -> float:
        """Operations of a pass, the unembedding of every position among them."""
        return 2.0 * tokens * (self.layers * self.block + self.width * self.vocabulary)

    def rows(self, tokens: int) -> int:
        """Bytes of the rows that a run keeps, in the model's own precision."""
        return HALF * (self.layers + 1) * tokens * self.width

    def logits(self, tokens: int) -> int:
        """Bytes of the logits of every cell in float32, of which only a chunk ever is."""
        return SINGLE * (self.layers + 1) * tokens * self.vocabulary

    def readout(self, tokens: int) -> float:
        """Operations of a logit lens."""
        return 2.0 * (self.layers + 1) * tokens * self.width * self.vocabulary

    def tuned(self) -> int:
        """Bytes of a tuned lens: a matrix for every row but the last."""
        return SINGLE * self.layers * (self.width**2 + self.width)

    def moments(self) -> int:
        """Bytes that a linear fit sums in: two second moments a row, in double precision."""
        return 2 * DOUBLE * self.layers * self.width**2

    def descent(self) -> int:
        """Bytes of a tuned fit: for each row its start, change, gradient, Adam's two moments and the basis."""
        return 6 * SINGLE * self.layers * self.width**2

    def heads_read(self) -> int:
        """Bytes of weights that attribution by head reads: the output of each attention."""
        return HALF * self.layers * self.width**2

    def sweep(self, tokens: int) -> float:
        """Operations of a patch of every row at every position but the first: a cell begins at its block and position."""
        cells = sum(tokens - position for position in range(1, tokens)) * self.layers * (self.layers + 1) / 2
        return 2.0 * cells * self.block + 2.0 * self.layers * tokens * self.width * self.vocabulary

    def passes(self, tokens: int, together: int = 2, held: int = 1536) -> int:
        """Passes of that sweep, each of which reads all weights once."""
        begun = range(1, tokens, together)
        cells = (together * self.layers * (tokens - begin) for begin in begun)
        return sum(max(1, -(-int(count) // held)) for count in cells)


SIZES = (
    Size("8 B", 4096, 32, 32, 8, 14336),
    Size("70 B", 8192, 80, 64, 8, 28672),
    Size("405 B", 16384, 126, 128, 8, 53248),
)


@dataclass(frozen=True)
class Engine:
    """Where weights are and how fast they come: bytes a second for a whole pass, on so many devices of 80 GB."""

    name: str
    bandwidth: Callable[[Size], float]
    fits: Callable[[Size], bool]


GPU = 80 * GB
ENGINES = (
    Engine("one GPU", lambda size: 3.0e12, lambda size: size.weights < 0.9 * GPU),
    Engine("several GPUs, blocks in turn", lambda size: 3.0e12, lambda size: size.weights < 0.9 * 16 * GPU),
    Engine("accelerate, weights on the CPU", lambda size: 25e9, lambda size: size.weights < 1000 * GB),
    Engine("accelerate, weights on a disk", lambda size: 3e9, lambda size: True),
)
"""What is assumed of a link: the memory of an H100 as measured, PCIe 5 as copies reach it, one NVMe disk."""
MATRIX = 350e12
"""Operations a second, of products in bfloat16 with so few rows."""
EXACT = MATRIX / 3
"""The same of float32 numbers and bfloat16 weights: three products."""


def main() -> None:
    print(f"memory, GB: a prompt of {TOKENS} tokens; a sweep of {PATCHED}")
    print("| | " + " | ".join(size.name for size in SIZES) + " |\n|---|" + "---|" * len(SIZES))
    lines: list[tuple[str, Callable[[Size], float]]] = [
        ("weights, half precision", lambda size: size.weights),
        ("rows that a run keeps", lambda size: size.rows(TOKENS)),
        ("logits of all cells, which never are", lambda size: size.logits(TOKENS)),
        ("weights that heads read", lambda size: size.heads_read()),
        ("a tuned lens", lambda size: size.tuned()),
        ("the sums of a linear fit", lambda size: size.moments()),
        ("what a tuned fit holds", lambda size: size.descent()),
    ]
    for name, number in lines:
        print(f"| {name} | " + " | ".join(f"{number(size) / GB:,.3g}" for size in SIZES) + " |")
    print("\nseconds, by where the weights are: run and logit lens · heads · sweep of rows (passes)")
    print("| | " + " | ".join(size.name for size in SIZES) + " |\n|---|" + "---|" * len(SIZES))
    for engine in ENGINES:
        print(f"| {engine.name} | " + " | ".join(seconds(engine, size) for size in SIZES) + " |")


def seconds(engine: Engine, size: Size) -> str:
    """What the two limits say, bytes and operations, whichever is longer."""
    if not engine.fits(size):
        return "does not fit"
    speed = engine.bandwidth(size)
    lens = max(size.weights / speed, size.forward(TOKENS) / MATRIX) + max(
        size.unembedding / speed, size.readout(TOKENS) / EXACT
    )
    heads = size.heads_read() / speed
    passes = size.passes(PATCHED)
    sweep = max(passes * size.weights / speed, size.sweep(PATCHED) / MATRIX)
    return f"{lens:.2g} · {heads:.2g} · {sweep:.2g} ({passes})"


# The check, on models that fit here


def check() -> None:
    import torch

    import lenswidget as lw

    device = "cuda" if torch.cuda.is_available() else "cpu"
    sizes = [Size("0.2 B", 1024, 8, 16, 4, 4096, 32000), Size("1.5 B", 2048, 16, 32, 8, 8192)]
    if device == "cuda":
        sizes.append(SIZES[0])
    for size in sizes:
        model = random_model(size, device)
        weights = sum(weight.numel() * weight.element_size() for weight in model.parameters())
        print(f"{size.name} on {device}: weights {weights / GB:.2f} GB, computed {size.weights / GB:.2f}")
        ids = torch.randint(0, size.vocabulary, (TOKENS,)).tolist()
        lw.attribute(lw.run(model, ids), 5, unit="head")  # what is found once
        with Peak(device) as held:
            run = lw.run(model, ids)
        rows = run.residual.numel() * run.residual.element_size()
        print(
            f"  rows {rows / 1e6:.1f} MB, computed {size.rows(TOKENS) / 1e6:.1f}; a run adds {held.bytes / 1e6:.0f} MB"
        )
        for name, work in {
            "logit lens": lambda: lw.logit_lens(run, targets=[5]),  # noqa: B023
            "heads": lambda: lw.attribute(run, 5, unit="head"),  # noqa: B023
        }.items():
            with Peak(device) as held:
                work()
            print(f"  {name}: adds {held.bytes / 1e6:.0f} MB, {held.bytes / weights:.3f} of the weights")
        base, source = (lw.run(model, ids[:PATCHED]), lw.run(model, [ids[0], ids[1] + 1, *ids[2:PATCHED]]))
        with torch.no_grad():
            prompt = torch.tensor([ids[:PATCHED]], device=device)
            bare = timed(lambda: model(prompt), device)  # noqa: B023
        swept = timed(lambda: lw.patch(base, source, 5, against=9), device, rounds=1)  # noqa: B023
        computed = size.sweep(PATCHED) / size.forward(PATCHED)
        print(f"  sweep of rows: {swept / bare:.0f} bare passes, computed {computed:.0f} of operations")


def random_model(size: Size, device: str) -> Any:
    """Random weights in bfloat16, drawn where they lie: no second copy is ever made."""
    import torch
    from transformers import AutoModelForCausalLM, LlamaConfig

    config = LlamaConfig(
        hidden_size=size.width,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.groups,
        intermediate_size=size.inner,
        vocab_size=size.vocabulary,
    )
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device(device):
            model: Any = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    finally:
        torch.set_default_dtype(before)
    return model.eval()


class Peak:
    """The most memory that something held beyond what there was before."""

    def __init__(self, device: str) -> None:
        self.device, self.bytes = device, 0

    def __enter__(self) -> Peak:
        import torch

        self._done = threading.Event()
        if self.device == "cuda":
            torch.cuda.reset_peak_memory_stats()
            self._before = torch.cuda.memory_allocated()
        else:
            from bench.readout import resident

            self._before = self._most = resident()
            self._watcher = threading.Thread(target=self._watch)
            self._watcher.start()
        return self

    def _watch(self) -> None:
        from bench.readout import resident

        while not self._done.wait(0.003):
            self._most = max(self._most, resident())

    def __exit__(self, *_: object) -> None:
        import torch

        self._done.set()
        if self.device == "cuda":
            self._most = torch.cuda.max_memory_allocated()
        else:
            self._watcher.join()
        self.bytes = self._most - self._before


def timed(work: Callable[[], object], device: str, rounds: int = 3) -> float:
    import torch

    times = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


if __name__ == "__main__":
    check() if "--check" in sys.argv else main()
