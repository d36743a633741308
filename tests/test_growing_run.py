"""A prompt that is typed: what is kept of it is what a fresh run finds. Hugging Face's own hidden states are the oracle."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch

import lenswidget as lw
from lenswidget.model.backends import backend_of
from lenswidget.model.growing_run import GrowingRun, economy_of, shared
from tests import architectures

CACHED = [
    "LlamaForCausalLM",
    "GPT2LMHeadModel",
    "Gemma2ForCausalLM",
    "Gemma3ForCausalLM",
    "GPTNeoXForCausalLM",
    "Qwen2ForCausalLM",
    "Qwen3MoeForCausalLM",
    "Olmo2ForCausalLM",
    "PhiForCausalLM",
    "MistralForCausalLM",
    "BloomForCausalLM",
    "FalconForCausalLM",
]
PLAIN = {"LlamaForCausalLM", "GPT2LMHeadModel", "GPTNeoXForCausalLM", "Qwen2ForCausalLM", "MistralForCausalLM"}
"""Whose hidden states are the rows of the stream."""
UNCACHED = ["MambaForCausalLM", "RecurrentGemmaForCausalLM"]


def model_of(name: str, folder: Path, **extra: Any) -> Any:
    architectures.save(name, folder, **extra)
    return architectures.oracle(name, folder)


def typed(seed: int, steps: int) -> list[torch.Tensor]:
    """A prompt at each rest of somebody who adds, deletes, pastes and begins anew."""
    draw = random.Random(seed)
    ids = [1, 40, 70, 33]
    found = []
    for _ in range(steps):
        what = draw.choice(["add", "add", "add", "delete", "change", "paste", "anew"])
        new = [draw.randrange(3, 259) for _ in range(draw.randrange(1, 6))]
        place = draw.randrange(1, len(ids) + 1)
        if what == "add":
            ids = ids + new
        elif what == "delete":
            ids = ids[: max(1, len(ids) - draw.randrange(1, 4))]
        elif what == "change":
            ids = ids[:place] + new + ids[place + 1 :]
        elif what == "paste":
            ids = ids[:place] + new * 2 + ids[place:]
        else:
            ids = [1, *new]
        ids = ids[:40]
        found.append(torch.tensor(ids))
    return found


@pytest.mark.parametrize("name", [*CACHED, *UNCACHED])
def test_a_prompt_that_is_typed_is_at_each_rest_what_a_fresh_run_is(name: str, tmp_path: Path) -> None:
    model = model_of(name, tmp_path)
    backend = backend_of(model)
    assert economy_of(backend).keeps_rows
    assert economy_of(backend).caches == (name in CACHED)
    growing = GrowingRun(backend)
    earlier: list[tuple[lw.Run, torch.Tensor]] = []
    for ids in typed(seed=3, steps=14):
        first, run = growing.become(ids), growing.run
        fresh = lw.run(model, ids)
        size = fresh.residual.abs().amax()
        assert (run.residual - fresh.residual).abs().amax() <= 1e-5 * size
        assert run.residual[:, first:].shape[1] == len(ids) - first
        assert run.tokens.tolist() == ids.tolist() and run.prompt == fresh.prompt
        assert run.check and run.check.holds and run.notes == fresh.notes
        # what a fresh run says of its parts, this one says
        ours, theirs = lw.attribute(run, 40), lw.attribute(fresh, 40)
        assert ours.rows == theirs.rows
        assert torch.allclose(
            torch.tensor(ours.quantities["contribution"].values),
            torch.tensor(theirs.quantities["contribution"].values),
            atol=2e-4,
        )
        if name in PLAIN:
            with torch.no_grad():
                own = model(input_ids=ids.unsqueeze(0), use_cache=False, output_hidden_states=True)
            # the last of transformers' states went through the final norm
            for row, state in enumerate(own.hidden_states[:-1]):
                assert torch.allclose(run.residual[row], state[0], atol=1e-4 * float(state.abs().max()))
        earlier.append((run, run.residual.clone()))
    # a run that somebody kept is not written over by what is typed later
    assert all(torch.equal(run.residual, then) for run, then in earlier)


def test_only_what_changed_is_run(tmp_path: Path) -> None:
    model = model_of("LlamaForCausalLM", tmp_path)
    lengths: list[int] = []
    growing = GrowingRun(backend_of(model))
    seen = model.model.layers[0].register_forward_pre_hook(lambda _, args: lengths.append(args[0].shape[1]))
    growing._hooks = backend_of(model).user_hooks()  # the watcher is no hook that changes anything
    ids = torch.arange(5, 25)
    growing.become(ids)
    assert growing.become(torch.cat([ids, torch.tensor([7, 8])])) == 20
    assert growing.become(ids) == 19
    assert growing.become(torch.cat([ids[:12], torch.tensor([9]), ids[12:]])) == 12
    assert growing.become(growing.tokens) == 21
    seen.remove()
    assert lengths == [20, 2, 1, 9]


def test_under_hooks_all_is_run_again(tmp_path: Path) -> None:
    """A hook may act on a position by its number, which is another one in a pass over the end of a prompt."""
    model = model_of("LlamaForCausalLM", tmp_path)

    def third(module: Any, args: Any, output: Any) -> Any:
        value = output[0] if isinstance(output, tuple) else output
        value = value.clone()
        value[:, 3] = 0
        return (value, *output[1:]) if isinstance(output, tuple) else value

    plain = GrowingRun(backend_of(model))
    hook = model.model.layers[1].mlp.register_forward_hook(third)
    assert not plain.is_current(backend_of(model))
    growing = GrowingRun(backend_of(model))
    ids = torch.arange(5, 17)
    growing.become(ids[:8])
    first, run = growing.become(ids), growing.run
    assert first == 0
    assert torch.allclose(run.residual, lw.run(model, ids).residual, atol=1e-5)
    hook.remove()


@pytest.mark.parametrize("kind", ["dynamic", "longrope"])
def test_positions_that_stretch_with_the_prompt_keep_no_cache(kind: str, tmp_path: Path) -> None:
    rope: dict[str, Any] = {"rope_type": kind, "rope_theta": 10000.0, "factor": 4.0}
    if kind == "longrope":
        rope |= {"short_factor": [1.0] * 4, "long_factor": [3.0] * 4, "original_max_position_embeddings": 8}
    model = model_of(
        "LlamaForCausalLM", tmp_path, rope_parameters=rope, max_position_embeddings=8 if kind == "dynamic" else 32
    )
    assert not economy_of(backend_of(model)).caches


def test_a_cache_that_is_lost_on_the_way_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where one library renames the argument that another passes on: each new token sees only itself."""
    model = model_of("LlamaForCausalLM", tmp_path)
    attention = type(model.model.layers[0].self_attn)
    forward = attention.forward

    def forgetful(self: Any, *args: Any, past_key_values: Any = None, **kwargs: Any) -> Any:
        return forward(self, *args, **kwargs)

    monkeypatch.setattr(attention, "forward", forgetful)
    economy = economy_of(backend_of(model))
    assert economy.keeps_rows and not economy.caches
    growing = GrowingRun(backend_of(model))
    ids = torch.arange(5, 17)
    growing.become(ids[:8])
    assert torch.allclose((growing.become(ids), growing.run)[1].residual, lw.run(model, ids).residual, atol=1e-5)


def test_a_model_that_looks_ahead_keeps_nothing(tmp_path: Path) -> None:
    model = model_of("LlamaForCausalLM", tmp_path)

    def ahead(module: Any, args: Any, output: Any) -> Any:
        value = output[0] if isinstance(output, tuple) else output
        return output + value.mean(1, keepdim=True) if not isinstance(output, tuple) else output

    inner = model.model.layers[1].mlp
    own = inner.forward
    inner.forward = lambda x: ahead(inner, (x,), own(x))
    assert not economy_of(backend_of(model)).keeps_rows
    growing = GrowingRun(backend_of(model))
    ids = torch.arange(5, 17)
    growing.become(ids[:8])
    first, run = growing.become(ids), growing.run
    assert first == 0 and torch.allclose(run.residual, lw.run(model, ids).residual, atol=1e-5)


def test_a_pass_that_is_given_up_leaves_the_run_as_it_was(tmp_path: Path) -> None:
    model = model_of("LlamaForCausalLM", tmp_path)
    growing = GrowingRun(backend_of(model))
    ids = torch.arange(5, 17)
    growing.become(ids[:8])
    before = growing.run

    def stop(block: int) -> None:
        if block == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        growing.become(ids, stop)
    assert growing.run is before
    first, run = growing.become(ids), growing.run
    assert first == 8 and torch.allclose(run.residual, lw.run(model, ids).residual, atol=1e-5)


def test_a_check_that_failed_is_not_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of("LlamaForCausalLM", tmp_path)
    growing = GrowingRun(backend_of(model))
    ids = torch.arange(5, 17)
    growing.become(ids[:8])
    forward = model.lm_head.forward
    monkeypatch.setattr(
        model.lm_head, "forward", lambda x: forward(x) + torch.arange(288.0)
    )  # not the weights that are read
    with pytest.raises(ValueError, match="The last row is not the model"):
        growing.become(ids)
    with pytest.raises(ValueError, match="The last row is not the model"):
        growing.run  # noqa: B018


def test_bridges_grow_too(tmp_path: Path) -> None:
    architectures.save("LlamaForCausalLM", tmp_path)
    model = architectures.boot(tmp_path)
    growing = GrowingRun(backend_of(model))
    for ids in typed(seed=5, steps=8):
        growing.become(ids)
        run = growing.run
        assert torch.allclose(run.residual, lw.run(model, ids).residual, atol=1e-5)


def test_shared_tokens_are_counted() -> None:
    one = torch.tensor([1, 2, 3])
    assert shared(one, torch.tensor([1, 2, 4])) == 2
    assert shared(one, torch.tensor([1, 2])) == 2
    assert shared(one, torch.tensor([5])) == 0
