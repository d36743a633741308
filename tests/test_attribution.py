"""Rows sum, each row is what its formula says, and what can't be attributed is refused with a sentence."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from transformer_lens import ActivationCache

import lenswidget as lw
from lenswidget.grids.parts import NO_TOKEN
from lenswidget.model.backends import backend_of
from lenswidget.model.tokens import TokenTexts
from tests import architectures

PROMPT = "The Eiffel Tower is located in the city of"
TOKENS = [1, 40, 70, 33, 120, 99, 70, 250, 41]


@pytest.fixture(scope="module")
def tower(smollm: Any) -> lw.Run:
    return lw.run(smollm, PROMPT)


@pytest.fixture(scope="module")
def cached(smollm: Any) -> Any:
    with torch.no_grad():
        return smollm.run_with_cache(PROMPT)[1]


def small(architecture: str, folder: Path, dtype: torch.dtype = torch.float32) -> Any:
    architectures.save(architecture, folder)
    return architectures.boot(folder, dtype)


def values(grid: lw.Grid, quantity: str = "contribution") -> dict[str, Any]:
    """Label → what stands there: a number, or a row of them."""
    return dict(
        zip(grid.rows, grid.quantities[quantity].values.astype(np.float64).squeeze(-1 if grid.shape[1] == 1 else ()))
    )


def final_logit(run: lw.Run, vector: Tensor, sigma: Tensor, token: int) -> float:
    """RMSNorm with σ given, and one column of the unembedding: the last step of every Llama."""
    return float((vector / sigma * run.readout.norm.gain) @ run.readout.W_U[:, token])


def test_taking_a_component_from_the_last_residual_takes_its_row_from_the_logit(
    smollm: Any, tower: lw.Run, cached: Any
) -> None:
    paris = smollm.to_single_token(" Paris")
    rows = values(lw.attribute(tower, " Paris"))
    last = tower.residual[-1, -1]
    sigma = (last.square().mean() + smollm.cfg.eps).sqrt()
    whole = final_logit(tower, last, sigma, paris)
    for layer in (0, 7, 23, 29):
        for part in ("attn", "mlp"):
            without = last - cached[f"blocks.{layer}.hook_{part}_out"][0, -1]
            assert rows[f"L{layer}.{part}"] == pytest.approx(
                whole - final_logit(tower, without, sigma, paris), abs=2e-5
            )
    assert rows["embed"] == pytest.approx(final_logit(tower, cached["hook_embed"][0, -1], sigma, paris), abs=1e-5)


def test_heads_and_neurons_are_the_gradient_of_the_frozen_logit_times_what_they_are(
    smollm: Any, tower: lw.Run, cached: Any
) -> None:
    paris, london = (smollm.to_single_token(token) for token in (" Paris", " London"))
    sigma = (tower.residual[-1, -1].square().mean() + smollm.cfg.eps).sqrt()
    heads = values(lw.attribute(tower, " Paris", against=" London", unit="head"))
    neurons = values(lw.attribute(tower, " Paris", against=" London", unit="neuron", top=10**6))
    for layer in (3, 29):
        block = smollm.blocks[layer]
        for module, hook, found, letter in (
            (block.attn.o, "attn.hook_z", heads, "H"),
            (block.mlp.out, "mlp.hook_post", neurons, "N"),
        ):
            x = cached[f"blocks.{layer}.{hook}"][0, -1].clone().requires_grad_()
            written = module.original_component(x.flatten())
            difference = (written / sigma * tower.readout.norm.gain) @ (
                tower.readout.W_U[:, paris] - tower.readout.W_U[:, london]
            )
            (gradient,) = torch.autograd.grad(difference, x)
            theirs = (gradient * x).detach().reshape(len(x), -1).sum(-1)
            ours = [found[f"L{layer}{letter}{i}"] for i in range(len(x))]
            np.testing.assert_allclose(ours, theirs, atol=2e-5)


def test_heads_of_gemma_2_pass_the_blocks_own_norm(tmp_path: Path) -> None:
    model = small("Gemma2ForCausalLM", tmp_path)
    run = lw.run(model, TOKENS)
    target = 77
    heads = values(lw.attribute(run, target, unit="head"))
    oracle = architectures.oracle("Gemma2ForCausalLM", tmp_path)
    with torch.inference_mode():
        _, cache = model.run_with_cache(torch.tensor([TOKENS]))
        layer = oracle.model.layers[1]
        z = cache["blocks.1.attn.hook_z"][0, -1]
        written = torch.stack([layer.self_attn.o_proj.weight[:, 8 * h : 8 * h + 8] @ z[h] for h in range(4)])
        before = written.sum(0)  # what the block's own norm sees
        normed = written / (before.square().mean() + 1e-6).sqrt() * (1 + layer.post_attention_layernorm.weight)
        last = cache["blocks.2.hook_resid_post"][0, -1]
        u = (1 + oracle.model.norm.weight) * oracle.lm_head.weight[target] / (last.square().mean() + 1e-6).sqrt()
    np.testing.assert_allclose([heads[f"L1H{h}"] for h in range(4)], normed @ u, rtol=1e-4, atol=1e-5)


def test_it_agrees_with_transformer_lens_where_that_is_right(tmp_path: Path) -> None:
    from transformer_lens.tools.analysis import direct_logit_attribution

    model = small("GPT2LMHeadModel", tmp_path)
    model.enable_compatibility_mode(disable_warnings=True)
    run = lw.run(model, TOKENS)
    for unit, least in (("component", 8), ("head", 12)):
        theirs = direct_logit_attribution(
            model,
            torch.tensor([TOKENS]),
            answer_tokens=torch.tensor([50]),
            incorrect_tokens=torch.tensor([60]),
            unit=unit,
        )
        ours = values(lw.attribute(run, 50, against=60, unit=unit))
        names = [re.sub(r"^(\d+)_(attn|mlp)_out", r"L\1.\2", label) for label in theirs.labels]
        shared = {name: value for name, value in zip(names, theirs.attribution.flatten().tolist()) if name in ours}
        assert len(shared) >= least
        assert shared == pytest.approx({name: ours[name] for name in shared}, abs=1e-4)


def test_sources_sum_to_their_head_and_all_cells_to_the_logit(smollm: Any, tower: lw.Run) -> None:
    grid = lw.attribute(tower, " Paris", unit="source", top=1000)
    heads = values(lw.attribute(tower, " Paris", unit="head"))
    assert grid.columns.tolist() == tower.tokens.tolist()
    for label, row in values(grid).items():
        assert row.sum() == pytest.approx(heads[label], abs=2e-5), label
        if "H" not in label:
            assert not row[:-1].any(), "what doesn't move between positions stands in its own column"
    few = lw.attribute(tower, " Paris", unit="source")
    kept = values(few)
    others = kept.pop(next(label for label in kept if label.endswith("smaller")))
    assert len(kept) == 40 and few.check is not None and few.check.holds
    left = [row for label, row in values(grid).items() if label not in kept]
    np.testing.assert_allclose(others, np.sum(left, axis=0), atol=1e-4)
    assert min(np.abs(row).max() for row in kept.values()) >= max(np.abs(row).max() for row in left) - 1e-6
    assert grid.check is not None and grid.check.holds and grid.check.claim == "cells sum to the logit"
    assert grid[["L27H0"]].check is None and grid[:, 2:].check is None, "a part of a sum sums to something else"
    with pytest.raises(ValueError, match="shows one position; got 10"):
        lw.attribute(tower, " Paris", unit="source", position=None)


def test_coarse_units_are_sums_of_finer_ones(tower: lw.Run) -> None:
    of = {unit: values(lw.attribute(tower, " Paris", unit=unit)) for unit in ("component", "block", "kind")}
    assert of["block"]["L9"] == pytest.approx(of["component"]["L9.attn"] + of["component"]["L9.mlp"], abs=2e-5)
    mlps = sum(value for label, value in of["component"].items() if label.endswith(".mlp"))
    assert of["kind"]["mlp"] == pytest.approx(mlps, abs=1e-4)
    assert list(of["kind"]) == ["embed", "attn", "mlp"]
    grid = lw.attribute(tower, " Paris", unit="block")
    np.testing.assert_allclose(
        grid.quantities["running total"].values[:, 0], np.cumsum(list(of["block"].values())), rtol=1e-5
    )


def test_the_top_rows_and_all_the_others_sum_to_the_same(tower: lw.Run) -> None:
    whole, top = (values(lw.attribute(tower, " Paris", unit="head", top=n)) for n in (None, 7))
    *kept, rest = top
    assert rest == "294 smaller" and len(kept) == 7
    assert sum(top.values()) == pytest.approx(sum(whole.values()), abs=1e-5)
    assert {*kept} == {*sorted(whole, key=lambda label: -abs(whole[label]))[:7]}
    assert kept == [label for label in whole if label in kept], "in the order of the network"
    assert lw.attribute(tower, " Paris", unit="neuron").shape == (51, 1)


def test_every_position_is_attributed_as_it_is_alone(tower: lw.Run) -> None:
    every = lw.attribute(tower, " Paris", unit="head", position=None)
    assert every.shape == (301, 10) and every.check is not None and every.check.holds
    assert every[:, 2:].check == every.check and every[2:].check is None
    for position in (0, 4, -1):
        alone = lw.attribute(tower, " Paris", unit="head", position=position)
        np.testing.assert_allclose(
            every.quantities["contribution"].values[:, position],
            alone.quantities["contribution"].values[:, 0],
            atol=3e-5,
        )
    assert lw.attribute(tower, " Paris", position=slice(-3, None)).positions.tolist() == [7, 8, 9]
    assert any("holds <|im_start|>" in note for note in lw.attribute(_after_bos(tower), 5, position=0).notes)


def _after_bos(run: lw.Run) -> lw.Run:
    return lw.run(run.require_activations().backend.model, [1, *run.tokens.tolist()])


def test_a_set_is_read_along_its_log_sum_exp(smollm: Any, tower: lw.Run) -> None:
    ids = [smollm.to_single_token(token) for token in (" Paris", "Paris", " London")]
    logits = tower.readout.logits(tower.residual[-1, -1:])[0, ids].double().requires_grad_()
    whole = logits.logsumexp(0)
    (weight,) = torch.autograd.grad(whole, logits)
    whole, logits = whole.detach(), logits.detach()
    grid = lw.attribute(tower, tuple(ids))
    rows = values(grid)
    assert sum(rows.values()) == pytest.approx(float(whole), abs=1e-4)
    assert rows["set"] == pytest.approx(float(whole - weight @ logits), abs=1e-4)
    alone = [values(lw.attribute(tower, i))["L27.mlp"] for i in ids]
    assert rows["L27.mlp"] == pytest.approx(float(weight @ torch.tensor(alone).double()), abs=1e-4)
    assert any("a set is read along the mean" in note for note in grid.notes)


def test_a_soft_cap_and_every_bias_have_rows_of_their_own(tmp_path: Path) -> None:
    models = {a: small(a, tmp_path / a) for a in ("Gemma2ForCausalLM", "GPT2LMHeadModel", "CodeGenForCausalLM")}
    gemma, of_gpt2, of_codegen = (lw.run(model, TOKENS) for model in models.values())
    z = gemma.readout.norm(gemma.row(-1, torch.tensor([8]))) @ gemma.readout.W_U[:, 77]
    assert values(lw.attribute(gemma, 77))["soft-cap"] == pytest.approx(float(5 * torch.tanh(z / 5) - z), abs=1e-5)
    gpt2 = lw.attribute(of_gpt2, 77, unit="head")
    assert {"pos_embed", "L0.attn bias", "L2.attn bias", "final norm bias"} <= set(gpt2.rows)
    assert any("bias of the values is in the heads" in note for note in gpt2.notes)
    codegen = lw.attribute(of_codegen, 77)
    assert "unembedding bias" in codegen.rows


def test_by_layer_a_row_is_a_block_and_a_column_a_part(tower: lw.Run) -> None:
    grid = lw.attribute(tower, " Paris", against=" London", unit="head", by_layer=True)
    rows = values(lw.attribute(tower, " Paris", against=" London", unit="head"))
    assert grid.rows == ("embed", *(f"L{layer}" for layer in range(30)))
    assert grid.column_labels == (*(f"H{head}" for head in range(9)), "mlp", "other")
    cells = grid.quantities["contribution"].values
    assert cells[24, 1] == pytest.approx(rows["L23H1"]) and cells[0, -1] == pytest.approx(rows["embed"])
    assert np.isnan(cells[0, 0]) and np.nansum(cells) == pytest.approx(sum(rows.values()), abs=1e-4)
    assert grid.check is not None and grid.check.claim == "cells sum to the logit difference"
    with pytest.raises(ValueError, match="shows one position; got 10"):
        lw.attribute(tower, " Paris", unit="head", position=None, by_layer=True)
    with pytest.raises(ValueError, match="give one of both"):
        lw.attribute(tower, " Paris", by_layer=True, top=3)


def test_over_prompts_there_is_a_mean_and_a_spread(smollm: Any) -> None:
    names = [("Mary", "John"), ("Tom", "Anna"), ("James", "Sarah")]
    runs = lw.runs(smollm, [f"When {a} and {b} went to the store, {b} gave a drink to" for a, b in names])
    good, bad = ([f" {pair[i]}" for pair in names] for i in (0, 1))
    grid = lw.attribute(runs, good, against=bad, unit="head")
    single = np.array([list(values(lw.attribute(*one, unit="head")).values()) for one in zip(runs, good, bad)])
    np.testing.assert_allclose(list(values(grid).values()), single.mean(0), atol=1e-5)
    np.testing.assert_allclose(list(values(grid, "spread").values()), single.std(0), atol=1e-5)
    by_layer = lw.attribute(runs, good, against=bad, unit="head", by_layer=True)
    spread = by_layer.quantities["spread"].values[by_layer.rows.index("L23"), 3]
    assert spread == pytest.approx(values(grid, "spread")["L23H3"])
    assert "the mean over 3 prompts" in grid.notes[0]
    assert grid.column_labels == ("mean of 3",) and grid.check is not None and grid.check.holds
    with pytest.raises(ValueError, match="2 targets were given for 3 prompts"):
        lw.attribute(runs, good[:2])
    with pytest.raises(ValueError, match="no runs"):
        lw.attribute([], " Paris")


def test_a_jump_is_what_the_block_between_did(tower: lw.Run) -> None:
    lens = lw.logit_lens(tower, targets=[" Paris"], against=" London")
    for row in ("L0", "L23", "L29"):
        grid = lw.explain(tower, " Paris", row)
        trajectory = lens.quantities["logit of ' Paris'"].values[:, -1]
        index = lens.rows.index(row)
        assert sum(values(grid).values()) == pytest.approx(float(trajectory[index] - trajectory[index - 1]), abs=5e-5)
        assert grid.check is not None and grid.check.holds and grid.check.claim == "rows sum to the jump"
        assert grid.rows == (*(f"{row}H{head}" for head in range(9)), f"{row}.mlp", "norm rescale")
    # at the last row the scale is the one that attribution holds
    whole = values(lw.attribute(tower, " Paris", unit="head"))
    assert values(grid)["L29H3"] == pytest.approx(whole["L29H3"], abs=1e-5)
    difference = lens.quantities["logit difference of ' Paris' from ' London'"]
    assert (difference.measure, difference.center, difference.target) == ("logit difference", 0.0, 0)
    moved = sum(values(lw.explain(tower, " Paris", "L27", against=" London", position=-1)).values())
    assert moved == pytest.approx(float(difference.values[28, -1] - difference.values[27, -1]), abs=5e-5)


def test_a_jump_of_a_translated_row_has_the_translators_share(tower: lw.Run, tmp_path: Path) -> None:
    def lens(residual: Tensor, row: int) -> Tensor:
        return residual * (1.0 + row / 10) + 0.2

    grid = lw.explain(tower, " Paris", "L20", lens=lens, position=3)
    trajectory = lw.read(tower, lens, targets=[" Paris"]).quantities["logit of ' Paris'"].values[:, 3]
    assert sum(values(grid).values()) == pytest.approx(float(trajectory[21] - trajectory[20]), abs=1e-4)
    assert "translator" in grid.rows
    model = small("Gemma2ForCausalLM", tmp_path)
    capped = lw.run(model, TOKENS)
    grid = lw.explain(capped, (77, 78), "L1", lens=lens)
    trajectory = lw.read(capped, lens, targets=[(77, 78)]).quantities[_logit_of(capped, 77, 78)].values[:, -1]
    assert sum(values(grid).values()) == pytest.approx(float(trajectory[2] - trajectory[1]), abs=1e-5)


def _logits(run: lw.Run, token: int) -> np.ndarray:
    """What the logit lens says of a token at the last position, row by row."""
    return lw.logit_lens(run, targets=[token]).quantities[_logit_of(run, token)].values[:, -1]


def _logit_of(run: lw.Run, *ids: int) -> str:
    return f"logit of {' + '.join(run.texts[i] for i in ids)!r}"


@pytest.mark.parametrize("architecture", ["Gemma2ForCausalLM", "GPTNeoXForCausalLM", "RecurrentGemmaForCausalLM"])
def test_a_lens_carries_the_jumps_of_its_last_position(architecture: str, tmp_path: Path) -> None:
    model = small(architecture, tmp_path)
    run = lw.run(model, TOKENS)
    grid = lw.logit_lens(run, targets=[77])
    carried = grid.jumps
    assert carried is not None and carried.tokens[0] == 77 and set(carried.columns.tolist()) == {8}
    assert np.isnan(carried.values[:, 0]).all() and len(carried.tokens) <= 8
    trajectory = grid.quantities[_logit_of(run, 77)].values[:, -1]
    np.testing.assert_allclose(np.nansum(carried.values[0], -1)[1:], np.diff(trajectory), atol=1e-5)
    one = values(lw.explain(run, 77, "L1"))
    for part, value in zip(carried.parts, carried.values[0, 2]):
        if not np.isnan(value):
            assert value == pytest.approx(one[part.replace("{}", "L1")], abs=1e-6), part
    summed = np.nansum(carried.values.astype(np.float64), -1)
    off = np.abs(summed[:, 1:] - [np.diff(_logits(run, int(i))) for i in carried.tokens]).max()
    assert carried.check.holds and off < carried.check.error + 1e-5
    with torch.no_grad():
        logits, cache = model.run_with_cache(torch.tensor([TOKENS]))
    assert lw.logit_lens(lw.from_cache(cache, logits=logits), targets=[77]) == grid
    # a stream that was changed by hand is not explained by what the model did
    changed = replace(run, residual=run.residual * torch.tensor([1.0, 1.0, 2.0, 1.0]).view(-1, 1, 1))
    strange = lw.logit_lens(changed, targets=[77]).jumps
    assert strange is not None and (architecture[0] == "R" or np.isnan(strange.values[0, 2]).all())


def test_what_a_head_or_neuron_promotes_is_asked_of_its_bar_or_its_cell(tower: lw.Run) -> None:
    bars = lw.attribute(tower, " Paris", unit="head")
    assert bars.explain is not None
    row = bars.rows.index("L23H3")
    assert bars.explain(0, NO_TOKEN, row) == lw.promotes(tower.require_activations().backend.model, "L23H3")
    part = bars[row:]
    assert part.explain is not None and part.explain(0, NO_TOKEN, 0).title == "L23H3"
    laid_out = lw.attribute(tower, " Paris", unit="head", by_layer=True)
    assert laid_out.explain is not None and laid_out.column_labels is not None
    cell = laid_out.column_labels.index("H3"), NO_TOKEN, laid_out.rows.index("L23")
    assert laid_out.explain(*cell).title == "L23H3"
    with pytest.raises(ValueError, match="'embed' names no neuron and no head"):
        bars.explain(0, NO_TOKEN, bars.rows.index("embed"))
    widget = lw.LensWidget(bars, jump=[0, NO_TOKEN, row])
    assert widget.explains and "grid" in widget.explained


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=["bfloat16", "float16"])
@pytest.mark.parametrize("architecture", ["LlamaForCausalLM", "GPT2LMHeadModel", "Gemma2ForCausalLM"])
def test_in_half_precision_every_head_is_exact_and_what_the_model_rounded_is_a_row(
    architecture: str, dtype: torch.dtype, tmp_path: Path
) -> None:
    model = small(architecture, tmp_path, dtype)
    run = lw.run(model, TOKENS)
    exact = float64_logit(run, 77)
    for unit in ("component", "head", "neuron", "source"):
        grid = lw.attribute(run, 77, unit=unit, top=1000)
        found = grid.values("contribution").astype(np.float64)
        size = np.nanmax(np.abs(found))
        assert np.nansum(found) == pytest.approx(exact, abs=2e-5 * size), (
            "all rows, and what was rounded, are the logit"
        )
        assert grid.check is not None and grid.check.holds and grid.check.error < 1e-4 * size
        lost = np.nansum(found[grid.rows.index("rounding")])
        assert 0 < abs(lost) < 5e-2 * size
        assert any("“rounding”" in note and str(dtype)[6:] in note for note in grid.notes)
    part = next(part for part in run.require_activations().components.blocks[1].parts if part.heads)
    assert part.projection is not None
    z = run.require_activations().at([part.projection.site], torch.tensor([len(TOKENS) - 1]))[part.projection.site]
    if part.norm is None:  # else a head is read through its block's own norm, too
        W_O = part.projection.W(backend_of(model)).double()
        split = z.double().reshape(part.heads, -1) * (W_O @ float64_direction(run, 77)).reshape(part.heads, -1)
        ours = [values(lw.attribute(run, 77, unit="head"))[f"L1H{head}"] for head in range(part.heads)]
        assert part.scale == 1 and ours == pytest.approx(split.sum(-1).tolist(), abs=1e-6)
    jumps = lw.explain(run, 77, "L1").check
    assert jumps is not None and jumps.holds and jumps.tolerance < 1e-3
    half = [note for note in lw.logit_lens(run).notes if "in float32" in note]
    theirs = model(torch.tensor([TOKENS]))[0, -1].detach().float()
    assert len(half) == 1 and f"{float(theirs.softmax(-1).max()):.3f} there" in half[0]


def float64_direction(run: lw.Run, token: int) -> Tensor:
    """Along which the last position's stream is a token's logit, with the norm's scale held: by hand, in float64."""
    readout, h = run.readout, run.residual[-1, -1].double()
    gain = 1.0 if readout.norm.gain is None else readout.norm.gain.double()
    u = readout.scale * readout.W_U[:, token].double() * gain
    centered = h - h.mean() if readout.norm.centered else h
    assert readout.norm.eps is not None
    return (u - u.mean() if readout.norm.centered else u) / (centered.square().mean() + readout.norm.eps).sqrt()


def float64_logit(run: lw.Run, token: int) -> float:
    """A token's logit of the last row, in float64."""
    readout = run.readout
    logit = float(run.residual[-1, -1].double() @ float64_direction(run, token))
    if readout.norm.bias is not None:
        logit += readout.scale * float(readout.norm.bias.double() @ readout.W_U[:, token].double())
    if readout.b_U is not None:
        logit += readout.scale * float(readout.b_U[token])
    return logit if readout.cap is None else readout.cap * float(np.tanh(logit / readout.cap))


def test_in_half_precision_what_is_no_rounding_fails_the_check(tmp_path: Path) -> None:
    model = small("LlamaForCausalLM", tmp_path, torch.bfloat16)
    run = lw.run(model, TOKENS)
    moved = run.residual.clone()
    moved[-1, -1] += 2 * moved[-1, -1].flip(0)
    grid = lw.attribute(replace(run, residual=moved), 77)
    assert grid.check is not None and not grid.check.holds and "check failed" in str(grid.check)


def test_rows_that_are_not_finite_are_kept_and_seen(tower: lw.Run) -> None:
    bad = tower.residual.clone()
    bad[5, -1, 0] = float("nan")
    grid = lw.attribute(replace(tower, residual=bad), " Paris", unit="block", top=3)
    assert np.isnan(values(grid)["L4"]) and np.isnan(values(grid)["L5"])
    assert grid.check is not None and not grid.check.holds


def test_a_cache_gives_what_a_run_gives_or_names_what_it_lacks(smollm: Any, tower: lw.Run, cached: Any) -> None:
    for unit in ("component", "head", "source"):
        assert (
            values(lw.attribute(cached, " Paris", unit=unit)).keys()
            == values(lw.attribute(tower, " Paris", unit=unit)).keys()
        )
        np.testing.assert_array_equal(
            lw.attribute(cached, " Paris", unit=unit).quantities["contribution"].values,
            lw.attribute(tower, " Paris", unit=unit).quantities["contribution"].values,
        )
    with torch.no_grad():
        _, few = smollm.run_with_cache(PROMPT, names_filter=lw.residual_hooks(smollm))
        _, enough = smollm.run_with_cache(PROMPT, names_filter=lw.hooks(smollm, "head"))
    with pytest.raises(ValueError, match=r"lacks .*and 60 more.*names_filter=lw\.hooks\(model\)"):
        lw.attribute(few, " Paris")
    assert lw.attribute(few, " Paris", unit="block").shape == (31, 1)
    assert lw.attribute(enough, " Paris", unit="head", position=None).shape == (301, 10)
    ablated = {
        name: torch.zeros_like(x) if name == "blocks.5.mlp.hook_out" else x for name, x in cached.cache_dict.items()
    }
    check = lw.attribute(ActivationCache(ablated, smollm), " Paris").check
    assert check is not None and not check.holds and str(check).startswith("check failed: rows sum to the logit")


def test_a_model_that_changed_and_a_run_that_was_detached_are_said_to_be(tmp_path: Path) -> None:
    model = small("LlamaForCausalLM", tmp_path)
    run = lw.run(model, TOKENS)
    assert lw.attribute(run, 77, unit="head").check is not None
    with torch.no_grad():
        model.blocks[1].mlp.out.original_component.weight.mul_(1.5)
    with pytest.raises(ValueError, match="is not what it was"):
        lw.attribute(run, 77, unit="head", position=None)
    run = run.detach()
    with pytest.raises(ValueError, match="This run has no activations"):
        lw.attribute(run, 77, unit="head")
    assert lw.attribute(run, 77, unit="block").check is not None
    assert lw.logit_lens(run).jumps is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"target": "Constantinople"}, r"tokens \(.*and a lens predicts one"),
        ({"target": " Paris", "against": " Paris"}, "differs from itself by nothing"),
        ({"target": (" Paris", " London"), "against": " London"}, "' London' is both"),
        ({"target": " Paris", "position": 10}, "Position 10 is not in this prompt, which has positions 0 to 9"),
        ({"target": " Paris", "position": slice(20, 30)}, "picks no position"),
        ({"target": " Paris", "unit": "layer"}, "unit is one of 'component', 'head', 'neuron'"),
        ({"target": " Paris", "top": 0}, "at least 1; got 0"),
        ({"target": 10**6}, "outside the vocabulary"),
    ],
)
def test_bad_input_gets_a_sentence(arguments: dict[str, Any], said: str, tower: lw.Run) -> None:
    with pytest.raises(ValueError, match=said):
        lw.attribute(tower, **arguments)


def test_a_unit_that_a_model_lacks_is_refused_by_name(tower: lw.Run, tmp_path: Path) -> None:
    models = [small(a, tmp_path / a) for a in ("MambaForCausalLM", "MixtralForCausalLM")]
    mamba, experts = (lw.run(model, TOKENS) for model in models)
    assert "L1.mixer" in lw.attribute(mamba, 77).rows
    with pytest.raises(ValueError, match="no attention whose heads can be told apart; ask for unit='component'"):
        lw.attribute(mamba, 77, unit="head")
    with pytest.raises(ValueError, match="experts are one row"):
        lw.attribute(experts, 77, unit="neuron")
    with pytest.raises(ValueError, match="there is no row below it"):
        lw.explain(tower, " Paris", "embed")
    with pytest.raises(ValueError, match=r"There is no row 'L30': .*embed to L29"):
        lw.explain(tower, " Paris", "L30")
    with pytest.raises(ValueError, match=r"no row 'L31', which 31 names"):
        lw.explain(tower, " Paris", 31)
    with pytest.raises(ValueError, match="needs a target to compare"):
        lw.logit_lens(tower, against=" London")


def test_two_tokens_of_one_text_are_two_targets_with_figures_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ids of single bytes read alike, and so may those of different spellings: labels are told apart by their ids."""
    run = lw.run(small("LlamaForCausalLM", tmp_path), TOKENS)
    monkeypatch.setattr(TokenTexts, "__getitem__", lambda texts, i: " twin" if i in (77, 78) else str(i))
    grid = lw.logit_lens(run, targets=[77, 78], against=79)
    assert [target.label for target in grid.targets[:2]] == [" twin (id 77)", " twin (id 78)"]
    ranks = [grid.values("rank", target=i) for i in (77, 78)]
    assert not np.array_equal(*ranks)
    assert len([name for name in grid.quantities if "twin" in name]) == 10
