"""A model whose weights lie elsewhere, on a GPU, on a disk or on several devices, says what it says in memory.

What it is held against is the same model in the processor's memory. Placements are accelerate's own. Those that take a GPU are
left out where there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import lenswidget as lw
from lenswidget.grids.grid import Grid
from tests import architectures
from tests.test_fit import letters

BASE = [1, 40, 70, 33, 120, 99]
SOURCE = [1, 40, 71, 33, 121, 99]
TARGET, AGAINST = 7, 11
ARCHITECTURES = ["LlamaForCausalLM", "GPT2LMHeadModel", "Gemma2ForCausalLM", "MixtralForCausalLM"]
ON_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")


def parts_of(model: torch.nn.Module) -> list[str]:
    """What a device map may place: the blocks of a model, and what is outside them."""
    found = []
    for name, module in model.named_children():
        inner = [(f"{name}.{inside}", part) for inside, part in module.named_children()]
        for path, part in inner or [(name, module)]:
            is_list = isinstance(part, torch.nn.ModuleList)
            found += [f"{path}.{i}" for i in range(len(part))] if is_list else [path]
    return found


def placed(model: torch.nn.Module, folder: Path, *places: str, main: str = "cpu", halves: bool = False) -> Any:
    """A model whose parts accelerate puts on some devices in turn, or, in halves, the later blocks on the second of two. `main`
    is where those of the CPU and the disk run."""
    accelerate = pytest.importorskip("accelerate")
    parts = parts_of(model)
    device_map = {part: places[i % len(places)] for i, part in enumerate(parts)}
    if halves:
        device_map = {part: places[part.split(".")[-1] in ("1", "2")] for part in parts}
    options = {"offload_dir": str(folder), "main_device": main, "force_hooks": True}
    return accelerate.dispatch_model(model, device_map=device_map, **options)


PLACES: dict[str, Callable[[Any, Path], Any]] = {
    "disk": lambda model, folder: placed(model, folder, "disk"),
    "cpu and disk": lambda model, folder: placed(model, folder, "cpu", "disk"),
    "disk and cpu": lambda model, folder: placed(model, folder, "disk", "cpu"),
}
WITH_GPU: dict[str, Callable[[Any, Path], Any]] = {
    "GPU": lambda model, folder: model.to("cuda"),
    "GPU and CPU": lambda model, folder: placed(model, folder, "cuda:0", "cpu", main="cuda:0"),
    "GPU, CPU and disk": lambda model, folder: placed(model, folder, "cuda:0", "cpu", "disk", main="cuda:0"),
    # what lies on the CPU runs there, as on a second device
    "two devices": lambda model, folder: placed(model, folder, "cuda:0", "cpu", halves=True),
    "two devices, CPU first": lambda model, folder: placed(model, folder, "cpu", "cuda:0", halves=True),
}


@pytest.mark.parametrize(
    ("architecture", "place"),
    [
        *((ARCHITECTURES[0], place) for place in PLACES),
        *((architecture, "disk and cpu") for architecture in ARCHITECTURES[1:]),
        *(
            pytest.param(architecture, place, marks=ON_GPU, id=f"{architecture}-{place}")
            for architecture in ARCHITECTURES
            for place in WITH_GPU
        ),
    ],
)
def test_every_figure_is_as_in_memory(architecture: str, place: str, tmp_path: Path) -> None:
    architectures.save(architecture, tmp_path / "model")
    here = architectures.oracle(architecture, tmp_path / "model")
    with torch.inference_mode():
        theirs = here(torch.tensor([BASE]), use_cache=False).logits[0].float()
    elsewhere = (PLACES | WITH_GPU)[place](architectures.oracle(architecture, tmp_path / "model"), tmp_path / "offload")
    with torch.inference_mode():
        elsewhere(torch.tensor([BASE], device="cuda" if place == "GPU" else None))
    kept = [weight.device for weight in elsewhere.parameters()]
    run = lw.run(elsewhere, BASE)
    torch.testing.assert_close(run.readout.logits(run.residual[-1]).cpu(), theirs, rtol=1e-4, atol=1e-4)
    expected = figures(here)
    for name, value in figures(elsewhere):
        what, known = next(expected)
        assert name == what
        np.testing.assert_allclose(value, known, rtol=2e-3, atol=2e-3, err_msg=name)
    assert [weight.device for weight in elsewhere.parameters()] == kept, "what was kept elsewhere stays there"


def figures(model: Any) -> Iterator[tuple[str, Any]]:
    """Numbers from every room that reads a model, with what they are."""
    tokenizer = architectures.tokenizer()
    run, source = lw.run(model, BASE, tokenizer=tokenizer), lw.run(model, SOURCE)
    yield "digest", [int(run.weights.digest, 16)]
    yield "rows", run.residual.float().cpu().numpy()
    grid = lw.logit_lens(run, targets=[TARGET], against=AGAINST, extra=["jensen_shannon"])
    yield from numbers("lens", grid)
    assert grid.explain is not None
    yield from numbers("jump", grid.explain(2, TARGET, 2))
    units = ["component", "block", "kind"]
    heads = not any(kind in type(model).__name__ for kind in ("Mixtral",))
    for unit in [*units, "head", *(["neuron"] if heads else []), "source"]:
        yield from numbers(unit, lw.attribute(run, TARGET, against=AGAINST, unit=unit, top=500))
    yield from numbers("heads everywhere", lw.attribute(run, TARGET, unit="head", position=None))
    yield from numbers("promotes", lw.promotes(model, "L1H1"), sign=False)
    yield from numbers("rows patched", lw.patch(run, source, TARGET, against=AGAINST))
    yield from numbers("heads patched", lw.patch(run, source, TARGET, against=AGAINST, unit="head"))
    yield from numbers("heads out", lw.patch(run, 0, TARGET, against=AGAINST, unit="head"))
    yield from numbers("estimated", lw.patch(run, source, TARGET, against=AGAINST, method="gradient"))
    yield from numbers("paths", lw.path_patch(run, source, TARGET, against=AGAINST, to="L2H1"))
    yield from numbers("traced", lw.causal_trace(run, [2], TARGET, against=AGAINST, samples=2, noise=30.0))
    edited = lw.run(model, BASE, edits=[lw.Edit("L1", to=source, position=2), lw.Edit("L2H1", to=0)])
    yield from numbers("edited", lw.logit_lens(edited))
    yield from numbers("edited heads", lw.attribute(edited, TARGET, unit="head"))
    *_, written = lw.generate(model, "The capital", max_new_tokens=3, tokenizer=tokenizer)
    yield from numbers("written", written)
    lens = lw.LinearLens.fit(model, letters(12), held_out=64)
    yield from numbers("linear", lw.read(run, lens))
    yield (
        "bits",
        lw.TunedLens.fit(
            model, letters(12), steps=2, start="identity", optimizer="sgd", held_out=64, watch=lambda progress: None
        ).card.kl,
    )
    measured = lw.fidelity(model, [lw.LogitLens(), lens], letters(8), tokens=64, rows=["L1"], directions=3)
    # not what changed directions do: those of a row that vary alike are told apart by rounding alone
    yield "fidelity", np.nan_to_num(measured.kl)
    yield from numbers("trajectories", lw.trajectories(model, [BASE, SOURCE, BASE[:4]], target=TARGET))


def numbers(name: str, grid: Grid, *, sign: bool = True) -> Iterator[tuple[str, Any]]:
    if grid.check is not None:
        assert grid.check.holds, (name, grid.check)
    for what, quantity in grid.quantities.items():
        if "rank" in what:  # thousands are alike but for rounding
            continue
        values = np.nan_to_num(quantity.values.astype(np.float64), nan=-1.0)
        yield f"{name}: {what}", values if sign else np.sort(np.abs(values))
