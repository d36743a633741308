"""TransformerLens's HookedTransformer, raw and processed, against torch, against Hugging Face and against itself."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from torch import Tensor

import lenswidget as lw
from lenswidget.interventions.attribution_patching import estimates, number_of
from lenswidget.model.backends import backend_of
from lenswidget.model.places import place_of
from lenswidget.model.targets import targets_of
from tests import architectures

try:
    from transformer_lens import HookedEncoder, HookedEncoderDecoder, HookedTransformer, HookedTransformerConfig
    from transformer_lens.hook_points import HookPoint
    from transformer_lens.HookedRootModule import HookedRootModule
except ImportError:
    pytest.skip(
        f"TransformerLens {importlib.metadata.version('transformer_lens')} has no HookedTransformer; `make test-lowest` has one",
        allow_module_level=True,
    )

PROMPT = "The capital of France is"
UNITS = ("component", "head", "neuron", "source", "block", "kind")
ROTARY = {"normalization_type": "RMS", "positional_embedding_type": "rotary", "rotary_dim": 8}
KINDS: dict[str, dict[str, Any]] = {
    "LayerNorm": {},
    "RMS, rotary, gated": {**ROTARY, "gated_mlp": True, "act_fn": "silu"},
    "parallel": {"parallel_attn_mlp": True, "positional_embedding_type": "rotary", "rotary_dim": 4},
    "soft-cap": {**ROTARY, "gated_mlp": True, "output_logits_soft_cap": 5.0, "attn_scores_soft_cap": 20.0},
    "attention only": {"attn_only": True},
    "grouped queries": {**ROTARY, "n_key_value_heads": 2},
    "no norm": {"normalization_type": None},
}
MORE: dict[str, dict[str, Any]] = {
    "norms after its parts": {**ROTARY, "use_normalization_before_and_after": True, "output_logits_soft_cap": 5.0},
    "norms after its parts only": {**ROTARY, "original_architecture": "Olmo2ForCausalLM"},
    "alibi, normed embedding": {"positional_embedding_type": "alibi", "post_embedding_ln": True},
    "positions beside the stream": {"positional_embedding_type": "shortformer"},
    "experts": {**ROTARY, "gated_mlp": True, "num_experts": 4, "experts_per_token": 2},
    "normed neurons": {"act_fn": "solu_ln", "final_rms": True},
    "local attention": {"use_local_attn": True, "window_size": 4, "attn_types": ["global", "local", "global"]},
}
FLAGS = ("use_attn_result", "use_split_qkv_input", "use_hook_mlp_in", "use_attn_in")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: Any) -> Any:
    folder = tmp_path_factory.mktemp("tokenizer")
    architectures.tokenizer().save_pretrained(folder)
    return transformers.AutoTokenizer.from_pretrained(folder)


@pytest.fixture(scope="module")
def build(tokenizer: Any) -> Callable[..., Any]:
    def build(kind: str, *, processed: bool = False, seed: int = 1, **config: Any) -> Any:
        """A random model of a kind, its biases and gains large enough to be missed."""
        sizes = {"n_layers": 3, "d_model": 32, "n_ctx": 64, "d_head": 8, "n_heads": 4, "d_mlp": 48, "d_vocab": 288}
        settings: dict[str, Any] = {**sizes, "act_fn": "gelu", "device": "cpu", "init_weights": False}
        settings |= (KINDS | MORE)[kind] | config
        model = HookedTransformer(HookedTransformerConfig(**settings), tokenizer=tokenizer)
        noise = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for name, weight in model.named_parameters():
                weight.copy_(0.3 * torch.randn(weight.shape, generator=noise) + name.endswith(".w"))
        if processed:
            process(model)
        return model

    return build


def process(model: Any) -> None:
    """As from_pretrained does by default, with its exceptions."""
    cfg = model.cfg
    before = cfg.normalization_type is not None and cfg.original_architecture != "Olmo2ForCausalLM"
    plain = cfg.positional_embedding_type != "shortformer"
    model.load_and_process_state_dict(
        {name: weight.clone() for name, weight in model.state_dict().items()},
        fold_ln=before and plain,
        center_writing_weights=before and plain,
        center_unembed=plain and cfg.output_logits_soft_cap <= 0,
    )


def says(model: Any, stream: Tensor) -> Tensor:
    """What a model says of a residual stream, by its own modules."""
    normed = model.ln_final(stream) if model.cfg.normalization_type is not None else stream
    logits, cap = model.unembed(normed), model.cfg.output_logits_soft_cap
    return cap * torch.tanh(logits / cap) if cap > 0 else logits


def units(model: Any) -> list[str]:
    return [unit for unit in UNITS if unit != "neuron" or not (model.cfg.attn_only or model.cfg.num_experts)]


each_kind = pytest.mark.parametrize("kind", [*KINDS, *MORE])
each_processing = pytest.mark.parametrize("processed", [False, True], ids=["raw", "processed"])


@each_kind
@each_processing
def test_what_tutorials_print_reads_each_row_as_the_model_s_own_modules_do(
    build: Any, kind: str, processed: bool
) -> None:
    model = build(kind, processed=processed)
    with torch.no_grad():
        logits, cache = model.run_with_cache(PROMPT)
        stream = torch.stack([*(cache["resid_pre", i] for i in range(3)), cache["resid_post", 2]])[:, 0]
        theirs = says(model, stream).log_softmax(-1)
    grid, run = lw.logit_lens(cache, k=288), lw.run(model, PROMPT)
    assert torch.equal(run.tokens, model.to_tokens(PROMPT)[0])
    assert grid.columns.tolist() == run.tokens.tolist()
    torch.testing.assert_close(run.readout.logits(run.residual).log_softmax(-1), theirs, atol=2e-5, rtol=1e-4)
    assert np.allclose(grid.values("probability"), theirs.exp().amax(-1), atol=1e-4)
    assert run.check is not None and run.check.error < 1e-4 * logits.abs().max()


@each_kind
@each_processing
def test_every_unit_sums_to_the_model_s_own_logit(build: Any, kind: str, processed: bool) -> None:
    model = build(kind, processed=processed)
    with torch.no_grad():
        logits, cache = model.run_with_cache(PROMPT)
    run, cap = lw.run(model, PROMPT), model.cfg.output_logits_soft_cap
    one, other = logits[0, -1].topk(2).indices.tolist()
    for unit in units(model):
        for source in (run, cache):
            grid = lw.attribute(source, one, other, unit=unit, top=None if unit != "neuron" else 10**6)
            assert float(grid.values("contribution").sum()) == pytest.approx(
                float(logits[0, -1, one] - logits[0, -1, other]), abs=1e-4 * float(logits.abs().max())
            ), unit
            assert not [note for note in grid.notes if "not taken apart" in note]
    rows = lw.attribute(run, one).rows
    assert ("soft-cap" in rows) == (cap > 0)
    assert [row for row in rows if row.startswith("L1")] == (
        ["L1.attn"] if model.cfg.attn_only else ["L1.attn", "L1.mlp"]
    )


@each_kind
@each_processing
def test_every_position_and_row_is_explained(build: Any, kind: str, processed: bool) -> None:
    model = build(kind, processed=processed)
    run = lw.run(model, PROMPT)
    says = run.readout.logits(run.residual)
    for row, position in ((1, 3), (2, 9), (3, -1)):
        grid = lw.explain(run, 70, row - 1, position=position)
        jump = float(says[row, position, 70] - says[row - 1, position, 70])
        assert float(grid.values("contribution").sum()) == pytest.approx(jump, abs=1e-4 * float(says.abs().max()))


@pytest.mark.parametrize("kind", KINDS)
def test_processed_weights_say_what_the_raw_ones_say(build: Any, kind: str) -> None:
    raw, processed = (lw.run(build(kind, processed=done), PROMPT) for done in (False, True))
    before, after = (lw.logit_lens(run, targets=[70, 99]) for run in (raw, processed))
    for measure in ("entropy", "KL to the output", "probability", "surprisal"):
        np.testing.assert_allclose(after.values(measure), before.values(measure), atol=2e-3, rtol=1e-3, err_msg=measure)
    assert (after.columns == before.columns).all() and (
        after.values("rank", target=70) == before.values("rank", target=70)
    ).mean() > 0.99
    ours, theirs = (run.readout.logits(run.residual) for run in (processed, raw))
    size = float(theirs.abs().max())
    torch.testing.assert_close(
        ours[..., 70] - ours[..., 99], theirs[..., 70] - theirs[..., 99], atol=1e-4 * size, rtol=1e-4
    )
    notes = [note for note in after.notes if "processed" in note]
    assert not raw.processing and not any("processed" in note for note in before.notes)
    if kind == "soft-cap":  # nothing of it is centred, and norms without gains may be of its builder's choice
        assert not notes
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
    else:
        assert len(notes) == 1 and "logits are shifted" in notes[0]
        # by one number at each position
        shift = ours - theirs
        torch.testing.assert_close(shift, shift[..., :1].expand_as(shift), atol=2e-4 * size, rtol=1e-3)


def test_what_was_done_to_weights_is_found_by_looking(build: Any) -> None:
    model = build("LayerNorm")
    seen = [backend_of(model).facts.processing]
    for step in ("center_unembed", "center_writing_weights", "fold_ln"):
        asked = dict.fromkeys(("fold_ln", "center_writing_weights", "center_unembed", "fold_value_biases"), False)
        model.load_and_process_state_dict(model.state_dict(), **{**asked, step: True})
        seen.append(backend_of(model).facts.processing)
    centred = "writing weights centred, unembedding centred"
    assert seen == ["", "unembedding centred", centred, f"norms folded, {centred}"]
    # who builds a model without gains has folded none
    assert not backend_of(build("LayerNorm", normalization_type="LNPre")).facts.processing


def test_a_head_a_source_and_a_neuron_are_what_their_formulas_say(build: Any) -> None:
    model = build("grouped queries").requires_grad_(False)
    with torch.no_grad():
        _, cache = model.run_with_cache(PROMPT)
    last, block = cache["resid_post", 2][0, -1], model.blocks[1]
    v = model.ln_final.w * model.W_U[:, 70] / (last.square().mean() + model.cfg.eps).sqrt()
    rows, columns = lw.attribute(cache, 70, unit="head"), lw.attribute(cache, 70, unit="source")
    neurons = lw.attribute(cache, 70, unit="neuron", top=10**6)
    z, value, pattern = cache["z", 1][0, -1, 3], cache["v", 1][0, :, 1], cache["pattern", 1][0, 3, -1]
    parts = pattern * (value @ block.attn.W_O[3] @ v)
    assert rows.values("contribution")[rows.rows.index("L1H3")] == pytest.approx(
        float(z @ block.attn.W_O[3] @ v), abs=1e-5
    )
    assert columns.values("contribution")[columns.rows.index("L1H3")] == pytest.approx(parts.numpy(), abs=1e-5)
    neuron = float(cache["post", 1][0, -1, 5] * (block.mlp.W_out[5] @ v))
    assert neurons.values("contribution")[neurons.rows.index("L1N5")] == pytest.approx(neuron, abs=1e-5)
    # what they promote, whatever the prompt
    spoken = block.mlp.W_out[5] * model.ln_final.w @ model.W_U
    grid = lw.promotes(model, "L1N5", k=3)
    assert grid.candidates is not None
    assert grid.candidates.ids[0, :3, 0].tolist() == spoken.topk(3).indices.tolist()
    strength = float((block.attn.W_V[3] @ block.attn.W_O[3]).svd().S[0])
    assert f"singular values {strength:.3g}" in " ".join(lw.promotes(model, "L1H3").notes)


@pytest.mark.parametrize(
    ("kind", "flags"),
    [
        *(("LayerNorm", (flag,)) for flag in FLAGS),
        *(("norms after its parts only", (flag,)) for flag in FLAGS),
        *(("grouped queries", (flag,)) for flag in ("ungroup_grouped_query_attention", *FLAGS[:3])),
        ("grouped queries", ("ungroup_grouped_query_attention", *FLAGS[:3])),
    ],
    ids=lambda value: value if isinstance(value, str) else "+".join(value),
)
def test_no_flag_changes_a_figure(build: Any, kind: str, flags: tuple[str, ...]) -> None:
    model = build(kind)
    plain = {unit: lw.attribute(lw.run(model, PROMPT), 70, unit=unit) for unit in UNITS}
    for flag in flags:
        setattr(model.cfg, flag, True)
    _, cache = model.run_with_cache(PROMPT)
    for source in (lw.run(model, PROMPT), cache):
        for unit, grid in plain.items():
            again = lw.attribute(source, 70, unit=unit)
            assert again.rows == grid.rows
            np.testing.assert_allclose(again.values("contribution"), grid.values("contribution"), atol=1e-4)
    lw.promotes(model, "L1H2")


def test_a_run_sees_what_its_user_hung_on_the_model_and_leaves_it_there(build: Any) -> None:
    model = build("LayerNorm")
    plain = lw.run(model, PROMPT)

    def ablate(z: Tensor, hook: HookPoint) -> Tensor:
        z[:, :, 2] = 0.0
        return z

    model.add_hook("blocks.1.attn.hook_z", ablate)
    with torch.no_grad():
        logits = model(PROMPT)
    run = lw.run(model, PROMPT)
    torch.testing.assert_close(run.readout.logits(run.residual[-1]), logits[0], atol=1e-4, rtol=1e-4)
    for position in (-1, 4):
        heads = lw.attribute(run, 70, unit="head", position=position)
        assert float(heads.values("contribution").sum()) == pytest.approx(float(logits[0, position, 70]), abs=1e-4)
        assert float(heads.values("contribution")[heads.rows.index("L1H2"), 0]) == 0.0
    assert len(model.hook_dict["blocks.1.attn.hook_z"].fwd_hooks) == 1
    model.reset_hooks()
    assert torch.equal(lw.run(model, PROMPT).residual, plain.residual)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    with model.hooks(fwd_hooks=[("blocks.0.hook_attn_out", lambda value, hook: 0 * value)]):
        rows = lw.attribute(lw.run(model, PROMPT), 70)
    assert float(rows.values("contribution")[rows.rows.index("L0.attn"), 0]) == 0.0


def test_parts_are_not_found_under_an_ablation(build: Any) -> None:
    model = build("norms after its parts")
    model.add_hook("blocks.1.hook_attn_out", lambda value, hook: 0 * value)
    model.add_hook(lambda name: name.endswith("hook_scale"), lambda value, hook: value)
    first = lw.attribute(lw.run(model, PROMPT), 70, unit="source")
    model.reset_hooks()
    # what the hook took away again is a row of its own
    assert lw.attribute(lw.run(model, PROMPT), 70, unit="source").rows == tuple(
        r for r in first.rows if "edit" not in r
    )
    assert "L1.attn edit" in first.rows and first.check is not None and first.check.holds


def test_a_hook_that_raises_leaves_nothing_on_the_model(build: Any) -> None:
    model = build("norms after its parts")

    def broken(value: Tensor, hook: HookPoint) -> Tensor:
        raise RuntimeError("broken")

    lw.run(model, PROMPT)
    with model.hooks(fwd_hooks=[("blocks.1.mlp.hook_post", broken)]), pytest.raises(RuntimeError, match="broken"):
        lw.run(model, PROMPT)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_a_cache_that_holds_the_rows_alone_tells_its_tokens_by_their_embeddings(build: Any) -> None:
    model = build("LayerNorm")
    logits, cache = model.run_with_cache(PROMPT, names_filter=lw.residual_hooks(model))
    assert lw.residual_hooks(model) == [
        "hook_embed",
        *(f"blocks.{layer}.hook_resid_pre" for layer in range(3)),
        "blocks.2.hook_resid_post",
    ]
    run = lw.from_cache(cache, logits=logits)
    assert torch.equal(run.tokens, model.to_tokens(PROMPT)[0]) and run.check is not None
    _, bare = model.run_with_cache(PROMPT, remove_batch_dim=True)
    assert torch.equal(lw.from_cache(bare).tokens, run.tokens)
    _, several = model.run_with_cache(torch.stack([run.tokens, run.tokens.flip(0)]))
    assert torch.equal(lw.from_cache(several, batch=1).tokens, run.tokens.flip(0))
    _, all_of_it = model.run_with_cache(PROMPT, names_filter=lw.hooks(model))
    assert lw.attribute(all_of_it, 70, unit="source").check is not None
    _, without = model.run_with_cache(PROMPT, names_filter=lambda name: "resid" in name)
    with pytest.raises(ValueError, match=r"tokens \(hook_embed\); pass tokens=model\.to_tokens\(prompt\)\[0\]"):
        lw.logit_lens(without)
    assert lw.from_cache(without, tokens=run.tokens).tokens is not None


class Autoencoder(torch.nn.Module):
    """What SAELens puts in place of a hook point: an approximation of what passes, with hook points of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.hook_sae_input, self.hook_sae_output = HookPoint(), HookPoint()

    def forward(self, x: Tensor) -> Tensor:
        return self.hook_sae_output(self.hook_sae_input(x).round(decimals=1))


@pytest.mark.parametrize("kind", ["LayerNorm", "norms after its parts"])
@pytest.mark.parametrize("place", ["hook_resid_post", "hook_attn_out", "hook_mlp_out", "attn.hook_z", "mlp.hook_post"])
def test_a_model_with_an_autoencoder_in_it_is_read_as_it_is(build: Any, kind: str, place: str) -> None:
    model = build(kind)
    plain = lw.run(model, PROMPT)
    *path, name = f"blocks.1.{place}".split(".")
    setattr(model.get_submodule(".".join(path)), name, Autoencoder())
    model.setup()
    logits, cache = model.requires_grad_(False).run_with_cache(PROMPT)
    for run in (lw.run(model, PROMPT), lw.from_cache(cache, logits=logits)):
        assert not torch.equal(run.residual[-1], plain.residual[-1])
        for unit in UNITS:
            rows = lw.attribute(run, 70, unit=unit).values("contribution")
            assert float(rows.sum()) == pytest.approx(float(logits[0, -1, 70]), abs=1e-4), unit


def test_tokens_that_are_embedded_alike_are_asked_for(build: Any) -> None:
    model = build("LayerNorm", use_hook_tokens=True)
    with torch.no_grad():
        model.embed.W_E[71] = model.embed.W_E[int(model.to_tokens(PROMPT)[0, 2])]
    _, cache = model.run_with_cache(PROMPT)
    assert torch.equal(lw.from_cache(cache).tokens, model.to_tokens(PROMPT)[0])  # this model has a hook that holds them
    model.cfg.use_hook_tokens = False
    _, cache = model.run_with_cache(PROMPT)
    with pytest.raises(ValueError, match="pass tokens="):
        lw.logit_lens(cache)


@pytest.fixture
def gpt2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small GPT-2 in a folder of that name, which from_pretrained takes for the one on the Hub."""
    architectures.save("GPT2LMHeadModel", tmp_path / "gpt2")
    config = tmp_path / "gpt2" / "config.json"
    # the one on the Hub has it, and TransformerLens reads it
    config.write_text(json.dumps({**json.loads(config.read_text()), "n_ctx": 64}))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "gpt2"


def test_from_pretrained_says_what_hugging_face_s_own_model_says(gpt2: Path) -> None:
    theirs = architectures.oracle("GPT2LMHeadModel", gpt2)
    processed = HookedTransformer.from_pretrained("gpt2-small", device="cpu")
    raw = HookedTransformer.from_pretrained_no_processing("gpt2-small", device="cpu")
    ids = processed.to_tokens(PROMPT)
    with torch.no_grad():
        spoken = theirs(ids, output_hidden_states=True)
    for model in (processed, raw):
        run = lw.run(model, PROMPT)
        assert run.model == "gpt2" and torch.equal(run.tokens, ids[0])
        ours = run.readout.logits(run.residual).log_softmax(-1)
        torch.testing.assert_close(ours[-1], spoken.logits[0].log_softmax(-1), atol=1e-4, rtol=1e-4)
        for row in range(3):  # the last of these is normed already
            read = theirs.lm_head(theirs.transformer.ln_f(spoken.hidden_states[row][0])).log_softmax(-1).detach()
            torch.testing.assert_close(ours[row], read, atol=1e-4, rtol=1e-4)
    bridge, run = lw.run(architectures.boot(gpt2), ids[0]), lw.run(raw, ids[0])
    torch.testing.assert_close(run.residual, bridge.residual, atol=1e-4, rtol=1e-4)
    for unit in UNITS:
        one, other = (lw.attribute(source, 70, unit=unit) for source in (run, bridge))
        assert one.rows == other.rows
        np.testing.assert_allclose(one.values("contribution"), other.values("contribution"), atol=1e-4)


def test_a_lens_remembers_the_processing_that_it_was_fitted_on(gpt2: Path, tmp_path: Path) -> None:
    texts = ["The quick brown fox jumps over twelve lazy dogs, and then it sleeps until noon. " * 6] * 8
    processed = HookedTransformer.from_pretrained("gpt2", device="cpu")
    raw = HookedTransformer.from_pretrained_no_processing("gpt2", device="cpu")
    bridge = architectures.boot(gpt2)
    lenses = {
        name: lw.LinearLens.fit(model, texts, tokens=1500, window=32)
        for name, model in (("raw", raw), ("processed", processed))
    }
    lenses = {name: lw.load_lens(lens.save(tmp_path / f"{name}.safetensors")) for name, lens in lenses.items()}
    assert lenses["processed"].card.processing == "norms folded, writing weights centred, unembedding centred"
    assert not lenses["raw"].card.processing
    ids = raw.to_tokens(PROMPT)[0]
    ours, theirs = (
        lw.read(lw.run(model, ids), lenses[name]) for name, model in (("processed", processed), ("raw", raw))
    )
    np.testing.assert_allclose(ours.values("KL to the output"), theirs.values("KL to the output"), atol=0.1)
    assert lw.read(lw.run(bridge, ids), lenses["raw"]).check is not None
    with pytest.raises(
        ValueError, match=r"gpt2 was loaded with processed weights .*from_pretrained_no_processing\(name\)"
    ):
        lw.read(lw.run(processed, ids), lenses["raw"])
    with pytest.raises(ValueError, match=r"fitted to gpt2 with processed weights .* has them as they were trained"):
        lw.read(lw.run(raw, ids), lenses["processed"])
    halfway = HookedTransformer.from_pretrained("gpt2", device="cpu", center_writing_weights=False)
    with pytest.raises(ValueError, match=r"has others \(norms folded, unembedding centred\)"):
        lw.read(lw.run(halfway, ids), lenses["processed"])


@each_processing
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64], ids=str)
def test_other_precisions_are_read_to_their_rounding(build: Any, dtype: torch.dtype, processed: bool) -> None:
    for kind in ("LayerNorm", "norms after its parts"):
        model = build(kind, processed=processed, dtype=dtype)
        run = lw.run(model, PROMPT)
        assert run.check is not None and run.check.error <= run.check.tolerance
        heads = lw.attribute(run, 70, unit="head")
        assert heads.check is not None and heads.check.error <= heads.check.tolerance
        assert "L1H2" in heads.rows


def test_a_model_is_read_in_training_mode_where_that_changes_nothing(build: Any) -> None:
    model = build("LayerNorm")
    assert model.training  # as TransformerLens leaves every model that it loads
    lw.run(model, PROMPT)
    model.blocks[0].mlp.act_fn = torch.nn.Sequential(torch.nn.GELU(), torch.nn.Dropout(0.1)).train()
    with pytest.raises(ValueError, match=r"training mode, where dropout.*model\.eval\(\)"):
        lw.run(model, PROMPT)
    model.eval()
    lw.run(model, PROMPT)
    qwen = build("RMS, rotary, gated", use_logn_attn=True, train_seq_length=16)
    with pytest.raises(ValueError, match=r"training mode, where its attention.*model\.eval\(\)"):
        lw.run(qwen, PROMPT)
    lw.run(qwen.eval(), PROMPT)


def test_where_the_biases_of_attention_are_is_said(build: Any) -> None:
    """Processing folds those of the values into that of the output."""
    raw, processed = (
        lw.attribute(lw.run(build("LayerNorm", processed=done), PROMPT), 70, unit="head") for done in (False, True)
    )
    assert "the bias of the values is in the heads; that of the output is a row of its own" in raw.notes
    assert (
        "the bias of the output is a row of its own, with that of the values, which was folded into it"
        in processed.notes
    )


def test_fewer_tokens_may_be_predicted_than_are_read(build: Any) -> None:
    """As in modular addition: "=" stands in every prompt, and no answer is "="."""
    model = build("LayerNorm", d_vocab=114, d_vocab_out=113)
    with torch.no_grad():
        logits, cache = model.run_with_cache(torch.tensor([[5, 7, 113]]))
    for run in (lw.run(model, [5, 7, 113]), lw.from_cache(cache, logits=logits)):
        assert run.tokens.tolist() == [5, 7, 113] and run.following.tolist() == [7, -1, -1]
        grid = lw.attribute(run, 12)
        assert grid.check is not None and grid.check.holds
        assert float(grid.values("contribution").sum()) == pytest.approx(float(logits[0, -1, 12]), abs=1e-3)
        assert lw.logit_lens(run).check is not None
    with pytest.raises(ValueError, match=r"outside the vocabulary .*0 to 113"):
        lw.run(model, [114])


def test_what_is_no_model_for_lenses_is_refused_with_what_to_do(build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"n_layers": 1, "d_model": 8, "n_ctx": 8, "d_head": 4, "d_vocab": 11, "act_fn": "relu", "device": "cpu"}
    with pytest.raises(ValueError, match="has no blocks"):
        lw.run(HookedTransformer(HookedTransformerConfig(**{**sizes, "n_layers": 0})), [1])
    for kind, why in (
        (HookedEncoder, "HookedEncoder fills masked tokens"),
        (HookedEncoderDecoder, "is an encoder-decoder"),
    ):
        model = object.__new__(kind)
        with pytest.raises(TypeError, match=why):
            lw.run(model, [1, 2])

    class Mine(HookedRootModule):
        pass

    with pytest.raises(
        TypeError, match=r"Mine has TransformerLens's hook points.*HookedTransformer\(HookedTransformerConfig"
    ):
        lw.run(Mine(), [1, 2])
    version = importlib.metadata.version
    monkeypatch.setattr(
        importlib.metadata, "version", lambda name: "2.16.1" if name == "transformer_lens" else version(name)
    )
    with pytest.raises(ValueError, match=r"of TransformerLens 2\.16\.1, .* pip install 'transformer_lens>=3\.9,<4'"):
        lw.run(build("LayerNorm"), PROMPT)


def test_a_live_widget_runs_prompts_on_it(build: Any) -> None:
    model = build("RMS, rotary, gated", processed=True)
    widget = lw.live(model, PROMPT, targets=[70])
    widget.prompt = "Another one"
    widget.wait()
    assert widget.grid.columns.tolist() == model.to_tokens("Another one")[0].tolist()


@pytest.mark.parametrize("kind", ["LayerNorm", "parallel", "soft-cap", "grouped queries", "norms after its parts"])
@each_processing
def test_what_is_estimated_of_patching_is_what_autograd_says(build: Any, kind: str, processed: bool) -> None:
    model = build(kind, processed=processed)
    base, source = (lw.run(model, tokens) for tokens in ([5, 40, 70, 33], [5, 41, 70, 99]))
    for label, hook, columns in [
        ("embed", "blocks.0.hook_resid_pre", slice(None)),
        ("L0", "blocks.1.hook_resid_pre", slice(None)),
        ("L1.attn", "blocks.1.hook_attn_out", slice(None)),
        ("L2.mlp", "blocks.2.hook_mlp_out", slice(None)),
        ("L1H2", "blocks.1.attn.hook_z", slice(16, 24)),
        ("L1N7", "blocks.1.mlp.hook_post", slice(7, 8)),
    ]:
        kept: list[Tensor] = []

        def keep(x: Tensor, hook: Any, kept: list[Tensor] = kept) -> None:
            x.retain_grad()
            kept.append(x)

        for tokens in (base.tokens, source.tokens):
            with model.hooks(fwd_hooks=[(hook, keep)]):
                logits = model(tokens.unsqueeze(0))[0, -1]
            if len(kept) == 1:
                (logits[44] - logits[55]).backward()
        theirs = ((kept[1] - kept[0]).detach() * kept[0].grad)[0].flatten(1)[:, columns].sum(-1)
        place = place_of(backend_of(model), label)
        there = kept[1].detach()[0].flatten(1)
        number = number_of(base.readout, targets_of(base, [44, 55]), "logit difference", -1)
        ours = estimates(base, [place.site], lambda site, _, there=there: there, number)[place.site][:, columns].sum(-1)
        assert float((ours - theirs).abs().max()) <= 1e-4 * float(theirs.abs().max()), label
        model.zero_grad()
