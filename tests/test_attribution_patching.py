"""What attribution patching estimates is what torch's own autograd says of a plain model, with hooks written by hand."""

from __future__ import annotations

import operator
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import lenswidget as lw
from lenswidget.interventions.attribution_patching import estimates, number_of
from lenswidget.model.activations import Activations
from lenswidget.model.backends import backend_of
from lenswidget.model.edits import values_at
from lenswidget.model.places import place_of
from lenswidget.model.targets import targets_of
from tests import architectures
from tests.test_hugging_face import saved

TOKENS = [1, 40, 70, 33, 120, 99]
OTHERS = [1, 40, 71, 33, 121, 98]
A, B = 44, 55
# where the modules of a block are: the list of blocks, what attention adds, what enters W_O, what the MLP adds, what enters W_out
MODULES = {
    "LlamaForCausalLM": ("model.layers", "self_attn", "self_attn.o_proj", "mlp", "mlp.down_proj"),
    "GPT2LMHeadModel": ("transformer.h", "attn", "attn.c_proj", "mlp", "mlp.c_proj"),
    "GPTNeoXForCausalLM": ("gpt_neox.layers", "attention", "attention.dense", "mlp", "mlp.dense_4h_to_h"),
    "Gemma2ForCausalLM": (
        "model.layers", "post_attention_layernorm", "self_attn.o_proj", "post_feedforward_layernorm", "mlp.down_proj",
    ),
    "Olmo2ForCausalLM": (
        "model.layers", "post_attention_layernorm", "self_attn.o_proj", "post_feedforward_layernorm", "mlp.down_proj",
    ),
}  # fmt: skip
LABELS = ("embed", "L0", "L1", "L0.attn", "L2.mlp", "L1H2", "L2H0", "L1N7")


def ours(model: Any, metric: str, label: str, position: int = -1, **edited: Any) -> Tensor:
    """The estimate at a place, position by position."""
    base, source = lw.run(model, TOKENS, **edited), lw.run(model, OTHERS)
    place = place_of(base.require_activations().backend, label)
    every = torch.arange(len(TOKENS))
    whole = {place.site: values_at(source, place, every)}
    if place.site.end != "row":
        whole = source.require_activations().whole([place.site])
    last = source.residual[-1, position]
    number = number_of(base.readout, targets_of(base, [A, B]), metric, position, last)
    found = estimates(base, [place.site], lambda site, _: whole[site].flatten(1), number)[place.site]
    return found[:, place.columns].sum(-1)


def by_hand(
    model: Any,
    architecture: str,
    label: str,
    number: Callable[[Tensor], Tensor],
    act: Any = None,
    *,
    zeroed: bool = False,
) -> Tensor:
    """The same by two plain passes and `backward()`. `act` changes what enters block 1; `zeroed` puts 0 there."""
    stack, attn, o, mlp, out = MODULES[architecture]
    blocks = operator.attrgetter(stack)(model)
    layer = 0 if label in ("embed", "L0") else int(label[1])
    block, heads = blocks[layer], 4
    where: dict[str, tuple[Any, bool]] = {
        "embed": (blocks[0], True), "L0": (blocks[1], True), "L1": (blocks[2], True),
        f"L{layer}.attn": (operator.attrgetter(attn)(block), False),
        f"L{layer}.mlp": (operator.attrgetter(mlp)(block), False),
    }  # fmt: skip
    module, enters = where.get(label, (operator.attrgetter(o if "H" in label else out)(block), True))

    def run(tokens: list[int], change: bool) -> tuple[Tensor, Tensor]:
        kept: list[Tensor] = []

        def keep(x: Tensor) -> None:
            x.retain_grad()
            kept.append(x)

        def before(_: Any, args: Any, kwargs: Any) -> None:
            keep(args[0] if args else kwargs["hidden_states"])

        def after(_: Any, args: Any, found: Any) -> None:
            keep(found[0] if isinstance(found, tuple) else found)

        handles = []
        if act is not None and change:
            handles.append(blocks[1].register_forward_pre_hook(lambda _, args: (act(args[0]), *args[1:])))
        handles.append(
            module.register_forward_pre_hook(before, with_kwargs=True)
            if enters
            else module.register_forward_hook(after)
        )
        try:
            logits = model(input_ids=torch.tensor([tokens])).logits[0]
        finally:
            for handle in handles:
                handle.remove()
        return kept[0], logits

    base, logits = run(TOKENS, True)
    number(logits).backward()
    source, _ = run(OTHERS, False)
    every = (((0 if zeroed else source) - base).detach() * base.grad)[0]
    model.zero_grad()
    columns = slice(None)
    if "H" in label or "N" in label[1:]:
        number_of_it = int(label[3:])
        width = every.shape[1] // heads if "H" in label else 1
        columns = slice(number_of_it * width, (number_of_it + 1) * width)
    return every[:, columns].sum(-1).detach()


def ones(_: Any, here: Tensor) -> Tensor:
    return torch.ones_like(here)


def close(a: Tensor, b: Tensor, size: float = 2e-5) -> None:
    assert float((a - b).abs().max()) <= size * max(float(b.abs().max()), 1e-3), (a, b)
    assert float(b.abs().max()) > 1e-6


@pytest.mark.parametrize("architecture", MODULES)
def test_every_kind_of_site_is_what_autograd_says(architecture: str, tmp_path: Path) -> None:
    model = saved(architecture, tmp_path)
    for label in LABELS:
        theirs = by_hand(model, architecture, label, lambda logits: logits[-1, A] - logits[-1, B])
        close(ours(model, "logit difference", label), theirs)


def test_every_metric(tmp_path: Path) -> None:
    model = saved("Gemma2ForCausalLM", tmp_path)
    with torch.no_grad():
        q = model(input_ids=torch.tensor([OTHERS])).logits[0, 3].log_softmax(-1)
    bits = torch.tensor(2.0).log()
    numbers: dict[str, Callable[[Tensor], Tensor]] = {
        "logit": lambda logits: logits[3, A],
        "log-probability": lambda logits: logits[3].log_softmax(-1)[A] / bits,
        "probability": lambda logits: logits[3].softmax(-1)[A],
        "KL": lambda logits: -(q.exp() * (q - logits[3].log_softmax(-1))).sum() / bits,
    }
    for metric, number in numbers.items():
        for label in ("L0", "L1.mlp", "L2H1"):
            theirs = by_hand(model, "Gemma2ForCausalLM", label, number)
            found = ours(model, metric, label, position=3)
            close(found, theirs)
            assert not found[4:].any()  # what comes later can't be seen


@pytest.mark.parametrize("architecture", ["LlamaForCausalLM", "GPTNeoXForCausalLM", "Gemma2ForCausalLM"])
def test_it_is_the_first_order_of_what_an_edit_does(architecture: str, tmp_path: Path) -> None:
    """Finite differences through runs under edits, in double precision but for the norms, which round to single."""
    model = saved(architecture, tmp_path).double()
    base, source = lw.run(model, TOKENS), lw.run(model, OTHERS)
    norm = model.gpt_neox.final_layer_norm if architecture == "GPTNeoXForCausalLM" else model.model.norm
    head = model.get_output_embeddings()
    cap = getattr(model.config, "final_logit_softcapping", None)

    def says(run: lw.Run) -> float:
        with torch.no_grad():
            logits = head(norm(run.residual[-1, -1]))
        logits = logits if cap is None else cap * torch.tanh(logits / cap)
        return float(logits[A] - logits[B])

    every = torch.arange(len(TOKENS))
    for label in ("L0", "L1.attn", "L1.mlp", "L1H2", "L2N5"):
        place = place_of(base.require_activations().backend, label)
        way = (values_at(source, place, every) - values_at(base, place, every)).float()

        def slope(step: float, label: str = label, way: Tensor = way, scale: float = place.scale) -> float:
            # an edit is given in what is written to the stream
            ahead, back = (
                says(lw.run(model, TOKENS, edits=[lw.Edit(label, add=sign * step * scale * way)])) for sign in (1, -1)
            )
            return (ahead - back) / (2 * step)

        slope_at_0 = (4 * slope(5e-3) - slope(1e-2)) / 3  # without the third order
        estimate = float(ours(model, "logit difference", label).sum())
        assert abs(estimate - slope_at_0) <= 1e-3 * max(abs(slope_at_0), 5e-2), (label, estimate, slope_at_0)


def test_a_bridge_says_what_its_model_says(tmp_path: Path) -> None:
    model = saved("LlamaForCausalLM", tmp_path)
    bridge = architectures.boot(tmp_path)
    for label in LABELS:
        close(ours(bridge, "logit difference", label), ours(model, "logit difference", label))


def test_it_is_the_base_under_its_edits_and_hooks(tmp_path: Path) -> None:
    model = saved("LlamaForCausalLM", tmp_path)

    def act(x: Tensor) -> Tensor:
        x = x.clone()
        x[0, 3] = 0.5
        return x

    def number(logits: Tensor) -> Tensor:
        return logits[-1, A] - logits[-1, B]

    for label in ("embed", "L0", "L1.attn", "L2.mlp"):
        edited = ours(model, "logit difference", label, edits=[lw.Edit("L0", to=0.5, position=3)])
        plain = ours(model, "logit difference", label)
        if label != "L0":
            close(edited, by_hand(model, "LlamaForCausalLM", label, number, act))
            assert not torch.allclose(edited, plain)
    handle = model.model.layers[1].register_forward_hook(lambda _, args, out: 0.5 * out)
    halved = ours(model, "logit difference", "L0")
    close(halved, by_hand(model, "LlamaForCausalLM", "L0", number))
    handle.remove()
    assert not torch.allclose(halved, ours(model, "logit difference", "L0"))


def test_the_model_is_as_it_was(tmp_path: Path) -> None:
    model = saved("LlamaForCausalLM", tmp_path)
    model.model.norm.weight.requires_grad_(False)
    flags = [weight.requires_grad for weight in model.parameters()]
    base = lw.run(model, TOKENS)
    site = backend_of(model).rows[1]
    seen: list[bool] = []
    handle = model.model.layers[2].register_forward_hook(
        lambda module, *_: seen.append(any(w.requires_grad for w in module.parameters()))
    )
    with torch.inference_mode():
        lw.run(model, TOKENS)
        here = lw.run(model, OTHERS)
        number = number_of(here.readout, targets_of(here, [A]), "logit", -1)
        estimates(here, [site], ones, number)
    handle.remove()
    assert seen[-1] is False
    assert all(weight.grad is None for weight in model.parameters())
    assert [weight.requires_grad for weight in model.parameters()] == flags

    def fails(rows: Tensor) -> Tensor:
        raise KeyError("whatever happens")

    with pytest.raises(KeyError):
        estimates(base, [site], ones, fails)
    assert [weight.requires_grad for weight in model.parameters()] == flags


def test_a_model_without_gradients_says_so(tmp_path: Path) -> None:
    model = saved("LlamaForCausalLM", tmp_path)
    base = lw.run(model, TOKENS)
    backend = base.require_activations().backend
    number = number_of(base.readout, targets_of(base, [A]), "logit", -1)
    sites = [place_of(backend, label).site for label in ("embed", "L2.mlp", "L2N0")]

    def refused(what: Any, *, of: lw.Run = base) -> str:
        with pytest.raises(ValueError) as said:
            estimates(of, sites, what, number)
        return str(said.value)

    # a map that rounds lets nothing through, as quantised weights may
    down = model.model.layers[2].mlp.down_proj
    plain = type(down).forward
    down.forward = lambda x: plain(down, x).detach()
    assert "No gradient reaches" in refused(ones)
    del down.forward
    handle = model.model.layers[2].register_forward_hook(lambda _, args, out: out.detach())
    assert "method='exact'" in refused(ones, of=lw.run(model, TOKENS))
    handle.remove()
    with torch.no_grad():
        model.model.layers[0].mlp.down_proj.weight.mul_(2)
    assert "is not what it was" in refused(ones)
    with pytest.raises(ValueError, match="has no activations"):
        estimates(base.detach(), sites, ones, number)


def test_weights_made_in_inference_mode(tmp_path: Path) -> None:
    model = saved("LlamaForCausalLM", tmp_path)
    down = model.model.layers[1].mlp.down_proj
    with torch.inference_mode():
        down.weight = torch.nn.Parameter(down.weight.clone())
    assert down.weight.is_inference()
    base = lw.run(model, TOKENS)
    number = number_of(base.readout, targets_of(base, [A]), "logit", -1)
    with pytest.raises(ValueError, match="inference mode"):
        estimates(base, [backend_of(model).rows[0]], ones, number)


@pytest.fixture
def llama(tmp_path: Path) -> Any:
    return saved("LlamaForCausalLM", tmp_path)


@pytest.mark.parametrize("unit", ["row", "mlp", "component", "head"])
def test_a_sweep_by_gradient_has_exact_values_beside_its_largest(unit: str, llama: Any) -> None:
    base, source = lw.run(llama, TOKENS), lw.run(llama, OTHERS)
    at = slice(None)
    grid = lw.patch(base, source, A, against=B, unit=unit, at=at, method="gradient", top=5)
    exact = lw.patch(base, source, A, against=B, unit=unit, at=at)
    estimate, recovered = grid.values("estimate"), grid.values("recovered")
    assert (
        next(iter(grid.quantities)) == "estimate"
        and grid.rows == exact.rows
        and grid.kind.startswith("Attribution patching")
    )
    gap = grid.sweep.target - grid.sweep.base  # type: ignore[union-attr]
    for r, row in enumerate(grid.rows):
        for c in range(estimate.shape[1]):
            label = f"{row}{grid.column_labels[c]}" if grid.column_labels else row
            each = ours(llama, "logit difference", label)
            assert estimate[r, c] == pytest.approx(float(each.sum() if unit == "head" else each[c]) / gap, abs=1e-5)
    # those that were run are exact, the others are not there
    largest = np.sort(np.abs(estimate).ravel())[::-1][:5]
    ran = np.abs(estimate) >= largest[-1]
    np.testing.assert_allclose(recovered[ran], exact.values("recovered")[ran], atol=1e-5)
    still = np.isfinite(recovered) & ~ran
    assert (recovered[still] == 0).all()
    np.testing.assert_allclose(grid.values("probability")[ran], exact.values("probability")[ran], atol=1e-5)
    assert grid.candidates is None  # no cell says what was not run
    r = np.corrcoef(estimate[ran], recovered[ran])[0, 1]
    assert f"the 5 largest were also run exactly: r = {r:.2f}" in grid.notes[0]
    assert grid.check is not None and grid.check.holds


def test_the_strongest_neurons_of_all_are_rows(llama: Any) -> None:
    base, source = lw.run(llama, TOKENS), lw.run(llama, OTHERS)
    grid = lw.patch(base, source, A, against=B, unit="neuron", top=7)
    count = llama.model.layers[0].mlp.down_proj.in_features
    gap = grid.sweep.target - grid.sweep.base  # type: ignore[union-attr]
    every = {
        f"L{layer}N{i}": float(ours(llama, "logit difference", f"L{layer}N{i}").sum()) / gap
        for layer in (0, 2)
        for i in range(count)
    }
    least = float(np.abs(grid.values("estimate")).min())
    assert {label for label, x in every.items() if abs(x) > least + 1e-6} <= set(grid.rows)
    assert len(grid.rows) == 7 and grid.column_labels == ("all positions",)
    for row, label in enumerate(grid.rows):
        edited = lw.run(llama, TOKENS, edits=[lw.Edit(label, to=source)])
        logits = edited.readout.logits(edited.residual[-1, -1:])[0]
        effect = float(logits[A] - logits[B]) - grid.sweep.base  # type: ignore[union-attr]
        assert grid.values("effect")[row, 0] == pytest.approx(effect, abs=1e-5)
    assert next(iter(lw.patch(base, source, A, unit="neuron", method="gradient", top=7).quantities)) == "estimate"


def test_estimates_of_pairs_are_the_ratio_of_the_means(llama: Any) -> None:
    bases, sources = (
        lw.runs(llama, [TOKENS, [1, 41, 70, 33, 120, 99]]),
        lw.runs(llama, [OTHERS, [1, 41, 71, 30, 121, 98]]),
    )
    both = lw.patch(bases, sources, A, against=B, unit="head", method="gradient", top=3)
    single = [lw.patch(*pair, A, against=B, unit="head", method="gradient") for pair in zip(bases, sources)]
    gaps = [one.sweep.target - one.sweep.base for one in single]  # type: ignore[union-attr]
    effects = [one.values("estimate") * gap for one, gap in zip(single, gaps)]
    np.testing.assert_allclose(both.values("estimate"), sum(effects) / sum(gaps), atol=1e-5)
    assert np.isfinite(both.values("recovered")).sum() == 3
    exact = lw.patch(bases, sources, A, against=B, unit="head").values("recovered")
    there = np.isfinite(both.values("recovered"))
    np.testing.assert_allclose(both.values("recovered")[there], exact[there], atol=1e-5)


def test_what_is_taken_out_or_has_no_counterpart(llama: Any) -> None:
    base, short = lw.run(llama, TOKENS), lw.run(llama, [1, 40, 33, 121, 98])
    gone = lw.patch(base, 0, A, against=B, unit="mlp", method="gradient", top=4)
    layer = by_hand(llama, "LlamaForCausalLM", "L1.mlp", lambda logits: logits[-1, A] - logits[-1, B], zeroed=True)
    np.testing.assert_allclose(gone.values("estimate")[1], layer.numpy(), atol=1e-5)
    gaps = lw.patch(base, short, A, against=B, method="gradient", top=4)
    assert np.isnan(gaps.values("estimate")[:, 2]).all() and np.isfinite(gaps.values("estimate")[:, 3:]).all()


def test_each_run_is_run_once_more_at_most(llama: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    base, source = lw.run(llama, TOKENS), lw.run(llama, OTHERS)
    passes: list[int] = []
    plain = Activations._run

    def counted(self: Activations, sites: Any) -> Any:
        passes.append(len(sites))
        return plain(self, sites)

    monkeypatch.setattr(Activations, "_run", counted)
    lw.patch(base, source, A, unit="component", method="gradient")
    assert len(passes) <= 2


def test_what_can_not_be_asked_by_gradient(llama: Any, tmp_path: Path) -> None:
    base, source = lw.run(llama, TOKENS), lw.run(llama, OTHERS)
    for wrong, options in {
        "'exact', 'gradient'": {"method": "fast"},
        "at least 1; got 0": {"method": "gradient", "top": 0},
        "goes with method='gradient'": {"top": 4},
    }.items():
        with pytest.raises(ValueError, match=wrong):
            lw.patch(base, source, A, **options)
    mamba = saved("MambaForCausalLM", tmp_path)
    with pytest.raises(ValueError, match="no MLP whose neurons"):
        lw.patch(lw.run(mamba, TOKENS), lw.run(mamba, OTHERS), A, unit="neuron")
