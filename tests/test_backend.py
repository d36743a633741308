"""The one object through which a model is asked: what is remembered of it, and when that is found again."""

from __future__ import annotations

import gc
import threading
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import lenswidget as lw
from lenswidget.model import find_components as components_module
from lenswidget.model.backend import Backend
from lenswidget.model.backends import backend_of, register
from lenswidget.model.find_components import components_of
from lenswidget.model.run import run_watched
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


HOOKS: dict[str, list[tuple[str, Any]]] = {
    "steering": [("blocks.1.hook_resid_pre", lambda x, hook: x + torch.linspace(-1, 1, x.shape[-1]))],
    "zero": [("blocks.1.attn.hook_out", lambda x, hook: torch.zeros_like(x))],
    "a position": [("blocks.0.mlp.hook_out", lambda x, hook: torch.cat([x[:, :7], 3 * x[:, 7:8], x[:, 8:]], 1))],
    "embedding": [("embed.hook_out", lambda x, hook: 2 * x)],
    "pattern": [("blocks.1.attn.hook_pattern", lambda x, hook: x.tril(-1))],
    "head": [("blocks.0.attn.o.hook_in", lambda x, hook: torch.cat([0 * x[..., :8], x[..., 8:]], -1))],
}


@pytest.mark.parametrize("name", HOOKS)
def test_a_run_carries_what_was_done_to_it(name: str, tmp_path: Path) -> None:
    """Made under hooks, it attributes and explains at every position under the same, whatever hangs on the model later."""
    model = small(tmp_path)
    ids = torch.tensor([TOKENS])
    with model.hooks(fwd_hooks=HOOKS[name]), torch.no_grad():
        run = lw.run(model, TOKENS)
        says = model(ids)[0]
    with torch.no_grad():
        assert not torch.allclose(model(ids)[0, -1], says[-1], atol=1e-3), "the hook does too little to be seen"
    lens = lw.logit_lens(run, targets=[77])
    for unit in ("component", "head", "neuron", "source", "block"):
        for position in (-1, 4) if unit != "source" else (-1,):
            grid = lw.attribute(run, 77, unit=unit, position=position, **({"top": 500} if unit == "neuron" else {}))
            assert grid.check is not None and grid.check.holds, (unit, position, grid.check)
            assert total(grid) == pytest.approx(float(says[position, 77]), abs=2e-4), (unit, position)
    everywhere = lw.attribute(run, 77, unit="head", position=None)
    assert everywhere.check is not None and everywhere.check.holds
    for row in ("L0", "L1", "L2"):
        jump = lw.explain(run, 77, row, position=5)
        assert jump.check is not None and jump.check.holds
        logits = lens.values("logit", target=77)[:, 5]
        assert total(jump) == pytest.approx(float(logits[1 + int(row[1])] - logits[int(row[1])]), abs=2e-4)
    with model.hooks(fwd_hooks=[("blocks.0.hook_resid_pre", lambda x, hook: 5 * x)]):
        assert lw.attribute(run, 77, unit="head", position=None) == everywhere
    assert not any(point._forward_hooks for point in model.hook_dict.values())


@pytest.mark.parametrize("hook", ["blocks.1.hook_out", "blocks.1.mlp.hook_out"])
def test_a_prompt_is_run_once_whatever_hangs_on_the_model(hook: str, tmp_path: Path) -> None:
    """A hook may write a log or count: run again for what a model consists of, it fired twice."""
    model = small(tmp_path)
    seen: list[int] = []

    def steer(x: torch.Tensor, hook: Any) -> torch.Tensor:
        seen.append(x.shape[1])
        return 2 * x

    with model.hooks(fwd_hooks=[(hook, steer)]):
        run = lw.run(model, TOKENS)
    assert seen == [len(TOKENS)]
    grid = lw.attribute(run, 77)
    assert seen == [len(TOKENS)] and grid.check is not None and grid.check.holds
    grid = lw.attribute(run, 77, unit="head", position=2)
    assert len(seen) == 2 and grid.check is not None and grid.check.holds


def test_hooks_of_a_run_in_another_thread_are_nobody_s(tmp_path: Path) -> None:
    """They are the model's and not the thread's: a run in another thread took them for its user's, and carried them."""
    model = small(tmp_path)
    others: list[Any] = []
    other = threading.Thread(target=lambda: others.append(backend_of(model).user_hooks()))

    def begins(block: int) -> None:
        if block == 1:
            other.start()
            other.join(0.3)  # it looks at the model now, while this run's hooks hang there

    run_watched(backend_of(model), TOKENS, begins)
    other.join()
    assert others == [{}]


def test_hooks_of_torch_itself_are_carried_too_and_put_back_as_they_were(tmp_path: Path) -> None:
    model = small(tmp_path)
    seen: list[Any] = []
    layer = model.original_model.model.layers[1]
    handle = layer.register_forward_hook(lambda module, args, kwargs, out: seen.append(kwargs), with_kwargs=True)
    doubled = layer.mlp.register_forward_hook(lambda module, args, out: 2 * out)
    run = lw.run(model, TOKENS)
    first = lw.attribute(run, 77, position=None)
    doubled.remove()
    assert lw.attribute(run, 77, unit="head", position=None).check.holds  # type: ignore[union-attr]
    assert first.check is not None and first.check.holds and len(seen) >= 2
    assert handle.id in layer._forward_hooks and handle.id in layer._forward_hooks_with_kwargs
    assert doubled.id not in layer.mlp._forward_hooks
    plain = lw.attribute(lw.run(model, TOKENS), 77)
    assert abs(total(plain) - float(first.values("contribution")[:, -1].sum())) > 1e-3


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
    assert state() == states[3], "what hangs on it for one look is no part of it"
    handle.remove()
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
    find = components_module.find_components

    def counted(backend: Backend, *, every: bool) -> Any:
        tried.append(every)
        return find(backend, every=every)

    monkeypatch.setattr(components_module, "find_components", counted)
    run = lw.run(model, TOKENS)
    lw.run(model, TOKENS)
    assert tried == [False], "the first run tries one block of each kind, later ones none"
    assert run.require_activations().components == find(backend_of(model), every=True)


def test_a_part_that_did_not_run_is_told_by_name(tmp_path: Path) -> None:
    """A block may leave a part out for some prompts: the sum of its parts is then not what was assumed."""
    architectures.save("LlamaForCausalLM", tmp_path)
    model = architectures.oracle("LlamaForCausalLM", tmp_path)
    layer = model.model.layers[1]

    def forward(hidden_states: torch.Tensor, **given: Any) -> torch.Tensor:
        attended = layer.self_attn(hidden_states=layer.input_layernorm(hidden_states), **given)[0]
        stream = hidden_states + attended
        return stream + layer.mlp(layer.post_attention_layernorm(stream)) if stream.shape[1] > 1 else stream

    layer.forward = forward
    with torch.no_grad():
        logit = float(model(torch.tensor([TOKENS[:1]])).logits[0, -1, 77])
    run = lw.run(model, TOKENS[:1])
    grid = lw.attribute(run, 77, unit="block")
    assert grid.check is not None and grid.check.holds and total(grid) == pytest.approx(logit, abs=1e-4)
    with pytest.raises(
        ValueError, match=r"ran this prompt without passing model\.layers\.1\.mlp .*; ask for unit='block'"
    ):
        lw.attribute(run, 77)
    grid = lw.attribute(lw.run(model, TOKENS), 77)
    assert grid.check is not None and grid.check.holds and "L1.mlp" in grid.rows


def test_a_model_that_will_not_run_the_short_prompt_is_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = small(tmp_path)
    layer = model.blocks[0].mlp.out.original_component
    forward = layer.forward

    def only_ours(x: torch.Tensor) -> torch.Tensor:
        if x.shape[1] != len(TOKENS):
            raise IndexError("index 44 is out of bounds")
        return forward(x)

    monkeypatch.setattr(layer, "forward", only_ours)
    run = lw.run(model, TOKENS)
    assert run.check is not None and run.check.holds
    notes = lw.attribute(run, 77).notes
    assert any("no block could be taken apart" in note and "IndexError: index 44" in note for note in notes)


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
        def recognizes(cls, model: object) -> bool:
            return False

    with pytest.raises(TypeError, match=r"Half lacks after_unembedding, encode, .*forward.*unembedding"):
        register(Half)


def test_an_object_of_no_known_kind_is_named() -> None:
    with pytest.raises(TypeError, match=r"of transformers or TransformerLens and got Linear; boot one with lw\.load"):
        lw.run(torch.nn.Linear(2, 2), [1])


@pytest.mark.parametrize("architecture", ["MambaForCausalLM", "BloomForCausalLM"])
def test_a_model_without_a_limit_is_given_none(architecture: str, tmp_path: Path) -> None:
    """TransformerLens fills in 2,048, and longer prompts were refused by it."""
    model = small(tmp_path, architecture)
    assert backend_of(model).facts.context is None
    run = lw.run(model, [3 + i % 200 for i in range(2060)])
    assert run.check is not None and run.check.holds and run.residual.shape[1] == 2060
    assert backend_of(small(tmp_path)).facts.context == 64


def test_ids_are_put_where_the_model_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They were left on the CPU, and no bridge on a GPU could be run. "meta" is a device that every machine has."""
    model = small(tmp_path)
    backend = backend_of(model)
    given: list[torch.Tensor] = []
    monkeypatch.setattr(type(backend), "device", torch.device("meta"))
    monkeypatch.setattr(type(model), "__call__", lambda self, ids, **rest: given.append(ids))
    backend.forward(torch.tensor([TOKENS]), keep={})
    assert [(ids.device.type, list(ids.shape)) for ids in given] == [("meta", [1, len(TOKENS)])]
