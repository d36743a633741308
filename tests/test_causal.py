"""Erasing, and the causal basis: against Hugging Face's own model in float64, with its blocks run one after another."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import lenswidget as lw
from lenswidget.lenses import causal
from lenswidget.lenses.causal import Trial
from lenswidget.model.backends import backend_of
from tests import architectures

TEXT = "The quick brown fox jumps over a lazy dog, which looks up."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("llama")
    architectures.save("LlamaForCausalLM", folder)
    return folder


@pytest.fixture(scope="module")
def model(folder: Path) -> Any:
    return architectures.boot(folder)


@pytest.fixture(scope="module")
def oracle(folder: Path) -> Any:
    return architectures.oracle("LlamaForCausalLM", folder).double()


def said(oracle: Any, ids: Tensor, row: int, change: Any, read_there: bool) -> Tensor:
    """Log-probabilities after a change of what enters block `row`: read there, or where the model ends."""
    kept: list[Tensor] = []

    def enter(module: Any, arguments: Any, keywords: Any) -> Any:
        h = (arguments[0] if arguments else keywords["hidden_states"]).clone()
        h[:, 1:] = change(h[:, 1:])
        kept.append(h)
        return ((h, *arguments[1:]), keywords) if arguments else ((), {**keywords, "hidden_states": h})

    handle = oracle.model.layers[row].register_forward_pre_hook(enter, with_kwargs=True)
    with torch.inference_mode():
        logits = oracle(ids[None], use_cache=False).logits
        if read_there:
            logits = oracle.lm_head(oracle.model.norm(kept[0]))
    handle.remove()
    return logits[0, 1:].log_softmax(-1)


def test_erasing_is_what_it_does_to_hugging_faces_model(model: Any, oracle: Any) -> None:
    one, row = lw.run(model, TEXT), 1
    responses = Trial.of(backend_of(model), [one], 5).respond([lw.LogitLens()], row, 5, "erase")
    states = one.residual[row, 1:].double()
    directions = causal.principal_directions(states.float(), 5, seed=0).double()
    ids = one.tokens[: causal.CONTEXT]
    before = {there: said(oracle, ids, row, lambda h: h, there) for there in (True, False)}
    weight = before[False].exp()
    for i, v in enumerate(directions):

        def erase(h: Tensor, v: Tensor = v) -> Tensor:
            return h + ((states.mean(0) - h) @ v)[..., None] * v

        changes = []
        for place, there in enumerate((True, False)):
            after = said(oracle, ids, row, erase, there)
            kl = (before[there].exp() * (before[there] - after)).sum(-1).mean() / np.log(2)
            assert responses.strength[place, i] == pytest.approx(float(kl), rel=2e-3, abs=1e-6)
            change = after - before[there]
            changes.append(change - (weight * change).sum(-1, keepdim=True))
        inner = [[(weight * a * b).sum(-1) for a in changes] for b in changes]
        way = (inner[0][1] / (inner[0][0] * inner[1][1]).sqrt()).mean()
        assert responses.way[0, i] == pytest.approx(float(way), abs=2e-3)


@pytest.mark.parametrize(
    "architecture", ["LlamaForCausalLM", "GPT2LMHeadModel", "Gemma2ForCausalLM", "BloomForCausalLM"]
)
def test_a_batch_that_grows_says_what_whole_batches_say(architecture: str, tmp_path: Path) -> None:
    architectures.save(architecture, tmp_path)
    for model in (architectures.boot(tmp_path), architectures.oracle(architecture, tmp_path)):
        backend, one = backend_of(model), lw.run(model, list(range(5, 22)))
        for row, site in enumerate(backend.rows):
            changed = torch.stack([one.residual[row, 1:] * factor for factor in (0.5, 1.5, -1.0)])
            whole = causal._arrived(backend, one, site, changed, False)
            torch.testing.assert_close(causal._go_on(backend, one, site, changed), whole, rtol=1e-3, atol=1e-4)


def erased_kl(lens_logits: Any, states: Tensor, some: Tensor, v: Tensor) -> float:
    q = lens_logits(some).log_softmax(-1)
    p = lens_logits(some - ((some - states.mean(0)) @ v)[:, None] * v).log_softmax(-1)
    return float((q.exp() * (q - p)).sum(-1).mean() / np.log(2))


def test_a_causal_basis_is_orthonormal_and_no_other_direction_moves_the_lens_more(model: Any, oracle: Any) -> None:
    """The energy in float64; and of 200 directions at random and all the principal ones, none is stronger than the first."""
    basis = lw.causal_basis(model, lw.LogitLens(), [TEXT], row="L0", vectors=4)
    assert basis.row == "L0" and basis.vectors.shape == (4, 32)
    np.testing.assert_allclose(basis.vectors @ basis.vectors.T, np.eye(4), atol=1e-5)
    states = lw.run(model, TEXT).residual[1, 1:].double()

    def logits(h: Tensor) -> Tensor:
        with torch.inference_mode():
            return oracle.lm_head(oracle.model.norm(h))

    some = states[torch.randperm(len(states), generator=torch.Generator().manual_seed(0))[:64]]
    vectors = torch.from_numpy(basis.vectors).double()
    for v, energy in zip(vectors, basis.energy):
        assert energy == pytest.approx(erased_kl(logits, states, some, v), rel=1e-3)
    assert (np.diff(basis.energy) < 1e-3 + 0.05 * basis.energy[0]).all()
    others = torch.randn(200, 32, generator=torch.Generator().manual_seed(1)).double()
    principal = torch.linalg.svd(states - states.mean(0), full_matrices=False).Vh
    for v in [*(others / others.norm(dim=-1, keepdim=True)), *principal]:
        assert erased_kl(logits, states, some, v) <= basis.energy[0] + 1e-4


def test_on_a_large_vocabulary_the_search_finds_what_a_search_of_all_of_it_finds(smollm: Any) -> None:
    """The energy on the whole vocabulary, and no less than what L-BFGS finds there from each of the principal directions."""
    basis = lw.causal_basis(smollm, lw.LogitLens(), [TEXT], row="L20", vectors=2)
    states = lw.run(smollm, TEXT).residual[21, 1:].detach()
    some = states[torch.randperm(len(states), generator=torch.Generator().manual_seed(0))[:64]]

    def logits(h: Tensor) -> Tensor:
        out: Tensor = smollm.unembed(smollm.ln_final(h[None]))[0]
        return out

    def energy(v: Tensor) -> Tensor:
        v = v / v.norm()
        q = logits(some).log_softmax(-1).detach()
        return (q.exp() * (q - logits(some - ((some - states.mean(0)) @ v)[:, None] * v).log_softmax(-1))).sum(
            -1
        ).mean() / np.log(2)

    first = torch.from_numpy(basis.vectors[0])
    assert basis.energy[0] == pytest.approx(energy(first).item(), rel=1e-3)
    found = []
    for start in torch.linalg.svd(states - states.mean(0), full_matrices=False).Vh[:4]:
        v = start.clone().requires_grad_()
        search = torch.optim.LBFGS([v], max_iter=20, line_search_fn="strong_wolfe")

        def closure(v: Tensor = v, search: Any = search) -> Tensor:
            search.zero_grad()
            loss = -energy(v)
            loss.backward()
            return loss

        search.step(closure)
        found.append(energy(v).item())
    assert basis.energy[0] >= 0.97 * max(found)


def test_where_the_lens_is_the_model_so_are_its_influences(folder: Path) -> None:
    model = architectures.boot(folder)
    for block in list(model.blocks)[1:]:
        for part in (block.attn, block.mlp):
            part.hook_out.add_perma_hook(lambda x, hook: torch.zeros_like(x))
    basis = lw.causal_basis(model, lw.LogitLens(), [TEXT], row=0, vectors=3)
    np.testing.assert_allclose(basis.lens_influence, basis.model_influence, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(basis.alignment, 1, atol=1e-3)
    assert basis.spearman == pytest.approx(1) and "Spearman 1.00" in repr(basis)
    assert list(basis.to_dataframe()) == ["energy", "lens_influence", "model_influence", "alignment"]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"row": "L2"}, "L2 is the last row, the model's own output"),
        ({"row": "L7"}, "no row 'L7'"),
        ({"row": "L0", "vectors": 0}, "vectors is how many to find, 1 or more; got 0"),
        ({"row": "L0", "vectors": 40}, "vary in 32 directions"),
        ({"row": "L0", "texts": [""]}, "nothing to look in"),
        ({"row": "L0", "vectors": 2.5}, r"how many to find, a whole number, 1 or more; got 2\.5"),
        ({"row": "L0", "seed": None}, "seed is a whole number, 0 or more; got None"),
        ({"row": "L0", "texts": {"code": [TEXT]}}, r"pass one of them, as in texts\['code'\]"),
        ({"row": "L0", "lens": lambda h, row: h.detach()}, "No gradient goes through the lambda in L0, .* leave out"),
        ({"row": "L0", "lens": lambda h, row: h * float("nan")}, "What the lambda makes of L0 isn't finite"),
    ],
)
def test_what_has_no_causal_basis_is_refused(model: Any, settings: Any, sentence: str) -> None:
    unchecked = inspect.unwrap(lw.causal_basis)  # without the types that are checked while tests run
    lens, texts = settings.pop("lens", lw.LogitLens()), settings.pop("texts", [TEXT])
    with pytest.raises((ValueError, TypeError), match=sentence):
        unchecked(model, lens, texts, **{"vectors": 2, **settings})


def test_states_that_are_not_finite_give_no_directions(folder: Path) -> None:
    model = architectures.boot(folder)
    whole = lw.causal_basis(model, lw.LogitLens(), [TEXT], row="L0", vectors=2)
    with torch.no_grad():
        model.embed.weight[model.to_tokens("z", prepend_bos=False)[0, 0]] = torch.nan
    texts = ["The quick brown fox jumps over", TEXT]  # of the second, all that follows is NaN, too
    basis = lw.causal_basis(model, lw.LogitLens(), texts, row="L0", vectors=2)
    assert np.isfinite(basis.energy).all() and np.isfinite(basis.alignment).all() and np.isfinite(whole.energy).all()
    measured = lw.fidelity(model, lw.LogitLens(), texts, directions=6)
    assert np.isfinite(measured.alignment).all() and measured.left_out[0] > 0
    with pytest.raises(ValueError, match="0 states of this row are finite, which vary in 0 directions"):
        lw.causal_basis(model, lw.LogitLens(), ["zebra and more"], row="L0", vectors=2)
