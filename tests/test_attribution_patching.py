"""What attribution patching estimates is what torch's own autograd says of a plain model, with hooks written by hand."""

from __future__ import annotations

import operator
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import lenswidget as lw
from lenswidget.interventions.attribution_patching import estimates, number_of
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
    found = estimates(base, [place.site], lambda site: whole[site].flatten(1), number)[place.site]
    return found[:, place.columns].sum(-1)


def by_hand(model: Any, architecture: str, label: str, number: Callable[[Tensor], Tensor], act: Any = None) -> Tensor:
    """The same by two plain passes and `backward()`. `act` changes what enters block 1."""
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
    every = ((source - base).detach() * base.grad)[0]
    model.zero_grad()
    columns = slice(None)
    if "H" in label or "N" in label[1:]:
        number_of_it = int(label[3:])
        width = every.shape[1] // heads if "H" in label else 1
        columns = slice(number_of_it * width, (number_of_it + 1) * width)
    return every[:, columns].sum(-1).detach()


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
        estimates(here, [site], lambda _: torch.ones(6, 32), number)
    handle.remove()
    assert seen[-1] is False
    assert all(weight.grad is None for weight in model.parameters())
    assert [weight.requires_grad for weight in model.parameters()] == flags

    def fails(rows: Tensor) -> Tensor:
        raise KeyError("whatever happens")

    with pytest.raises(KeyError):
        estimates(base, [site], lambda _: torch.ones(6, 32), fails)
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
    assert "No gradient reaches" in refused(lambda _: torch.ones(6, 32))
    del down.forward
    handle = model.model.layers[2].register_forward_hook(lambda _, args, out: out.detach())
    assert "method='exact'" in refused(lambda _: torch.ones(6, 32), of=lw.run(model, TOKENS))
    handle.remove()
    with torch.no_grad():
        model.model.layers[0].mlp.down_proj.weight.mul_(2)
    assert "is not what it was" in refused(lambda _: torch.ones(6, 32))
    with pytest.raises(ValueError, match="has no activations"):
        estimates(base.detach(), sites, lambda _: torch.ones(6, 32), number)


def test_weights_made_in_inference_mode(tmp_path: Path) -> None:
    model = saved("LlamaForCausalLM", tmp_path)
    down = model.model.layers[1].mlp.down_proj
    with torch.inference_mode():
        down.weight = torch.nn.Parameter(down.weight.clone())
    assert down.weight.is_inference()
    base = lw.run(model, TOKENS)
    number = number_of(base.readout, targets_of(base, [A]), "logit", -1)
    with pytest.raises(ValueError, match="inference mode"):
        estimates(base, [backend_of(model).rows[0]], lambda _: torch.ones(6, 32), number)
