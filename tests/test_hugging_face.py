"""A plain Hugging Face model, whatever was done to it: what is read is what it computes, and it stays as it was."""

from __future__ import annotations

import copy
import gc
import threading
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from torch import Tensor

import lenswidget as lw
from lenswidget.grids.grid import Grid
from lenswidget.model.backend import keep_whole
from lenswidget.model.backends import backend_of
from lenswidget.model.find_components import components_of
from tests import architectures
from tests.test_architectures import (
    NOT_BUILT,
    READ,
    SUPPORTED_ARCHITECTURES,
    TOKENS,
    WITHOUT_HEADS,
    distance,
    one_thread,
    says,
)

assert one_thread  # models this small are slower on two

REFUSED = {
    **dict.fromkeys(
        ("BertForMaskedLM", "BertLMHeadModel", "RobertaForMaskedLM"), "between its last block and its unembedding"
    ),
    "ModernBertDecoderForCausalLM": "between its last block and its unembedding",
    "DeepseekV4ForCausalLM": "carries several residual streams",
    "Gemma3nForConditionalGeneration": "carries several residual streams",
    "HrmTextForCausalLM": "has no single stack of blocks that runs once",
    **dict.fromkeys(
        ("ViTModel", "ViTForImageClassification", "DeiTModel", "DeiTForImageClassification"), "reads images"
    ),
    **dict.fromkeys(("HubertModel", "HubertForCTC", "Wav2Vec2Model", "Wav2Vec2ForCTC"), "reads sound"),
    **dict.fromkeys(("Wav2Vec2ForPreTraining", "ASTForAudioClassification"), "reads sound"),
}
# architecture → the blocks whose modules don't add up to what the block wrote, so that each is one row
LEFT_WHOLE = {"OpenAIGPTLMHeadModel": "L0, L1, L2", "RwkvForCausalLM": "L0"}


def saved(architecture: str, folder: Path, **extra: Any) -> Any:
    architectures.save(architecture, folder, **extra)
    return architectures.oracle(architecture, folder)


@pytest.fixture
def llama(tmp_path: Path) -> Any:
    return saved("LlamaForCausalLM", tmp_path)


def hung(model: torch.nn.Module) -> list[tuple[Any, ...]]:
    """Everything that hangs on a model's modules."""
    return [(id(m), *m._forward_pre_hooks.items(), *m._forward_hooks.items()) for m in model.modules()]


def total(grid: Grid) -> float:
    return float(np.nan_to_num(grid.values("contribution").astype(np.float64)).sum())


def assert_sums(reading: lw.Run, theirs: Tensor, *units: str, close: float = 1e-5) -> None:
    """The last row is the model, and the rows of every unit sum to its logit."""
    assert distance(reading.readout.logits(reading.residual[-1]), theirs) < max(close, 1e-4)
    target = int(theirs[-1].argmax())
    for unit in units:
        grid = lw.attribute(reading, target, unit=unit)
        size = max(abs(float(theirs[-1, target])), float(np.nanmax(np.abs(grid.values("contribution")))))
        assert abs(total(grid) - float(theirs[-1, target])) <= close * size, unit
        assert grid.check is not None and grid.check.holds, unit
        assert not [note for note in grid.notes if note.startswith("not taken apart")], unit


# Architectures


@pytest.mark.parametrize("architecture", READ)
def test_a_model_is_read_and_stays_as_it_was(architecture: str, tmp_path: Path) -> None:
    if architectures.hugging_face_class(architecture) is None:
        pytest.skip(f"transformers {transformers.__version__} doesn't have it")
    model = saved(architecture, tmp_path)
    try:
        theirs = says(model)
    except AttributeError as reason:
        pytest.skip(f"transformers {transformers.__version__} itself can't run it: {reason}")
    before = (
        hung(model),
        list(model.state_dict()),
        model.config.to_json_string(),
        [vars(m).copy() for m in model.modules()],
    )
    reading = lw.run(model, TOKENS)
    assert reading.check is not None and reading.check.error <= reading.check.tolerance
    assert distance(reading.readout.logits(reading.residual[-1]), theirs) < 1e-4
    target = int(theirs[-1].argmax())
    grids = {"component": lw.attribute(reading, target)}
    left = [note for note in grids["component"].notes if note.startswith("not taken apart")]
    assert left == [
        f"not taken apart, a row each: {LEFT_WHOLE[architecture]}" for _ in range(architecture in LEFT_WHOLE)
    ]
    if architecture in WITHOUT_HEADS:
        with pytest.raises(ValueError, match="no attention whose heads can be told apart"):
            lw.attribute(reading, target, unit="head")
    else:
        grids["head"] = lw.attribute(reading, target, unit="head")
    for unit, grid in grids.items():
        size = max(abs(float(theirs[-1, target])), float(np.abs(grid.values("contribution")).max()))
        assert abs(total(grid) - float(theirs[-1, target])) <= 1e-5 * size, unit
        assert grid.check is not None and grid.check.holds
    assert (hung(model), list(model.state_dict()), model.config.to_json_string()) == before[:3]
    assert [list(vars(m)) for m in model.modules()] == [list(told) for told in before[3]]
    assert torch.equal(says(model), theirs)


@pytest.mark.parametrize("architecture", REFUSED)
def test_a_model_that_no_lens_can_read_is_refused_with_the_reason(architecture: str, tmp_path: Path) -> None:
    if architecture.startswith("Gemma3n"):
        pytest.importorskip("timm")
    with pytest.raises(ValueError, match=f"^{architecture} .*{REFUSED[architecture]}"):
        lw.run(saved(architecture, tmp_path), TOKENS)


SEQUENCE_TO_SEQUENCE = [
    name
    for name in SUPPORTED_ARCHITECTURES
    if name not in {*READ, *REFUSED, *NOT_BUILT, *architectures.ALIASES, "TransformerLensNative"}
]


@pytest.mark.parametrize("architecture", SEQUENCE_TO_SEQUENCE)
def test_an_encoder_decoder_is_refused_with_the_call_that_works(architecture: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"{architecture} is an encoder-decoder.*AutoModelForCausalLM.from_pretrained"):
        lw.run(saved(architecture, tmp_path), TOKENS)


FUSED = [
    "GPT2LMHeadModel",
    "GPTNeoXForCausalLM",
    "BloomForCausalLM",
    "FalconForCausalLM",
    "Phi3ForCausalLM",
    "MptForCausalLM",
]


@pytest.mark.parametrize("architecture", ["LlamaForCausalLM", "OPTForCausalLM", *FUSED])
def test_heads_are_split_over_positions_and_neurons_told_apart(architecture: str, tmp_path: Path) -> None:
    model = saved(architecture, tmp_path)
    reading = lw.run(model, TOKENS)
    assert_sums(reading, says(model), "component", "head", "neuron", "source")
    assert lw.promotes(model, "L1N3").rows == ("L1N3",)
    heads, sources = (lw.attribute(reading, 70, unit=unit) for unit in ("head", "source"))
    of_heads = dict(zip(heads.rows, heads.values("contribution")[:, 0]))
    for label, values in zip(sources.rows, sources.values("contribution")):
        if "H" in label:
            assert np.nansum(values) == pytest.approx(of_heads[label], abs=1e-4), label


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=["bfloat16", "float16"])
@pytest.mark.parametrize("architecture", ["GPTNeoXForCausalLM", "LlamaForCausalLM"])
def test_half_precision_is_read_to_rounding(architecture: str, dtype: torch.dtype, tmp_path: Path) -> None:
    architectures.save(architecture, tmp_path)
    model = architectures.oracle(architecture, tmp_path, dtype)
    reading = lw.run(model, TOKENS)
    assert reading.residual.dtype == dtype
    assert_sums(reading, says(model), "component", "head", "neuron", "source", close=2e-2)


# What its user did to it


def test_hooks_of_its_user_act_and_stay(llama: Any) -> None:
    clean = lw.run(llama, TOKENS)
    seen: list[int] = []
    handles = [
        llama.model.layers[1].self_attn.register_forward_hook(lambda m, i, out: (0.5 * out[0], *out[1:])),
        llama.model.layers[1].mlp.register_forward_hook(lambda m, i, out: seen.append(out.shape[1])),
    ]
    before, theirs = hung(llama), says(llama)
    seen.clear()
    under = lw.run(llama, TOKENS)
    assert seen == [len(TOKENS)], "hooks are called once a run, and never when lenswidget tries things out"
    assert distance(theirs, says_of(clean)) > 1e-2
    assert_sums(under, theirs, "component")
    assert hung(llama) == before
    assert lw.attribute(under, 70, unit="source").check.holds  # type: ignore[union-attr]
    for handle in handles:
        handle.remove()
    assert_sums(lw.run(llama, TOKENS), says_of(clean), "component", "head", "neuron", "source")


def says_of(reading: lw.Run) -> Tensor:
    return reading.readout.logits(reading.residual[-1])


def test_a_model_first_seen_under_an_ablation_is_whole_when_that_is_gone(llama: Any) -> None:
    handle = llama.model.layers[1].mlp.register_forward_hook(lambda m, i, out: 0 * out)
    lw.attribute(lw.run(llama, TOKENS), 70)
    handle.remove()
    assert "L1.mlp" in lw.attribute(lw.run(llama, TOKENS), 70).rows


def test_no_hook_is_left_when_a_hook_raises(llama: Any) -> None:
    lw.run(llama, TOKENS)

    def breaks(*_: Any) -> None:
        raise RuntimeError("a hook of its user")

    handle = llama.model.layers[2].register_forward_hook(breaks)
    before = hung(llama)
    with pytest.raises(RuntimeError, match="a hook of its user"):
        lw.run(llama, TOKENS)
    assert hung(llama) == before
    handle.remove()
    assert not any(len(of_module) > 1 for of_module in hung(llama))


def test_what_another_thread_runs_meanwhile_is_left_alone(llama: Any) -> None:
    backend, theirs, found = backend_of(llama), says(llama), []

    def keep(row: Tensor) -> Tensor:
        other = threading.Thread(target=lambda: found.append(says(llama)))
        other.start()
        other.join()
        return row

    last = backend.rows[-1]
    backend.forward(torch.tensor([TOKENS]), keep={last: keep}, stop=last)
    assert torch.equal(found[0], theirs)


def test_weights_written_in_place_are_read_as_they_are_now(llama: Any) -> None:
    lw.run(llama, TOKENS)
    with torch.no_grad():
        llama.model.layers[0].mlp.down_proj.weight.mul_(3)
        llama.model.norm.weight.add_(0.5)
        llama.lm_head.weight.mul_(0.5)
    assert_sums(lw.run(llama, TOKENS), says(llama), "component", "neuron")


def test_a_module_put_in_later_is_found(llama: Any) -> None:
    state = backend_of(llama).state
    llama.model.layers[1].mlp.down_proj = LowRank(llama.model.layers[1].mlp.down_proj)
    assert backend_of(llama).state != state
    assert_sums(lw.run(llama, TOKENS), says(llama), "component", "head", "neuron", "source")


class LowRank(torch.nn.Module):
    """A LoRA as PEFT makes it: what it calls its weight is not what it computes."""

    def __init__(self, base: torch.nn.Linear, size: float = 0.5) -> None:
        super().__init__()
        self.base, self.on = base, True
        self.a = torch.nn.Linear(base.in_features, 2, bias=False)
        self.b = torch.nn.Linear(2, base.out_features, bias=False)
        torch.nn.init.normal_(self.b.weight, std=size)
        self.to(base.weight.dtype).eval()

    @property
    def weight(self) -> Tensor:
        return self.base.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.base(x) + self.b(self.a(x)) if self.on else self.base(x)


class Eight(torch.nn.Module):
    """A weight in eight bits, whose forward pass widens it."""

    def __init__(self, base: torch.nn.Linear) -> None:
        super().__init__()
        self.scale = base.weight.abs().amax(1, keepdim=True).detach() / 127
        self.register_buffer("weight", (base.weight / self.scale).round().to(torch.int8))
        self.bias = base.bias
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        return torch.nn.functional.linear(x, self.weight.to(x.dtype) * self.scale, self.bias)


class EightOnBothSides(Eight):
    """As LLM.int8: what enters is rounded to eight bits as well, so that it is no linear map."""

    def forward(self, x: Tensor) -> Tensor:
        size = x.abs().amax(-1, keepdim=True).clamp(min=1e-6) / 127
        return super().forward((x / size).round() * size)


def in_place_of_linears(model: torch.nn.Module, kind: Any, *, head: bool = False) -> Any:
    for path, module in list(model.named_modules()):
        if type(module) is torch.nn.Linear and (head or module is not model.get_output_embeddings()):
            parent, _, name = path.rpartition(".")
            setattr(model.get_submodule(parent), name, kind(module))
    return model


@pytest.mark.parametrize("architecture", ["LlamaForCausalLM", "GPTNeoXForCausalLM", "Phi3ForCausalLM"])
@pytest.mark.parametrize("head", [False, True], ids=["blocks", "blocks and unembedding"])
@pytest.mark.parametrize("kind", [LowRank, Eight])
def test_linear_maps_are_read_whatever_their_storage(kind: Any, head: bool, architecture: str, tmp_path: Path) -> None:
    plain = saved(architecture, tmp_path)
    theirs = says(plain)
    model = in_place_of_linears(plain, kind, head=head)
    assert distance(says(model), theirs) > 1e-3
    assert_sums(lw.run(model, TOKENS), says(model), "component", "head", "neuron", "source")
    assert lw.promotes(model, "L1H2").rows[0] == "L1H2 direction 1"


@pytest.mark.parametrize(("unit", "what"), [("head", "attention"), ("source", "attention"), ("neuron", "MLPs")])
def test_maps_that_round_what_enters_them_have_no_parts_and_that_is_the_reason(
    unit: str, what: str, llama: Any
) -> None:
    model = in_place_of_linears(llama, EightOnBothSides)
    reading = lw.run(model, TOKENS)
    assert_sums(reading, says(model), "component")
    with pytest.raises(
        ValueError, match=rf"has {what} whose weights are in a few bits and round what enters.*no {unit} has"
    ):
        lw.attribute(reading, 70, unit=unit)


def test_an_adapter_switched_off_and_on_is_noticed(llama: Any) -> None:
    plain = says(llama)
    model = in_place_of_linears(llama, LowRank)
    adapted = says(model)
    assert_sums(lw.run(model, TOKENS), adapted, "head", "neuron")
    for module in model.modules():
        if isinstance(module, LowRank):
            module.on = False
    assert_sums(lw.run(model, TOKENS), plain, "head", "neuron")


def test_an_unembedding_that_had_to_be_tried_is_kept_once(llama: Any) -> None:
    """A large model's takes gigabytes, and what is on it may change again and again."""
    model = in_place_of_linears(llama, LowRank, head=True)
    kept: list[Any] = []
    for _ in range(4):
        with torch.no_grad():
            model.lm_head.b.weight.mul_(1.5)
        W_U, _ = backend_of(model).unembedding()
        assert distance(lw.run(model, TOKENS).readout.W_U, W_U) == 0
        kept.append(weakref.ref(W_U))
        del W_U
    gc.collect()
    assert [one() is not None for one in kept] == [False, False, False, True]


def test_a_small_adapter_in_half_precision_is_not_missed(tmp_path: Path) -> None:
    architectures.save("LlamaForCausalLM", tmp_path)
    model = architectures.oracle("LlamaForCausalLM", tmp_path, torch.bfloat16)
    down = model.model.layers[1].mlp.down_proj = LowRank(model.model.layers[1].mlp.down_proj, size=0.1)
    backend = backend_of(model)
    part = next(part for part in components_of(backend).blocks[1].parts if part.name == "mlp")
    assert part.projection is not None and part.projection.stored == "elsewhere"
    whole = down.base.weight.T.float() + down.a.weight.T.float() @ down.b.weight.T.float()
    torch.testing.assert_close(part.projection.W(backend).float(), whole.detach(), atol=2e-2, rtol=2e-2)


def test_a_map_that_rounds_what_enters_it_is_no_linear_map(llama: Any) -> None:
    class Rounds(torch.nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            scale = x.abs().amax(-1, keepdim=True) / 7
            return super().forward((x / scale).round() * scale)

    o = llama.model.layers[1].self_attn.o_proj
    o.__class__ = Rounds
    assert_sums(lw.run(llama, TOKENS), says(llama), "component", "neuron")
    assert "not taken apart, a row each: L1.attn" in lw.attribute(lw.run(llama, TOKENS), 70, unit="head").notes


def peft(model: Any, **options: Any) -> Any:
    library = pytest.importorskip("peft")
    torch.manual_seed(3)
    lora = {"init_lora_weights": False, "task_type": "CAUSAL_LM", "target_modules": "all-linear", **options}
    return library.get_peft_model(model, library.LoraConfig(**lora)).eval()


@pytest.mark.parametrize(
    "architecture", ["LlamaForCausalLM", "GPT2LMHeadModel", "GPTNeoXForCausalLM", "Phi3ForCausalLM"]
)
def test_adapters_of_peft_are_read_on_off_and_merged(architecture: str, tmp_path: Path) -> None:
    plain = saved(architecture, tmp_path)
    theirs = says(plain)
    model = peft(plain)
    units = ("component", "head", "neuron", "source")
    assert distance(says(model), theirs) > 1e-2
    assert_sums(lw.run(model, TOKENS), says(model), *units)
    assert_sums(lw.run(model.get_base_model(), TOKENS), says(model), *units)
    with model.disable_adapter():
        assert_sums(lw.run(model, TOKENS), theirs, *units)
    assert_sums(lw.run(model, TOKENS), says(model), *units)
    model.merge_adapter()
    assert_sums(lw.run(model, TOKENS), says(model), *units)
    assert_sums(lw.run(model.merge_and_unload(), TOKENS), says(model), *units)


@pytest.mark.parametrize(
    "options",
    [{"use_dora": True}, {"target_modules": ".*lm_head"}, {"modules_to_save": ["lm_head", "norm"]}],
    ids=["DoRA", "unembedding", "trained whole"],
)
def test_adapters_of_other_kinds_are_read(options: dict[str, Any], llama: Any) -> None:
    model = peft(llama, **options)
    assert_sums(lw.run(model, TOKENS), says(model), "component", "head", "neuron", "source")


def test_prompt_tuning_is_refused_for_its_positions(llama: Any) -> None:
    library = pytest.importorskip("peft")
    tuned = library.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)
    with pytest.raises(ValueError, match=r"makes \d+ positions of \d+ tokens, as prompt tuning does"):
        lw.run(library.get_peft_model(llama, tuned).eval(), TOKENS)


@pytest.mark.parametrize("head", [False, True], ids=["blocks", "blocks and unembedding"])
def test_int8_of_torchao_is_read(head: bool, llama: Any) -> None:
    library = pytest.importorskip("torchao.quantization")

    def which(module: torch.nn.Module, path: str) -> bool:
        return isinstance(module, torch.nn.Linear) and (head or path != "lm_head")

    library.quantize_(llama, library.Int8WeightOnlyConfig(), filter_fn=which)
    assert_sums(lw.run(llama, TOKENS), says(llama), "component", "head", "neuron", "source")


@pytest.mark.parametrize("bits", [4, 8])
def test_blocks_of_bitsandbytes_are_read(bits: int, tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes")
    architectures.save("LlamaForCausalLM", tmp_path, hidden_size=128, head_dim=32, intermediate_size=256)
    quantised = transformers.BitsAndBytesConfig(**{f"load_in_{bits}bit": True})
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path, quantization_config=quantised, device_map="cpu")
    reading = lw.run(model, TOKENS)
    theirs = says(model)
    half = reading.residual.dtype != torch.float32
    assert_sums(reading, theirs, "component", close=2e-2 if half else 1e-5)


@pytest.mark.parametrize("architecture", ["LlamaForCausalLM", "GPTNeoXForCausalLM"])
def test_blocks_norm_and_unembedding_on_a_disk_are_brought(architecture: str, tmp_path: Path) -> None:
    model = saved(architecture, tmp_path)
    theirs = says(model)
    model = offloaded(model, tmp_path / "elsewhere")
    assert any(weight.is_meta for weight in model.parameters())
    assert_sums(lw.run(model, TOKENS), theirs, "component", "head", "neuron", "source")
    assert any(weight.is_meta for weight in model.parameters()), "what was kept elsewhere stays there"
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


def offloaded(model: Any, folder: Path) -> Any:
    """A model whose norm, unembedding and every second block accelerate keeps on a disk."""
    accelerate = pytest.importorskip("accelerate")
    (inner, base), (head, _) = model.named_children()
    places = {head: "disk"}
    for name, module in base.named_children():
        if isinstance(module, torch.nn.ModuleList):
            places |= {f"{inner}.{name}.{i}": "disk" if i % 2 else "cpu" for i in range(len(module))}
        else:
            places[f"{inner}.{name}"] = "disk" if "norm" in name else "cpu"
    options = {"offload_dir": str(folder), "main_device": "cpu", "force_hooks": True}
    return accelerate.dispatch_model(model, device_map=places, **options)


def test_compiled_models_are_read(llama: Any) -> None:
    theirs = says(llama)
    compiled = torch.compile(copy.deepcopy(llama), backend="eager")
    in_place, forward = copy.deepcopy(llama), copy.deepcopy(llama)
    in_place.compile(backend="eager")
    forward.forward = torch.compile(forward.forward, backend="eager")
    for model in (compiled, in_place, forward):
        model(torch.tensor([TOKENS]))
        assert_sums(lw.run(model, TOKENS), theirs, "component", "head")


# What follows from a run


def test_everything_that_follows_a_run(llama: Any) -> None:
    tokenizer = architectures.tokenizer()
    reading = lw.run(llama, "The capital", tokenizer=tokenizer)
    grid = lw.logit_lens(reading, targets=["a"])
    assert grid.check is not None and grid.title == "The capital"
    assert lw.explain(reading, "a", "L1").check.holds  # type: ignore[union-attr]
    assert lw.promotes(llama, "L1H1").texts
    texts = ["The quick brown fox jumps over the lazy dog. " * 4] * 6
    lens = lw.LinearLens.fit(llama, texts, held_out=64)
    assert lw.read(reading, lens).check is not None
    assert lw.fidelity(llama, [lens], texts=texts, tokens=64) is not None
    del reading
    gc.collect()
    assert grid.explain is not None
    assert grid.explain(2, 70, 2).check.holds  # type: ignore[union-attr]
    widget = lw.live(llama, "Hello")
    widget.prompt = "The capital"
    widget.wait()
    assert widget.progress == {"state": "idle"} and "The capital" in repr(widget)
    widget.close()


@pytest.mark.parametrize("architecture", ["LlamaForCausalLM", "GPT2LMHeadModel", "NanoChatForCausalLM"])
def test_a_jacobian_lens_is_fitted_as_transformer_lens_fits_it(architecture: str, tmp_path: Path) -> None:
    model = saved(architecture, tmp_path)
    bridge = architectures.boot(tmp_path)
    bridge.cfg.default_prepend_bos = False  # as the tokenizer itself has it
    texts = ["A text about nothing in particular.", "Another, of another length: 0123456789.", "Short"]
    options = {"max_seq_len": 32, "skip_first_positions": 5, "dim_batch": 12, "show_progress": False}
    before = [weight.requires_grad for weight in model.parameters()], hung(model)
    with pytest.warns(UserWarning, match="A text of 5 tokens is left out; it needs more than 6"):
        ours = lw.JacobianLens.fit(model, texts, data="three texts", **options)
    assert ([weight.requires_grad for weight in model.parameters()], hung(model)) == before
    assert all(weight.grad is None for weight in model.parameters())
    with pytest.warns(UserWarning):
        theirs = lw.JacobianLens.fit(bridge, texts, data="three texts", **options)
    torch.testing.assert_close(ours.weight, theirs.weight, atol=1e-4, rtol=1e-3)
    assert ours.card.settings == theirs.card.settings and ours.card.data == theirs.card.data
    assert lw.read(lw.run(model, TOKENS), ours).check is not None
    with (
        pytest.raises(ValueError, match=r"No text has more than 6 tokens.*skip_first_positions"),
        pytest.warns(UserWarning),
    ):
        lw.JacobianLens.fit(model, ["Short"], **options)


@pytest.mark.parametrize("holds", ["itself", "a block", "a weight", "nothing"])
def test_a_grid_that_was_read_under_a_hook_keeps_no_model(holds: str, llama: Any) -> None:
    model = copy.deepcopy(llama)  # the fixture's own is held
    layer = model.model.layers[0]
    held = {
        "itself": model,
        "a block": model.model.layers[1],
        "a weight": [{"w": layer.mlp.down_proj.weight}],
        "nothing": 2,
    }[holds]

    def doubling(held: Any) -> Any:
        def hook(module: Any, args: Any, out: Tensor) -> Tensor:
            assert held is not None
            return 2 * out

        return hook

    handle = layer.register_forward_hook(doubling(held))
    run = lw.run(model, TOKENS)
    grid = lw.logit_lens(run)
    assert grid.explain is not None
    expected = grid.explain(-1, 70, 1)
    del run
    gc.collect()
    assert grid.explain(-1, 70, 1) == expected, "the hook still hangs there"
    handle.remove()
    gc.collect()
    if holds == "nothing":
        assert grid.explain(-1, 70, 1) == expected, "it is asked as it was when it was read"
    else:
        with pytest.raises(
            ValueError, match=r"A hook under which this was read holds .* and is gone.*lw\.run\(model, prompt\)"
        ):
            grid.explain(-1, 70, 1)
    gone = [weakref.ref(model), weakref.ref(layer.mlp.down_proj.weight)]
    del model, layer, held, handle
    gc.collect()
    assert [one() for one in gone] == [None, None], "the Grid keeps the model"


def test_nothing_keeps_the_model(llama: Any) -> None:
    class Steering:
        """A hook that holds the model on which it hangs."""

        def __init__(self, model: Any) -> None:
            self.model = model
            model.model.layers[0].register_forward_hook(self.hook)

        def hook(self, module: Any, args: Any, out: Any) -> None:
            assert self.model is not None

    model = copy.deepcopy(llama)  # the fixture's own is held
    grid = lw.logit_lens(lw.run(model, TOKENS))
    Steering(model)
    lw.attribute(lw.run(model, TOKENS), 70, unit="source")
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None, "a Grid, or what is remembered, keeps the model"
    assert grid.explain is not None
    with pytest.raises(ValueError, match="was deleted"):
        grid.explain(4, 70, 2)


def test_generate_and_save_are_as_they_were(llama: Any, tmp_path: Path) -> None:
    start = torch.tensor([TOKENS])
    before = llama.generate(start, max_new_tokens=5, do_sample=False)
    lw.logit_lens(lw.run(llama, TOKENS))
    assert torch.equal(llama.generate(start, max_new_tokens=5, do_sample=False), before)
    llama.save_pretrained(tmp_path / "again")
    again = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "again").eval()
    assert torch.equal(says(again), says(llama))


# Tokenizers


def test_a_text_is_split_as_its_tokenizer_does_by_default(llama: Any, tmp_path: Path) -> None:
    found = lw.run(llama, "The capital")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert found.tokens.tolist() == tokenizer("The capital")["input_ids"]
    ended = copy.deepcopy(architectures.tokenizer())
    ended.add_tokens(["The capital"])
    assert len(lw.run(llama, "The capital", tokenizer=ended).tokens) == 1
    assert len(lw.run(llama, "The capital").tokens) == 1, "a tokenizer that was given is remembered"
    assert lw.runs(llama, ["The capital", "a"], tokenizer=tokenizer)[0].tokens.tolist() == found.tokens.tolist()


@pytest.mark.parametrize("call", ["live", "linear", "tuned", "jacobian", "fidelity"])
def test_every_call_that_reads_text_takes_a_tokenizer(call: str, llama: Any, tmp_path: Path) -> None:
    for file in tmp_path.glob("tokenizer*"):
        file.unlink()
    texts, tokenizer = ["The quick brown fox jumps over the lazy dog. " * 4] * 6, architectures.tokenizer()
    calls: dict[str, Any] = {
        "live": lambda **given: lw.live(llama, "Hello", **given).close(),
        "linear": lambda **given: lw.LinearLens.fit(llama, texts, held_out=64, window=32, **given),
        "tuned": lambda **given: lw.TunedLens.fit(llama, texts, steps=2, held_out=64, window=32, **given),
        "jacobian": lambda **given: lw.JacobianLens.fit(llama, texts[:1], dim_batch=32, show_progress=False, **given),
        "fidelity": lambda **given: lw.fidelity(llama, lw.LogitLens(), texts, tokens=32, **given),
    }
    with pytest.raises(ValueError, match=r"came without a tokenizer.*tokenizer=tokenizer"):
        calls[call]()
    calls[call](tokenizer=tokenizer)
    assert lw.run(llama, "The capital").texts[70] == tokenizer.decode([70]), "it is remembered"
    with pytest.raises(TypeError, match=r"got int; pass AutoTokenizer"):
        calls[call](tokenizer=5)


def test_a_tuned_lens_is_fitted_to_a_model_as_it_is(llama: Any) -> None:
    """Nearer to the output than the raw lens in every row, by Hugging Face's own modules; the model stays as it was."""
    before = hung(llama), [weight.clone() for weight in llama.parameters()]
    texts = ["The quick brown fox jumps over the lazy dog. " * 4] * 6
    lens = lw.TunedLens.fit(llama, texts, steps=40, held_out=64, window=32, tokenizer=architectures.tokenizer())
    assert hung(llama) == before[0] and all(map(torch.equal, llama.parameters(), before[1]))
    ids = torch.tensor([architectures.tokenizer()(texts[0])["input_ids"][:32]])
    with torch.no_grad():
        out = llama(ids, output_hidden_states=True)
        output = out.logits.log_softmax(-1)
        for row, stream in enumerate(out.hidden_states[:3]):
            raw, moved = (
                llama.lm_head(llama.model.norm(x)).log_softmax(-1) for x in (stream, lens.move(stream[0], row)[None])
            )
            kl = [float((output.exp() * (output - one)).sum(-1)[:, 1:].mean()) for one in (raw, moved)]
            assert kl[1] < 0.7 * kl[0], row


def test_ids_that_are_never_predicted_are_read_all_the_same(llama: Any) -> None:
    """As in modular addition: "=" stands in every prompt, and no answer is "="."""
    llama.lm_head = torch.nn.Linear(32, 200, bias=False).eval()
    prompt = [5, 250, 7, 260, 3]
    reading = lw.run(llama, prompt)
    grid = lw.logit_lens(reading, targets=[7])
    with torch.no_grad():
        assert_sums(reading, llama(torch.tensor([prompt])).logits[0], "component", "head")
    assert grid.columns.tolist() == prompt and reading.following.tolist() == [-1, 7, -1, 3, -1]
    assert (
        np.isnan(grid.values("surprisal")[:, [0, 2, 4]]).all()
        and np.isfinite(grid.values("surprisal")[:, [1, 3]]).all()
    )
    with pytest.raises(ValueError, match=r"Token id 288 is outside the vocabulary .*0 to 287"):
        lw.run(llama, [288])
    with pytest.raises(ValueError, match="Token id 250 is outside the vocabulary, 0 to 199"):
        lw.attribute(reading, 250)


def test_a_model_without_a_tokenizer_is_read_from_ids(llama: Any, tmp_path: Path) -> None:
    for file in tmp_path.glob("tokenizer*"):
        file.unlink()
    reading = lw.run(llama, TOKENS)
    grid = lw.logit_lens(reading, targets=[70])
    assert grid.title == " ".join(map(str, TOKENS)) and grid.texts[70] == "70"
    assert_sums(reading, says(llama), "component", "head", "neuron", "source")
    with pytest.raises(
        ValueError, match=r"came without a tokenizer; pass one, lw\.run\(model, prompt, tokenizer=tokenizer\)"
    ):
        lw.run(llama, "The capital")


def test_a_tokenizer_of_eleven_symbols_is_enough(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    model = saved("LlamaForCausalLM", tmp_path, vocab_size=12, pad_token_id=None, bos_token_id=None, eos_token_id=None)
    split = Tokenizer(models.WordLevel({symbol: i for i, symbol in enumerate("abcdefghij+=")}))
    split.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=split, bos_token="=", eos_token="=", pad_token="="
    )
    reading = lw.run(model, "b+c=", tokenizer=tokenizer)
    assert reading.tokens.tolist() == [1, 10, 2, 11]
    assert lw.attribute(reading, "d").check.holds  # type: ignore[union-attr]


def test_what_is_no_tokenizer_is_refused(llama: Any, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"got str; pass AutoTokenizer\.from_pretrained\(name\)"):
        lw.run(llama, "The capital", tokenizer="gpt2")
    bridge = architectures.boot(tmp_path)
    with pytest.raises(TypeError, match=r"TransformerBridge has its own tokenizer; set model\.tokenizer"):
        lw.run(bridge, "The capital", tokenizer=architectures.tokenizer())


# Refusals


def test_what_is_no_language_model_is_refused_with_the_call_that_works(llama: Any) -> None:
    with pytest.raises(
        ValueError, match=r"LlamaModel has no unembedding.*AutoModelForCausalLM\.from_pretrained\(name\)"
    ):
        lw.run(llama.model, TOKENS)
    for other in (torch.nn.Linear(2, 2), "gpt2", None, type("Mock", (), {"config": 1})()):
        with pytest.raises(TypeError, match=r"lw\.load\(name\).*AutoModelForCausalLM\.from_pretrained\(name\)"):
            lw.run(other, TOKENS)
    with torch.device("meta"):
        empty = type(llama)(llama.config).eval()
    with pytest.raises(ValueError, match=r"weights on the meta device.*from_pretrained"):
        lw.run(empty, TOKENS)
    with pytest.raises(ValueError, match=r"training mode.*model\.eval\(\)"):
        lw.run(llama.train(), TOKENS)


def test_what_holds_a_model_is_opened_or_told_how_to(llama: Any) -> None:
    assert lw.run(torch.nn.DataParallel(llama), TOKENS).check is not None
    pipeline = transformers.pipeline("text-generation", model=llama, tokenizer=architectures.tokenizer())
    with pytest.raises(
        TypeError, match=r"this TextGenerationPipeline holds one: pass its \.model, as in lw\.run\(it\.model, prompt\)"
    ):
        lw.run(pipeline, TOKENS)


@pytest.mark.parametrize("change", ["dtype", "weight", "adapter"])
def test_a_model_that_changed_between_run_and_attribution_is_told(change: str, llama: Any) -> None:
    if change == "adapter":
        in_place_of_linears(llama, LowRank)
    reading = lw.run(llama, TOKENS)
    grid = lw.logit_lens(reading)
    if change == "dtype":
        llama.to(torch.bfloat16)
    elif change == "weight":
        with torch.no_grad():
            llama.model.layers[1].self_attn.o_proj.weight.mul_(2)
    else:
        for module in llama.modules():
            if isinstance(module, LowRank):
                module.on = False
    assert lw.logit_lens(reading) == replace(grid, jumps=lw.logit_lens(reading).jumps), "its rows are what they were"
    for ask in (
        lambda: lw.attribute(reading, 70, unit="head"),
        lambda: lw.attribute(reading, 70, unit="head", position=2),
        lambda: lw.explain(reading, 70, "L1"),
    ):
        with pytest.raises(ValueError, match=r"is not what it was.*lw\.run\(model, prompt\)"):
            ask()


def test_hidden_states_of_transformers_are_refused_with_the_reason(llama: Any) -> None:
    with torch.no_grad():
        outputs = llama(torch.tensor([TOKENS]), output_hidden_states=True)
    for given in (outputs, outputs.hidden_states):
        with pytest.raises(TypeError, match=r"final norm already.*lw\.run\(model, prompt, tokenizer=tokenizer\)"):
            lw.logit_lens(given)


def test_a_pass_can_be_stopped_and_changed(llama: Any) -> None:
    backend = backend_of(llama)
    rows = backend.rows
    done = backend.forward(torch.tensor([TOKENS]), keep=keep_whole(rows), stop=rows[1])
    assert done.logits is None and list(done.kept) == list(rows[:2])
    plain = backend.forward(torch.tensor([TOKENS, TOKENS]), keep=keep_whole(rows))
    doubled = backend.forward(torch.tensor([TOKENS, TOKENS]), keep=keep_whole(rows), change={rows[2]: lambda x: 2 * x})
    torch.testing.assert_close(doubled.kept[rows[2]], 2 * plain.kept[rows[2]])
    assert plain.logits is not None and doubled.logits is not None
    assert plain.logits.shape == (2, len(TOKENS), architectures.VOCABULARY)
    assert not torch.equal(plain.logits, doubled.logits)
