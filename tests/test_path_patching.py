"""A path is what three passes with hooks written by hand make of it: everything else frozen, one sender at a time."""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import lenswidget as lw
from tests import architectures
from tests.test_attribution_patching import MODULES, OTHERS, TOKENS, A, B
from tests.test_hugging_face import saved

Act = Callable[[Tensor], Tensor | None]


class ByHand:
    """The definition, on a plain model: one pass a sender with all parts frozen, one more with what the receiver made of it."""

    def __init__(self, model: Any, architecture: str, edits: Any = lambda hand: []) -> None:
        stack, *paths = MODULES[architecture]
        self.model, self.blocks = model, list(operator.attrgetter(stack)(model))
        self.attn, self.o, self.mlp, self.out = (
            [operator.attrgetter(path)(block) for block in self.blocks] for path in paths
        )
        self.edits: list[tuple[Any, bool, Act]] = edits(self)

    @contextlib.contextmanager
    def hooked(self, acts: list[tuple[Any, bool, Act]]) -> Iterator[None]:
        """Functions on what enters modules, or on what leaves them."""
        handles = []
        for module, enters, act in acts:

            def before(_: Any, args: Any, act: Act = act) -> Any:
                new = act(args[0])
                return None if new is None else (new, *args[1:])

            def after(_: Any, args: Any, out: Any, act: Act = act) -> Any:
                new = act(out[0] if isinstance(out, tuple) else out)
                return new if new is None or not isinstance(out, tuple) else (new, *out[1:])

            handles.append(module.register_forward_pre_hook(before) if enters else module.register_forward_hook(after))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    @torch.no_grad()
    def logits(self, tokens: list[int], acts: list[tuple[Any, bool, Act]]) -> Tensor:
        with self.hooked([*(self.edits if tokens is TOKENS else []), *acts]):
            return self.model(input_ids=torch.tensor([tokens])).logits[0]

    def cached(self, tokens: list[int]) -> dict[Any, Tensor]:
        kept: dict[Any, Tensor] = {}

        def keep(key: Any) -> Act:
            return lambda x: kept.update({key: x.clone()})

        acts = [(self.blocks[0], True, keep("embed"))]
        for i in range(len(self.blocks)):
            acts += [(self.attn[i], False, keep(("attn", i))), (self.mlp[i], False, keep(("mlp", i)))]
            acts += [(self.o[i], True, keep(("z", i)))]
        kept["logits"] = self.logits(tokens, acts)
        return kept

    def sent(self, base: Any, source: Any, sender: str) -> tuple[Any, Tensor]:
        """Which part carries a sender's change, and what it puts out with that change."""
        if sender == "embed":
            return "embed", source["embed"]
        layer = int(sender[1])
        if "H" not in sender:
            kind = sender[3:]
            return (kind, layer), source[kind, layer]
        width, head = base["z", layer].shape[-1] // 4, int(sender[3:])
        z = base["z", layer].clone()
        z[..., head * width : (head + 1) * width] = source["z", layer][..., head * width : (head + 1) * width]
        with torch.no_grad():
            written = self.o[layer](z)
            ends_in_norm = "norm" in type(self.attn[layer]).__name__.lower()
            return ("attn", layer), self.attn[layer](written) if ends_in_norm else written

    def path(self, sender: str, to: str, base: Any, source: Any, patched: Any = None) -> Tensor:
        """The logits of the base when a sender's change goes to the receiver alone."""
        where, value = self.sent(base, source, sender)
        made: dict[str, Tensor] = {}

        def frozen(key: Any) -> Act:
            return lambda x: value if key == where else base[key]

        def received(x: Tensor) -> None:
            made["value"] = x.clone()

        layer = int(to[1]) if to != "logits" else -1
        place = (self.o[layer], True) if "H" in to else (self.mlp[layer] if "mlp" in to else self.attn[layer], False)
        acts: list[tuple[Any, bool, Act]] = [(self.blocks[0], True, frozen("embed"))]
        if to != "logits":
            acts.append((*place, received))  # before it is frozen
        for i in range(len(self.blocks)):
            acts += [(self.attn[i], False, frozen(("attn", i))), (self.mlp[i], False, frozen(("mlp", i)))]
        logits = self.logits(TOKENS, acts)
        if to == "logits":
            return logits

        def put(x: Tensor) -> Tensor:
            if "H" not in to:
                return made["value"]
            width = x.shape[-1] // 4
            some = slice(int(to[3:]) * width, (int(to[3:]) + 1) * width)
            x = x.clone()
            x[..., some] = made["value"][..., some]
            return x

        return self.logits(TOKENS, [(*place, put)])


def effects(model: Any, to: str, edits: Any = (), **options: Any) -> dict[str, float]:
    """By the label of the sender, what reaches the logit difference."""
    base, source = lw.run(model, TOKENS, edits=edits), lw.run(model, OTHERS)
    grid = lw.path_patch(base, source, A, against=B, to=to, **options)
    assert grid.check is None or grid.check.holds
    assert grid.column_labels is not None
    return {
        row if column == "other" else f"{row}{'' if column[0] == 'H' else '.'}{column}": float(
            grid.values("effect")[r, c]
        )
        for r, row in enumerate(grid.rows)
        for c, column in enumerate(grid.column_labels)
        if not np.isnan(grid.values("effect")[r, c])
    }


@pytest.mark.parametrize("architecture", MODULES)
@pytest.mark.parametrize("to", ["L2H1", "L1.mlp", "L2.mlp", "L1.attn", "logits"])
def test_every_sender_is_what_hooks_by_hand_make_of_it(architecture: str, to: str, tmp_path: Path) -> None:
    model = saved(architecture, tmp_path)
    hand = ByHand(model, architecture)
    base, source = hand.cached(TOKENS), hand.cached(OTHERS)
    at_base = float(base["logits"][-1, A] - base["logits"][-1, B])
    ours = effects(model, to)
    assert len(ours) == 1 + 3 * (4 + 1)
    theirs = {}
    for sender in ours:
        said = hand.path(sender, to, base, source)[-1]
        theirs[sender] = float(said[A] - said[B]) - at_base
    size = max(map(abs, theirs.values()))
    assert size > 1e-3
    for sender, effect in ours.items():
        assert abs(effect - theirs[sender]) <= 2e-4 * size + 2e-6, (sender, effect, theirs[sender])
    # what can't reach the receiver changes nothing, to the bit
    layer = 9 if to == "logits" else int(to[1])
    beyond = {s: e for s, e in ours.items() if s != "embed" and int(s[1]) > layer}
    beyond |= {s: e for s, e in ours.items() if "H" in to and s.startswith(f"L{layer}")}
    beyond |= {s: e for s, e in ours.items() if architecture == "GPTNeoXForCausalLM" and s.startswith(f"L{layer}")}
    assert not any(beyond.values()), beyond


def test_attention_as_one(tmp_path: Path) -> None:
    model = saved("Gemma2ForCausalLM", tmp_path)
    hand = ByHand(model, "Gemma2ForCausalLM")
    base, source = hand.cached(TOKENS), hand.cached(OTHERS)
    ours = effects(model, "L2H3", unit="component")
    assert list(ours) == ["embed", *(f"L{i}.{part}" for i in range(3) for part in ("attn", "mlp"))]
    for sender in ("embed", "L0.attn", "L1.attn", "L1.mlp"):
        said = hand.path(sender, "L2H3", base, source)[-1] - base["logits"][-1]
        assert ours[sender] == pytest.approx(float(said[A] - said[B]), abs=1e-5)


def test_a_bridge_says_what_its_model_says(tmp_path: Path) -> None:
    model = saved("Olmo2ForCausalLM", tmp_path)
    bridge = architectures.boot(tmp_path)
    for to in ("L2H1", "L1.mlp", "logits"):
        theirs = effects(model, to)
        assert effects(bridge, to) == pytest.approx(theirs, abs=1e-5)


@pytest.mark.parametrize("to", ["L2H1", "L2.mlp", "logits"])
def test_it_is_the_base_under_its_edits(to: str, tmp_path: Path) -> None:
    """What an edit sets hides what was sent through it; what it adds doesn't."""

    def put(x: Tensor) -> Tensor:
        x = x.clone()
        x[0, 3] = 0.5
        return x

    model = saved("Gemma2ForCausalLM", tmp_path)
    hand = ByHand(
        model,
        "Gemma2ForCausalLM",
        lambda hand: [(hand.blocks[1], True, put), (hand.blocks[2], True, lambda x: x + 0.3)],
    )
    base, source = hand.cached(TOKENS), hand.cached(OTHERS)
    ours = effects(model, to, edits=[lw.Edit("L0", to=0.5, position=3), lw.Edit("L1", add=torch.full((32,), 0.3))])
    assert any(ours.values())
    for sender, effect in ours.items():
        said = hand.path(sender, to, base, source)[-1] - base["logits"][-1]
        assert effect == pytest.approx(float(said[A] - said[B]), abs=2e-5, rel=1e-3), sender


@pytest.mark.parametrize(
    "others, answering",
    [([1, 40, 50, 71, 33, 121, 98], [0, 1, 3, 4, 5, 6]), ([1, 40, 33, 121, 98], [0, 1, None, 2, 3, 4])],
)
def test_prompts_of_another_length(others: list[int], answering: list[int | None], tmp_path: Path) -> None:
    """What is sent is what answers to each other; from a gap, nothing."""
    model = saved("LlamaForCausalLM", tmp_path)
    hand = ByHand(model, "LlamaForCausalLM")
    base, there = hand.cached(TOKENS), hand.cached(others)
    source = {
        key: torch.stack([base[key][0, p] if q is None else x[0, q] for p, q in enumerate(answering)])[None]
        for key, x in there.items()
        if key != "logits"
    }
    grid = lw.path_patch(lw.run(model, TOKENS), lw.run(model, others), A, against=B, to="L2H1")
    assert any("no counterpart" in note for note in grid.notes) == (None in answering)
    for sender, row, column in (("embed", 0, -1), ("L0H2", 1, 2), ("L1.mlp", 2, -2)):
        said = hand.path(sender, "L2H1", base, source)[-1] - base["logits"][-1]
        assert grid.values("effect")[row, column] == pytest.approx(float(said[A] - said[B]), abs=1e-5)


def test_models_whose_batch_can_not_grow(tmp_path: Path) -> None:
    """Bloom counts its prompts before the first block."""
    model = saved("BloomForCausalLM", tmp_path)
    base, source = lw.run(model, TOKENS), lw.run(model, OTHERS)
    grid = lw.path_patch(base, source, A, against=B, to="L2.mlp")
    naive = lw.path_patch(base, source, A, against=B, to="L2.mlp", unit="component")
    assert grid.check is not None and grid.check.holds
    embed = grid.values("effect")[0, -1]
    assert embed and embed == pytest.approx(naive.values("effect")[0, -1], abs=1e-5)


def test_bad_input(tmp_path: Path) -> None:
    model = saved("LlamaForCausalLM", tmp_path)
    base, source = lw.run(model, TOKENS), lw.run(model, OTHERS)

    def refused(kind: type[Exception], *given: Any, **options: Any) -> str:
        with pytest.raises(kind) as said:
            lw.path_patch(*(given or (base, source, A)), **{"to": "L2H1", **options})
        return str(said.value)

    assert "'L2H0' to 'L2H3'" in refused(ValueError, to="L2H7")
    assert "no site 'L9.mlp'" in refused(ValueError, to="L9.mlp")
    assert "'logits'" in refused(ValueError, to="L1")
    refused(TypeError, to=7)
    refused(TypeError, base, 0, A)
    assert "'component'" in refused(ValueError, unit="row")
    assert "don't differ" in refused(ValueError, base, lw.run(model, TOKENS), A)
    assert "different model objects" in refused(
        ValueError, base, lw.run(saved("LlamaForCausalLM", tmp_path), OTHERS), A
    )
    assert "has no activations" in refused(ValueError, base.detach(), source, A)
    assert "has no activations" in refused(ValueError, base, source.detach(), A)
    assert "itself" in refused(ValueError, base, source, A, A)
    assert "against=" in refused(ValueError, metric="logit difference")
    # a set of tokens counts as one
    grid = lw.path_patch(base, source, (A, 45), against=B, to="logits")
    assert np.isfinite(grid.values("effect")).any()
    whole = saved("OpenAIGPTLMHeadModel", tmp_path)
    with pytest.raises(ValueError, match="can't be taken apart"):
        lw.path_patch(lw.run(whole, TOKENS), lw.run(whole, OTHERS), A, to="logits")
