"""Whatever model TransformerLens can load is read truly, or refused by name and with the reason."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import pytest
import torch
from packaging.version import Version
from torch import Tensor
from transformer_lens.config import TransformerBridgeConfig
from transformer_lens.factories.architecture_adapter_factory import SUPPORTED_ARCHITECTURES
from transformer_lens.model_bridge.sources._bridge_builder import build_bridge_from_module
from transformer_lens.model_bridge.sources.native import NativeModel
from transformers import AutoTokenizer

from lenswidget.attribution.attribute import attribute
from lenswidget.grids.grid import Grid
from lenswidget.lenses.read import logit_lens
from lenswidget.model.cached_run import from_cache
from lenswidget.model.readout import ROUNDING
from lenswidget.model.run import Run
from lenswidget.model.run_prompt import run
from tests import architectures

TOKENS = [1, 40, 70, 33, 120, 99, 70, 250, 41]

ENCODER_DECODER = "is an encoder-decoder"
SOUND, IMAGES = "reads sound", "reads images"
# architecture → what the refusal says of it
REFUSED = {
    "ASTForAudioClassification": SOUND,
    "BartForConditionalGeneration": ENCODER_DECODER,
    "BertForMaskedLM": "masked-language-model head",
    "BertLMHeadModel": "masked-language-model head",
    "BlenderbotForConditionalGeneration": ENCODER_DECODER,
    "DeepseekV4ForCausalLM": "head that joins several residual streams",
    "DeiTForImageClassification": IMAGES,
    "DeiTModel": IMAGES,
    "Florence2ForConditionalGeneration": ENCODER_DECODER,
    "Gemma3nForConditionalGeneration": "carries several residual streams",
    "HrmTextForCausalLM": "no single stack of blocks but ['L_blocks', 'H_blocks']",
    "HubertForCTC": SOUND,
    "HubertModel": SOUND,
    "LEDForConditionalGeneration": ENCODER_DECODER,
    "LongT5ForConditionalGeneration": ENCODER_DECODER,
    "M2M100ForConditionalGeneration": ENCODER_DECODER,
    "MBartForConditionalGeneration": ENCODER_DECODER,
    "MT5ForConditionalGeneration": ENCODER_DECODER,
    "MarianMTModel": ENCODER_DECODER,
    "ModernBertDecoderForCausalLM": "prediction head",
    "PegasusForConditionalGeneration": ENCODER_DECODER,
    "RobertaForMaskedLM": "masked-language-model head",
    "SwitchTransformersForConditionalGeneration": ENCODER_DECODER,
    "T5ForConditionalGeneration": ENCODER_DECODER,
    "T5Gemma2ForConditionalGeneration": ENCODER_DECODER,
    "T5GemmaForConditionalGeneration": ENCODER_DECODER,
    "T5WithLMHeadModel": ENCODER_DECODER,
    "ViTForImageClassification": IMAGES,
    "ViTModel": IMAGES,
    "Wav2Vec2ForCTC": SOUND,
    "Wav2Vec2ForPreTraining": SOUND,
    "Wav2Vec2Model": SOUND,
}
REMOTE = "its code is with its checkpoint, not in transformers"
OWN_MODULE = "wraps a module that the user brings"
# architecture → why no model of it can be made here
NOT_BUILT = {
    **dict.fromkeys(("BaiChuanForCausalLM", "BaichuanForCausalLM", "BD3LM", "DreamModel", "ExaoneForCausalLM"), REMOTE),
    **dict.fromkeys(("GiddForDiffusionLM", "HyenaDNAForCausalLM", "InternLM2ForCausalLM", "LLaDA2MoeModelLM"), REMOTE),
    **dict.fromkeys(("LLaDAModelLM", "OpenELMForCausalLM", "OuroForCausalLM", "QwenForCausalLM"), REMOTE),
    **dict.fromkeys(("RavenForCausalLM", "RWKV7ForCausalLM"), REMOTE),
    **dict.fromkeys(("GPT2LMHeadCustomModel", "MinGPTForCausalLM", "NanoGPTForCausalLM"), OWN_MODULE),
    **dict.fromkeys(("NeelSoluOldForCausalLM", "TransformerLensPretrain"), OWN_MODULE),
}
NATIVE = "TransformerLensNative"
READ = [name for name in SUPPORTED_ARCHITECTURES if name not in {*REFUSED, *NOT_BUILT, NATIVE}]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Models this small are slower on two."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@dataclass
class Case:
    run: Run
    model: Any
    oracle: Any
    blocks: torch.nn.ModuleList
    """The oracle's own, to be cut off."""


@pytest.fixture(scope="module")
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    name = request.param
    folder = tmp_path_factory.mktemp(name)
    architectures.save(name, folder)
    oracle = architectures.oracle(name, folder)
    model = architectures.boot(folder)
    assert model.cfg.architecture in (name, architectures.ALIASES.get(name))
    return Case(run(model, TOKENS), model, oracle, oracle.get_submodule(model.adapter.component_mapping["blocks"].name))


def says(oracle: Any) -> Tensor:
    with torch.inference_mode():
        return oracle(torch.tensor([TOKENS]), use_cache=False).logits[0].float()


def distance(ours: Tensor, theirs: Tensor) -> float:
    """The largest difference, relative to the spread of the model's logits."""
    return float((ours - theirs).abs().max() / (theirs - theirs.mean(-1, keepdim=True)).abs().max())


@pytest.mark.parametrize("case", READ, indirect=True)
def test_the_last_row_is_the_model(case: Case) -> None:
    assert case.run.check is not None and case.run.check.error <= case.run.check.tolerance
    assert distance(case.run.readout.logits(case.run.residual[-1]), says(case.oracle)) < 1e-4


# architecture → the blocks whose modules don't add up to what the block wrote, so that each is one row
LEFT_WHOLE = {
    "OpenAIGPTLMHeadModel": "L0, L1, L2",  # norms the stream itself, after each addition
    "RecurrentGemmaForCausalLM": "L0, L1, L2",  # TransformerLens mounts none of their modules
    "RwkvForCausalLM": "L0",  # norms the embedding first
    "Zamba2ForCausalLM": "L1",  # a shared transformer within a block
}
WITHOUT_HEADS = {
    "FalconMambaForCausalLM", "JetMoEForCausalLM", "JetMoeForCausalLM", "Mamba2ForCausalLM", "MambaForCausalLM",
    "NemotronHForCausalLM", "OpenAIGPTLMHeadModel", "RecurrentGemmaForCausalLM", "RwkvForCausalLM", "Zamba2ForCausalLM",
}  # fmt: skip


@pytest.mark.parametrize("case", READ, indirect=True)
def test_components_and_heads_sum_to_the_models_own_logit(case: Case) -> None:
    logits = says(case.oracle)
    target = int(logits[-1].argmax())
    architecture = case.model.cfg.architecture
    grids = {"component": attribute(case.run, target)}
    left = [note for note in grids["component"].notes if note.startswith("not taken apart")]
    assert left == [
        f"not taken apart, a row each: {LEFT_WHOLE[architecture]}" for _ in range(architecture in LEFT_WHOLE)
    ]
    if architecture in WITHOUT_HEADS:
        with pytest.raises(ValueError, match="no attention whose heads can be told apart"):
            attribute(case.run, target, unit="head")
    else:
        grids["head"] = attribute(case.run, target, unit="head")
    for unit, grid in grids.items():
        rows = grid.quantities["contribution"].values[:, 0].astype(np.float64)
        size = max(abs(float(logits[-1, target])), np.abs(rows).max())
        assert abs(rows.sum() - float(logits[-1, target])) <= 1e-5 * size, unit
        assert grid.check is not None and grid.check.holds
    if "head" in grids:
        totals = [_by_block(grid, "attn") for grid in grids.values()]
        for row, attention in totals[0].items():
            assert totals[1][row] == pytest.approx(attention, abs=1e-5 * size), row


def _by_block(grid: Grid, part: str) -> dict[str, float]:
    """What attention added in each block: the component, or its heads and bias."""
    sums: dict[str, float] = {}
    for label, value in zip(grid.rows, grid.quantities["contribution"].values[:, 0].tolist()):
        row = re.fullmatch(rf"(L\d+)(H\d+|\.{part}|\.{part} bias)", label)
        if row:
            sums[row[1]] = sums.get(row[1], 0.0) + value
    return sums


@pytest.mark.parametrize("case", READ, indirect=True)
def test_a_row_is_what_the_model_says_when_its_later_blocks_are_cut_off(case: Case) -> None:
    whole = says(case.oracle)
    for row in reversed(range(len(case.blocks))):
        del case.blocks[row:]
        theirs = says(case.oracle)
        assert distance(whole, theirs) > 1e-2, "the blocks do too little for this test to see them"
        assert distance(case.run.readout.logits(case.run.residual[row]), theirs) < 1e-4, row


@pytest.mark.parametrize("architecture", REFUSED)
def test_a_model_that_no_lens_can_read_is_refused_with_the_reason(architecture: str, tmp_path: Any) -> None:
    architectures.save(architecture, tmp_path)
    model = architectures.boot(tmp_path)
    with pytest.raises(ValueError) as refusal:
        run(model, TOKENS)
    assert architecture in str(refusal.value)
    assert REFUSED[architecture] in str(refusal.value)


@pytest.mark.skipif(Version(version("transformer_lens")) < Version("4.3"), reason="older ones have fewer")
def test_the_tables_name_nothing_that_transformer_lens_does_not_support() -> None:
    tables = {*REFUSED, *NOT_BUILT, *architectures.NEEDS, *architectures.ALIASES, NATIVE}
    assert tables <= set(SUPPORTED_ARCHITECTURES)


@pytest.mark.parametrize("norm", ["LN", "RMS", "LNPre", None])
def test_transformer_lenses_own_model_is_read(norm: str | None, tmp_path: Any) -> None:
    config = TransformerBridgeConfig(
        d_model=32, d_head=8, n_heads=4, n_layers=3, n_ctx=64, d_vocab=architectures.VOCABULARY, act_fn="gelu",
        normalization_type=norm, output_logits_soft_cap=2.0, architecture=NATIVE,
    )  # fmt: skip
    torch.manual_seed(0)
    oracle = NativeModel(config).eval()
    with torch.no_grad():
        for parameter in oracle.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.3)
    architectures.tokenizer().save_pretrained(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    model = build_bridge_from_module(copy.deepcopy(oracle), NATIVE, tl_config=config, tokenizer=tokenizer).eval()
    reading = run(model, TOKENS)
    for row in reversed(range(4)):
        del oracle.layers[row:]
        with torch.inference_mode():
            theirs = oracle(torch.tensor([TOKENS]))[0]
        assert distance(reading.readout.logits(reading.residual[row]), theirs) < 1e-4, row


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=["bfloat16", "float16"])
@pytest.mark.parametrize("architecture", ["GPT2LMHeadModel", "LlamaForCausalLM", "Gemma2ForCausalLM"])
def test_half_precision_is_read_to_rounding(architecture: str, dtype: torch.dtype, tmp_path: Any) -> None:
    architectures.save(architecture, tmp_path)
    reading = run(architectures.boot(tmp_path, dtype), TOKENS)
    assert reading.residual.dtype == dtype
    theirs = says(architectures.oracle(architecture, tmp_path, dtype))
    assert distance(reading.readout.logits(reading.residual[-1]), theirs) < ROUNDING[dtype]


@pytest.mark.parametrize("architecture", ["GPT2LMHeadModel", "CohereForCausalLM", "GPTNeoXForCausalLM"])
def test_processed_weights_give_every_row_the_same_probabilities(architecture: str, tmp_path: Any) -> None:
    architectures.save(architecture, tmp_path)
    raw = run(architectures.boot(tmp_path), TOKENS)
    model = architectures.boot(tmp_path)
    model.enable_compatibility_mode(disable_warnings=True)
    processed = run(model, TOKENS)
    assert any("weights processed" in note for note in processed.notes)
    assert not any("weights processed" in note for note in raw.notes)
    ours, theirs = (r.readout.logits(r.residual).log_softmax(-1) for r in (processed, raw))
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def test_rows_of_the_unembedding_that_no_token_owns_are_named_padding(tmp_path: Any) -> None:
    architectures.save("LlamaForCausalLM", tmp_path)
    reading = run(architectures.boot(tmp_path), TOKENS)
    tokens = len(architectures.tokenizer())
    assert tokens < reading.readout.vocabulary == architectures.VOCABULARY
    grid = logit_lens(reading, k=architectures.VOCABULARY)
    assert grid.texts[tokens - 1] != f"<padding {tokens - 1}>"
    assert grid.texts[tokens] == f"<padding {tokens}>"


def test_a_text_is_read_as_transformer_lens_splits_it(tmp_path: Any) -> None:
    architectures.save("LlamaForCausalLM", tmp_path)
    model = architectures.boot(tmp_path)
    reading = run(model, "The capital")
    assert torch.equal(reading.tokens, model.to_tokens("The capital")[0])
    assert reading.prompt == "The capital"


@pytest.mark.parametrize("architecture", ["MuseGlimmerForConditionalGeneration", "OpenAIGPTLMHeadModel"])
def test_a_whole_cache_is_read_as_a_run_is(architecture: str, tmp_path: Any) -> None:
    architectures.save(architecture, tmp_path)
    model = architectures.boot(tmp_path)
    with torch.inference_mode():
        logits, cache = model.run_with_cache(torch.tensor([TOKENS]))
    reading = run(model, TOKENS)
    assert torch.equal(from_cache(cache, logits=logits).residual, reading.residual)
    # what the unembedding wrote is cached before the scale and the soft-cap of this model
    assert from_cache(cache).check == reading.check


def test_a_narrower_embedding_is_refused(tmp_path: Any) -> None:
    architectures.save("OPTForCausalLM", tmp_path, word_embed_proj_dim=16, do_layer_norm_before=False)
    with pytest.raises(ValueError, match="OPTForCausalLM has a projection to another width"):
        run(architectures.boot(tmp_path), TOKENS)


def test_a_model_that_runs_its_blocks_over_again_is_refused(tmp_path: Any) -> None:
    architectures.save("LlamaForCausalLM", tmp_path)
    model = architectures.boot(tmp_path)
    model.cfg.total_ut_steps = 4  # as Ouro's config has it
    with pytest.raises(ValueError, match="runs its stack of blocks 4 times over"):
        run(model, TOKENS)


def test_a_model_that_changes_its_logits_unannounced_is_refused(tmp_path: Any) -> None:
    architectures.save("LlamaForCausalLM", tmp_path)
    model = architectures.boot(tmp_path)
    model.unembed.original_component.register_forward_hook(lambda module, inputs, output: output + output.roll(1, -1))
    with pytest.raises(ValueError, match="The last row is not the model"):
        run(model, TOKENS)
