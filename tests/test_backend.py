"""The one object through which a model is asked: what is remembered of it, and when that is found again."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import lenswidget as lw
from lenswidget.model import components as components_module
from lenswidget.model.backend import Backend
from lenswidget.model.backends import backend_of, register
from lenswidget.model.components import components_of
from lenswidget.model.site import Site
from tests import architectures

TOKENS = [1, 40, 70, 33, 120, 99, 70, 250, 41]


def small(tmp_path: Path, architecture: str = "LlamaForCausalLM", **extra: Any) -> Any:
    architectures.save(architecture, tmp_path / architecture, **extra)
    return architectures.boot(tmp_path / architecture)


def total(grid: lw.Grid) -> float:
    return float(grid.values("contribution").astype(np.float64).sum())


@pytest.mark.parametrize("hook", ["blocks.1.attn.hook_out", "blocks.1.mlp.hook_out"])
def test_what_a_model_consists_of_is_not_found_under_the_hooks_of_a_look(hook: str, tmp_path: Path) -> None:
    """An ablation looked at first took its row away for good: the sum was off, and so was every later one."""
    model = small(tmp_path)
    with model.hooks(fwd_hooks=[(hook, lambda x, hook: torch.zeros_like(x))]):
        ablated = lw.run(model, TOKENS)
        first = lw.attribute(ablated, 77)
    plain = lw.attribute(lw.run(model, TOKENS), 77)
    assert first.rows == plain.rows and {"L1.attn", "L1.mlp"} <= set(plain.rows)
    assert first.check is not None and first.check.holds and plain.check is not None and plain.check.holds
    row = hook.removeprefix("blocks.").replace(".hook_out", "").replace("1.", "L1.")
    assert float(first.values("contribution")[first.rows.index(row), 0]) == 0.0
    ids = torch.tensor([TOKENS])
    with torch.no_grad():
        assert total(plain) == pytest.approx(float(model(ids)[0, -1, 77]), abs=1e-4)
        with model.hooks(fwd_hooks=[(hook, lambda x, hook: torch.zeros_like(x))]):
            assert total(first) == pytest.approx(float(model(ids)[0, -1, 77]), abs=1e-4)


def test_flags_of_the_library_change_no_figure(tmp_path: Path) -> None:
    model = small(tmp_path)
    before = lw.attribute(lw.run(model, TOKENS), 77, unit="head")
    for flag in ("set_use_attn_result", "set_use_hook_mlp_in"):
        getattr(model, flag)(True)
    after = lw.attribute(lw.run(model, TOKENS), 77, unit="head")
    assert after.rows == before.rows and after.check is not None and after.check.holds
    np.testing.assert_allclose(after.values("contribution"), before.values("contribution"), atol=1e-4)


def test_what_is_remembered_notices_that_the_model_changed(tmp_path: Path) -> None:
    model = small(tmp_path)

    def state() -> Any:
        return backend_of(model).state

    states = [state()]
    assert state() == states[0]
    with torch.no_grad():
        model.blocks[0].mlp.out.original_component.weight.mul_(2)
    states.append(state())
    model.set_use_attn_result(True)
    states.append(state())
    model.tokenizer.add_tokens(["<new>"])
    states.append(state())
    handle = model.blocks[0].register_forward_hook(lambda *_: None)
    states.append(state())
    handle.remove()
    assert state() == states[3]
    model.train()
    states.append(state())
    assert len(set(states)) == len(states)
    with pytest.raises(ValueError, match="training mode"):
        lw.run(model, TOKENS)
    model.eval()
    assert lw.run(model, TOKENS).texts[259] == "<new>", "a token that was added later is no padding"


def test_a_weight_that_was_nothing_when_it_was_looked_at_has_its_row_when_it_is_something(tmp_path: Path) -> None:
    model = small(tmp_path)
    weight = model.blocks[1].mlp.out.original_component.weight
    kept = weight.detach().clone()
    with torch.no_grad():
        weight.zero_()
    assert lw.attribute(lw.run(model, TOKENS), 77).check.holds  # type: ignore[union-attr]
    with torch.no_grad():
        weight.copy_(kept)
    grid = lw.attribute(lw.run(model, TOKENS), 77)
    assert "L1.mlp" in grid.rows and grid.check is not None and grid.check.holds


def test_blocks_that_look_alike_and_are_not_are_all_tried(tmp_path: Path) -> None:
    """The first block stands for all that are made alike, until a run shows that one of them isn't."""
    model = small(tmp_path, "GraniteForCausalLM")
    layer = model.original_model.model.layers[2]
    layer.residual_multiplier = 0.25  # the others have 0.6
    grid = lw.attribute(lw.run(model, TOKENS), 77)
    assert grid.check is not None and grid.check.holds
    scales = [[part.scale for part in block.parts] for block in components_of(backend_of(model)).blocks]
    assert scales == [[0.6, 0.6], [0.6, 0.6], [0.25, 0.25]]


def test_a_run_finds_what_blocks_consist_of_from_few_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = small(tmp_path)
    tried: list[bool] = []
    probe = components_module._probe

    def counted(backend: Backend, *, every: bool) -> Any:
        tried.append(every)
        return probe(backend, every=every)

    monkeypatch.setattr(components_module, "_probe", counted)
    run = lw.run(model, TOKENS)
    lw.run(model, TOKENS)
    assert tried == [False], "the first run tries one block of each kind, later ones none"
    assert run.require_activations().components == probe(backend_of(model), every=True)


def test_a_model_that_will_not_run_the_short_prompt_is_read_all_the_same(tmp_path: Path) -> None:
    model = small(tmp_path)

    def only_ours(module: Any, inputs: Any) -> None:
        if inputs[0].shape[1] != len(TOKENS):
            raise IndexError("index 44 is out of bounds")

    handle = model.blocks[0].register_forward_pre_hook(only_ours)
    run = lw.run(model, TOKENS)
    assert run.check is not None and run.check.holds
    notes = lw.attribute(run, 77).notes
    assert any("no block could be taken apart" in note and "IndexError: index 44" in note for note in notes)
    handle.remove()
    assert "L0.attn" in lw.attribute(lw.run(model, TOKENS), 77).rows


def test_what_is_remembered_goes_with_the_model(tmp_path: Path) -> None:
    model = small(tmp_path)
    grid = lw.logit_lens(lw.run(model, TOKENS))
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None and grid.check is not None


def test_forward_keeps_changes_and_stops(tmp_path: Path) -> None:
    model = small(tmp_path)
    backend = backend_of(model)
    ids = torch.tensor([TOKENS])
    row, later, output = backend.rows[1], backend.rows[2], Site(1, "mlp", "out")
    keep = dict.fromkeys((row, output, later), lambda x: x.detach())
    whole = backend.forward(ids, keep=keep)
    with torch.no_grad():
        torch.testing.assert_close(whole.logits, model(ids))
    stopped = backend.forward(ids, keep={row: keep[row]}, stop=later)
    assert stopped.logits is None and torch.equal(stopped.kept[row], whole.kept[row])
    changed = backend.forward(ids, keep=keep, change={row: lambda x: 2 * x})
    torch.testing.assert_close(changed.kept[row], 2 * whole.kept[row])
    assert not torch.allclose(changed.kept[later], whole.kept[later])
    unchanged = backend.forward(ids, keep=keep)
    assert all(torch.equal(unchanged.kept[site], whole.kept[site]) for site in keep)
    hung = [point for point in model.hook_dict.values() if point._forward_hooks]
    assert hung == [], "nothing of ours hangs on the model afterwards"


def test_a_backend_that_lacks_a_call_is_refused_when_it_is_registered() -> None:
    class Half(Backend):
        @classmethod
        def recognises(cls, model: object) -> bool:
            return False

    with pytest.raises(TypeError, match=r"Half lacks after_unembedding, encode, .*forward.*unembedding"):
        register(Half)


def test_an_object_of_no_known_kind_is_named() -> None:
    with pytest.raises(TypeError, match=r"needs a model of TransformerLens and got Linear; boot one with lw\.load"):
        lw.run(torch.nn.Linear(2, 2), [1])
