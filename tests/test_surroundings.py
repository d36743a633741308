"""The caller's torch, signals and random state: our figures don't depend on them, and they are as they were afterwards."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import lenswidget as lw
from lenswidget.lenses.fitting.progress import Progress
from lenswidget.model import surroundings
from lenswidget.model.backends import backend_of
from tests import architectures

TOKENS = [1, 40, 70, 33, 120, 99, 70, 250, 41]
TEXTS = ["The quick brown fox jumps over a lazy dog, and runs on into the wood.", "A second text, which is no longer."]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("surroundings")
    architectures.save("LlamaForCausalLM", folder)
    return architectures.boot(folder)


@pytest.fixture
def float64_by_default() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def figures(model: Any, run: lw.Run) -> list[Any]:
    lens = lw.TunedLens.identity(model)
    return [
        lw.logit_lens(run, targets=[77, 78], against=79, extra=["jensen_shannon", "total_variation"]),
        lw.read(run, lens, targets=[77]),
        lw.attribute(run, 77, unit="head"),
        lw.attribute(run, (77, 78), position=None),
        lw.explain(run, 77, "L1"),
        lw.divergence(run, lw.LogitLens(), lw.NegativeLens()),
        lw.promotes(model, "L1N5"),
        lw.fidelity(model, lw.LogitLens(), TEXTS, tokens=40, directions=4).grid(),
    ]


def test_another_default_dtype_changes_nothing(model: Any, float64_by_default: None) -> None:
    ours = figures(model, lw.run(model, TOKENS))
    assert torch.get_default_dtype() == torch.float64
    torch.set_default_dtype(torch.float32)
    assert ours == figures(model, lw.run(model, TOKENS))


@pytest.mark.parametrize("library", ["bridge", "transformers"])
def test_another_default_device_changes_nothing(library: str, model: Any, tmp_path: Path) -> None:
    """On the meta device, which holds no numbers, whatever is made there by accident is missed."""
    architectures.save("LlamaForCausalLM", tmp_path)
    model = model if library == "bridge" else architectures.oracle("LlamaForCausalLM", tmp_path)
    expected, text = figures(model, lw.run(model, TOKENS)), lw.run(model, "abc")
    lens = lw.LinearLens.fit(model, tokens=400, window=32)
    with torch.device("meta"):
        found, again = figures(model, lw.run(model, TOKENS)), lw.run(model, "abc")
        same = lw.LinearLens.fit(model, tokens=400, window=32)
        assert torch.empty(1).is_meta
    assert found == expected and again.tokens.tolist() == text.tokens.tolist()
    assert torch.equal(same.weight, lens.weight)


def test_a_model_runs_with_the_default_device_that_its_user_has_set(tmp_path: Path) -> None:
    architectures.save("LlamaForCausalLM", tmp_path)
    model, seen = architectures.oracle("LlamaForCausalLM", tmp_path), set()
    model.model.layers[0].register_forward_hook(lambda *_: seen.add(torch.empty(1).device.type))
    with torch.device("meta"):
        lw.run(model, TOKENS)
    assert seen == {"meta"}


def test_under_autocast_a_run_is_read_as_exactly_as_ever(model: Any) -> None:
    run = lw.run(model, TOKENS)
    plain = figures(model, run)[:-1]  # fidelity runs the model, which is less exact there
    with torch.autocast("cpu", dtype=torch.bfloat16):
        ours = figures(model, run)[:-1]
        assert torch.is_autocast_enabled("cpu")
    assert ours == plain


def test_a_run_under_autocast_holds_to_what_the_model_says_there(model: Any) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        run = lw.run(model, TOKENS)
        with torch.no_grad():
            says = model(torch.tensor([TOKENS]))[0, -1].float()
        grid, parts = lw.logit_lens(run, targets=[77]), lw.attribute(run, 77, unit="head")
    for shown in (grid, parts):
        assert shown.check is not None and shown.check.holds and shown.check.error > 0
    assert grid.values("logit", target=77)[-1, -1] == pytest.approx(float(says[77]), abs=grid.check.tolerance)  # type: ignore[union-attr]


def test_the_random_state_and_the_grad_mode_are_the_callers(model: Any) -> None:
    torch.manual_seed(7)
    np.random.seed(7)
    state, numpys = torch.random.get_rng_state(), np.random.get_state()[1].copy()  # type: ignore[index,union-attr]
    with torch.enable_grad():
        figures(model, lw.run(model, TOKENS))
        lw.LinearLens.fit(model, tokens=40, held_out=0, window=16)  # on text that the model writes itself
        assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
    assert torch.equal(state, torch.random.get_rng_state())
    assert np.array_equal(numpys, np.random.get_state()[1])  # type: ignore[index,arg-type]


def test_a_run_may_enter_autograd_however_it_was_made(model: Any) -> None:
    with torch.inference_mode():
        run = lw.run(model, TOKENS)
    row = run.residual[1].clone().requires_grad_()
    run.readout.norm(row).sum().backward()
    assert row.grad is not None


def test_a_watcher_that_raises_leaves_interrupts_as_they_were() -> None:
    def fails(progress: Progress) -> None:
        raise ZeroDivisionError

    before = signal.getsignal(signal.SIGINT)
    progress = Progress("a fit", watchers=[fails])
    with pytest.raises(ZeroDivisionError), progress.running():
        progress.tell(0.5)
    assert signal.getsignal(signal.SIGINT) is before and progress.done


def test_two_threads_on_one_model_get_each_its_own(model: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor

    prompts = [[*TOKENS[:n], 77] for n in (3, 5, 8)] * 4
    alone = [lw.run(model, prompt) for prompt in prompts[:3]]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda prompt: lw.run(model, prompt), prompts))
    for i, run in enumerate(together):
        torch.testing.assert_close(run.residual, alone[i % 3].residual)
    assert not any(point._forward_hooks for point in backend_of(model).model.hook_dict.values())


class WithoutFloat64(torch.overrides.TorchFunctionMode):
    """The CPU as a device that refuses float64: what is widened, is widened by `double`, which moves it to another."""

    def __init__(self) -> None:
        super().__init__()
        self.allowed = False
        self.widened = 0

    def asked(self, device: torch.device) -> bool:
        self.allowed = True
        return False

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        wide = torch.float64 in (*args, *(kwargs or {}).values()) if func is torch.Tensor.to else False
        to_wide = func is torch.Tensor.to and any(
            isinstance(x, torch.Tensor) and x.dtype == torch.float64 for x in args[1:]
        )
        if (func is torch.Tensor.double or wide or to_wide) and args[0].dtype != torch.float64:
            assert self.allowed, "float64 is asked of a device that may not have it"
            self.widened += 1
            self.allowed = False
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("library", ["bridge", "transformers"])
def test_a_device_that_refuses_float64_is_never_asked_for_it(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Apple's does."""
    architectures.save("Gemma2ForCausalLM", tmp_path)
    load = (lambda: architectures.boot(tmp_path)) if library == "bridge" else None
    model, again = (load() if load else architectures.oracle("Gemma2ForCausalLM", tmp_path) for _ in range(2))
    expected = figures(model, lw.run(model, TOKENS))
    lens = lw.LinearLens.fit(model, tokens=400, window=32)
    mode = WithoutFloat64()
    for module in [surroundings, *(m for name, m in sys.modules.items() if name.startswith("lenswidget."))]:
        if hasattr(module, "has_float64"):
            monkeypatch.setattr(module, "has_float64", mode.asked)
    with mode:
        found = figures(again, lw.run(again, TOKENS))
        same = lw.LinearLens.fit(again, tokens=400, window=32)
    assert mode.widened > 20 and found == expected
    assert torch.equal(lens.weight, same.weight)


def test_which_devices_have_float64_is_tried() -> None:
    assert surroundings.has_float64(torch.device("cpu")) and surroundings.double(torch.ones(2)).dtype == torch.float64


@pytest.mark.parametrize("precision", ["high", "medium"])
def test_products_that_the_caller_lets_be_rounded_are_ours_in_full(precision: str, model: Any) -> None:
    x, W = torch.randn(64, 576), torch.randn(576, 512)
    exact = (x.double() @ W.double()).float()
    expected = figures(model, lw.run(model, TOKENS))
    torch.set_float32_matmul_precision(precision)
    try:
        with surroundings.own_arithmetic():
            assert float((x @ W - exact).abs().max()) < 1e-3
        assert figures(model, lw.run(model, TOKENS)) == expected
        assert torch.get_float32_matmul_precision() == precision
        logits, cache = model.run_with_cache(torch.tensor([TOKENS]))
        cached = lw.from_cache(cache, logits=logits)
        assert cached.check is not None and cached.check.holds
        assert lw.attribute(cached, 77, unit="head").check.holds  # type: ignore[union-attr]
    finally:
        torch.set_float32_matmul_precision("highest")
