"""A Run from a prompt or a cache: what it holds, what outlives the model, and what is refused with a sentence."""

from __future__ import annotations

import gc
import inspect
import weakref
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from transformer_lens import ActivationCache
from transformer_lens.model_bridge import TransformerBridge

import lenswidget as lw
from lenswidget.model.embedded import embedded_folder

PROMPT = "The capital of France is"


@pytest.fixture(scope="module")
def cached(smollm: Any) -> tuple[torch.Tensor, Any]:
    with torch.no_grad():
        return smollm.run_with_cache(PROMPT)


def test_the_embedded_model_knows_what_it_should(smollm: Any) -> None:
    """The probabilities that the real weights give; a wrong conversion, dtype or BOS moves them."""
    for prompt, answer, least in [
        (PROMPT, " Paris", 0.76),
        ("The Eiffel Tower is located in the city of", " Paris", 0.70),
        ("When Mary and John went to the store, John gave a drink to", " Mary", 0.5),
    ]:
        grid = lw.logit_lens(lw.run(smollm, prompt), targets=[answer])
        assert grid.text(grid.candidates.ids[-1, -1, 0]) == answer  # type: ignore[union-attr]
        assert grid.quantities[f"probability of {answer!r}"].values[-1, -1] >= least


def test_a_cache_a_prompt_and_its_ids_give_the_same_grid(smollm: Any, cached: Any) -> None:
    logits, cache = cached
    from_prompt = lw.logit_lens(lw.run(smollm, PROMPT))
    assert lw.logit_lens(cache) == from_prompt
    assert lw.logit_lens(lw.from_cache(cache, logits=logits)) == from_prompt
    assert lw.logit_lens(lw.run(smollm, smollm.to_tokens(PROMPT))) == from_prompt
    assert lw.logit_lens(lw.run(smollm, smollm.to_tokens(PROMPT)[0].tolist())) == from_prompt
    assert [lw.logit_lens(run).title for run in lw.runs(smollm, [PROMPT, "Two"])] == [PROMPT, "Two"]


def test_a_batch_is_read_one_prompt_at_a_time(smollm: Any) -> None:
    ids = smollm.to_tokens(PROMPT)[0]
    both = torch.stack([ids, ids.flip(0)])
    with torch.no_grad():
        logits, cache = smollm.run_with_cache(both)
    with pytest.raises(ValueError, match=r"holds 2 prompts; choose one with batch=0 to batch=1"):
        lw.from_cache(cache)
    for batch in (2, -3):
        with pytest.raises(ValueError, match=f"no prompt {batch}; choose one with batch=0 to batch=1"):
            lw.from_cache(cache, batch=batch)
    assert lw.from_cache(cache, logits=logits[1], batch=-1, tokens=both).tokens.tolist() == both[1].tolist()
    run = lw.from_cache(cache, logits=logits, batch=1)
    assert run.tokens.tolist() == ids.flip(0).tolist()
    torch.testing.assert_close(run.residual, lw.run(smollm, ids.flip(0)).residual, rtol=1e-3, atol=1e-2)


def booted() -> TransformerBridge:
    """A model that nobody else holds."""
    return TransformerBridge.boot_transformers(str(embedded_folder()), device="cpu", dtype=torch.float32)


@pytest.mark.slow  # loads the embedded model anew
def test_a_run_keeps_its_model_until_it_is_detached() -> None:
    run = lw.run(booted(), PROMPT)
    assert lw.attribute(run, " Paris").check.holds  # type: ignore[union-attr]
    gone = weakref.ref(run.require_activations().backend.model)
    before = lw.logit_lens(run)
    run = run.detach()
    gc.collect()
    assert gone() is None, "the detached run keeps the whole model alive"
    # who moved a token is told by the model's weights, and which model it is by what it computes: both went with it
    assert before.jumps is not None and before.row_quantities
    after = lw.logit_lens(run)
    assert after == replace(before, jumps=None, row_quantities=(), provenance=after.provenance)
    with pytest.raises(ValueError, match=r"This run has no activations.*lw\.run\(model, prompt\)"):
        lw.attribute(run, " Paris")


@pytest.mark.slow  # loads the embedded model anew
def test_a_grid_keeps_no_run_and_no_model_and_asks_again_while_the_model_lives() -> None:
    model = booted()
    run = lw.run(model, PROMPT)
    lens = lw.logit_lens(run)
    bars = lw.attribute(run, " Paris", unit="head")
    paris = run.texts.ids(" Paris")[0]
    assert lens.explain is not None and bars.explain is not None
    first = lens.explain(4, paris, 27)
    gone = weakref.ref(run)
    del run
    gc.collect()
    assert gone() is None, "a Grid keeps the run alive"
    again = lens.explain(4, paris, 27)
    assert again.rows == first.rows and again.check is not None and again.check.holds
    np.testing.assert_allclose(again.values("contribution"), first.values("contribution"), atol=1e-4)
    with model.hooks(fwd_hooks=[("blocks.3.hook_in", lambda x, hook: 2 * x)]):
        assert lens.explain(4, paris, 27) == again, "it is asked as it was when it was read"
    weight = model.blocks[3].mlp.out.original_component.weight
    with torch.no_grad():
        weight.mul_(2)
        with pytest.raises(ValueError, match="is not what it was when this was read"):
            lens.explain(4, paris, 27)
        weight.mul_(0.5)
    del weight
    gone_model = weakref.ref(model)
    del model
    gc.collect()
    assert gone_model() is None, "a Grid keeps the model alive"
    with pytest.raises(ValueError, match="was deleted"):
        lens.explain(4, paris, 27)
    with pytest.raises(ValueError, match="was deleted"):
        bars.explain(0, -1, bars.rows.index("L23H3"))


def test_a_residual_only_cache_says_that_its_last_row_is_not_checked(smollm: Any) -> None:
    with torch.no_grad():
        logits, cache = smollm.run_with_cache(PROMPT, names_filter=lw.residual_hooks(smollm))
    grid = lw.logit_lens(cache)
    assert grid.check is None and any("not checked" in note for note in grid.notes)
    assert lw.from_cache(cache, logits=logits).check is not None


def test_a_cache_without_residuals_names_them_and_the_filter(smollm: Any) -> None:
    with torch.no_grad():
        _, cache = smollm.run_with_cache(PROMPT, names_filter=lambda name: name.endswith("hook_pattern"))
    with pytest.raises(
        ValueError, match=r"lacks blocks\.0\.hook_resid_pre and 30 more.*names_filter=lw\.residual_hooks"
    ):
        lw.logit_lens(cache)


def test_a_cache_without_tokens_asks_for_them(smollm: Any) -> None:
    names = [name for name in lw.residual_hooks(smollm) if name != "embed.hook_in"]
    with torch.no_grad():
        _, cache = smollm.run_with_cache(PROMPT, names_filter=names)
    with pytest.raises(ValueError, match=r"pass tokens=model\.to_tokens"):
        lw.from_cache(cache)
    with pytest.raises(ValueError, match="2 tokens were given for a cache of 5"):
        lw.from_cache(cache, tokens=[1, 2])
    assert (
        lw.from_cache(cache, tokens=smollm.to_tokens(PROMPT)[0]).tokens.tolist() == smollm.to_tokens(PROMPT)[0].tolist()
    )


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"batch": 1}, ValueError, "This cache has no prompt 1; it holds one prompt, so leave batch= out"),
        ({"batch": -2}, ValueError, "This cache has no prompt -2"),
        ({"batch": "first"}, TypeError, "batch is the index of a prompt in this cache and got 'first'"),
        ({"batch": True}, TypeError, "got True"),
        ({"batch": 0.0}, TypeError, "got 0.0"),
        ({"tokens": PROMPT}, TypeError, r"tokens are token ids and got the text .*model\.to_tokens\(prompt\)\[0\]"),
        ({"tokens": [0.5] * 5}, TypeError, "Token ids must be whole numbers"),
        ({"tokens": [1, 2, 3, 4, 10**6]}, ValueError, "Token id 1000000 is outside the vocabulary"),
        ({"tokens": torch.ones(2, 5, dtype=torch.int64)}, ValueError, r"\(2, 5\) tokens were given for a cache of 5"),
        ({"tokens": 5}, TypeError, "got one number, 5"),
        ({"logits": torch.zeros(1, 4, 49152)}, ValueError, r"shape \(1, 4, 49152\).*\(1, 5, 49152\) or \(5, 49152\)"),
        ({"logits": torch.zeros(3, 5, 49152)}, ValueError, r"shape \(3, 5, 49152\)"),
        ({"logits": torch.zeros(5, 100)}, ValueError, r"shape \(5, 100\)"),
        ({"logits": torch.zeros(5, 49152, dtype=torch.int64)}, TypeError, r"tensor of numbers; got torch\.int64"),
        ({"logits": "high"}, TypeError, "beside the cache, a tensor of numbers; got str"),
        ({"logits": np.zeros((5, 49152))}, TypeError, "got ndarray"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_what_is_not_of_this_cache_is_a_sentence(
    cached: Any, arguments: dict[str, Any], error: type[Exception], says: str
) -> None:
    unchecked = inspect.unwrap(lw.from_cache)  # without the types that are checked while tests run
    with pytest.raises(error, match=says):
        unchecked(cached[1], **arguments)


def test_a_cache_of_another_model_is_not_the_model(smollm: Any, cached: Any) -> None:
    _, cache = cached
    changed = {name: value * 1.5 if "resid_post" in name else value for name, value in cache.cache_dict.items()}
    changed["blocks.29.hook_resid_post"] = cache["blocks.10.hook_resid_pre"]
    with pytest.raises(ValueError, match=r"The last row is not the model.*differs.*own logits by up to"):
        lw.logit_lens(ActivationCache(changed, smollm))
    narrow = {name: value[..., :100] if "resid" in name else value for name, value in cache.cache_dict.items()}
    with pytest.raises(ValueError, match=r"writes \[positions, 576\].*another model"):
        lw.logit_lens(ActivationCache(narrow, smollm))


def test_a_cache_in_half_precision_still_reads(smollm: Any, cached: Any) -> None:
    logits, cache = cached
    half = {n: v.half() if v.is_floating_point() and "resid" in n else v for n, v in cache.cache_dict.items()}
    grid = lw.logit_lens(lw.from_cache(ActivationCache(half, smollm), logits=logits))
    assert any("float16" in note for note in grid.notes)
    exact = lw.logit_lens(lw.from_cache(cache, logits=logits))
    assert abs(grid.quantities["probability"].values[-1, -1] - exact.quantities["probability"].values[-1, -1]) < 0.01


def test_a_cache_with_values_that_are_not_finite_reads_the_rest(smollm: Any, cached: Any) -> None:
    logits, cache = cached
    hurt = dict(cache.cache_dict)
    hurt["blocks.12.hook_resid_pre"] = hurt["blocks.12.hook_resid_pre"].clone()
    hurt["blocks.12.hook_resid_pre"][0, 2] = float("nan")
    grid = lw.logit_lens(lw.from_cache(ActivationCache(hurt, smollm), logits=logits), targets=[" Paris"])
    assert "1 of 155 residual vectors are not finite" in grid.notes
    for name, quantity in grid.quantities.items():
        if name != "surprisal" and "rank" not in name:
            assert (~(quantity.values == quantity.values)).sum() == 1, name


@pytest.mark.parametrize(
    ("prompt", "error", "says"),
    [
        ("", ValueError, "prompt is empty"),
        ([], ValueError, "has no tokens"),
        ([5, 49152], ValueError, r"Token id 49152 is outside the vocabulary.*0 to 49151"),
        ([-1], ValueError, "Token id -1 is outside"),
        (torch.tensor([1.5]), TypeError, "whole numbers"),
        (torch.ones(2, 3, dtype=torch.long), ValueError, r"got shape \(2, 3\).*lw\.runs"),
        ("word " * 9000, ValueError, r"has 9\d\d\d tokens and .* takes 8192"),
    ],
    ids=["empty", "no ids", "beyond", "negative", "floats", "batch", "too long"],
)
def test_a_prompt_that_cannot_run_is_a_sentence(smollm: Any, prompt: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        lw.run(smollm, prompt)


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"targets": " Parisian cafés"}, ValueError, r"is \d tokens \(.*name the first, ' Paris'"),
        ({"targets": ""}, ValueError, "no token at all"),
        ({"targets": 10**6}, ValueError, "Token id 1000000 is outside the vocabulary, 0 to 49151"),
        ({"targets": [" Paris", " Paris"]}, ValueError, "named twice in targets"),
        ({"targets": [True]}, TypeError, "a text or a token id.*got True"),
        ({"k": 0}, ValueError, "got 0"),
        ({"extra": ["warmth"]}, ValueError, "got 'warmth'"),
        ({"color": "entropy"}, TypeError, "color"),
    ],
)
def test_an_option_that_means_nothing_is_a_sentence(
    smollm: Any, options: dict, error: type[Exception], says: str
) -> None:
    run = lw.run(smollm, "Hello")
    with pytest.raises(error, match=says):
        lw.logit_lens(run, **options)


def test_followed_sets_of_tokens_are_one_target(smollm: Any) -> None:
    run = lw.run(smollm, PROMPT)
    grid = lw.logit_lens(run, targets=[(" Paris", "Paris"), " the"])
    one = lw.logit_lens(run, targets=[" Paris", "Paris"])
    together = grid.quantities["probability of ' Paris + Paris'"].values
    apart = one.quantities["probability of ' Paris'"].values + one.quantities["probability of 'Paris'"].values
    assert abs(together - apart).max() < 1e-5


def test_a_model_in_training_mode_is_refused() -> None:
    model = booted()
    model.train()
    with pytest.raises(ValueError, match=r"training mode.*model\.eval\(\)"):
        lw.run(model, PROMPT)


def test_what_is_no_model_and_no_cache_is_named() -> None:
    with pytest.raises(TypeError, match=r"got dict; boot one with lw\.load"):
        lw.run({}, PROMPT)
    with pytest.raises(TypeError, match=r"got str; make one with lw\.run"):
        lw.logit_lens("a prompt")


def test_the_decision_layer_is_where_the_output_leads_for_good(smollm: Any) -> None:
    grid = lw.logit_lens(lw.run(smollm, PROMPT))
    leading = grid.candidates.ids[:, :, 0]  # type: ignore[union-attr]
    for position, row in enumerate(grid.decision.tolist()):  # type: ignore[union-attr]
        assert (leading[row:, position] == leading[-1, position]).all()
        assert row == 0 or leading[row - 1, position] != leading[-1, position]
