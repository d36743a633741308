"""A small random model of every architecture: saved to a folder, booted by TransformerLens, loaded by Hugging Face.

One table gives every size a config may ask for, another what single configs need besides; the builder is the same for
all. Whatever a readout could forget is made large enough to be missed: gains, biases, logit scales and soft-caps.
"""

from __future__ import annotations

import functools
import json
from dataclasses import fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch
import transformers
from packaging.requirements import Requirement
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformer_lens.factories.architecture_adapter_factory import SUPPORTED_ARCHITECTURES
from transformer_lens.model_bridge import TransformerBridge

transformers.utils.logging.disable_progress_bar()

VOCABULARY = 288
"""Rows of the unembedding. The tokenizer has 259 tokens: the rest are padding."""

# Names that Hugging Face's configs use for a size; a config is given those it has.
SMALL: dict[str, Any] = {
    **dict.fromkeys(("hidden_size", "n_embd", "d_model", "word_embed_proj_dim", "embed_dim", "out_hidden_size"), 32),
    **dict.fromkeys(("num_hidden_layers", "n_layers", "num_layers"), 3),
    **dict.fromkeys(("encoder_layers", "decoder_layers", "num_decoder_layers"), 2),
    **dict.fromkeys(("num_attention_heads", "num_heads", "n_heads", "attention_heads", "mamba_n_heads"), 4),
    **dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads", "linear_num_value_heads"), 4),
    **dict.fromkeys(("num_key_value_heads", "linear_num_key_heads", "num_experts_per_tok"), 2),
    **dict.fromkeys(("intermediate_size", "d_ff", "ffn_dim", "encoder_ffn_dim", "decoder_ffn_dim"), 48),
    **dict.fromkeys(("moe_intermediate_size", "shared_expert_intermediate_size", "shared_intermediate_size"), 16),
    **dict.fromkeys(("mamba_d_head", "moe_shared_expert_intermediate_size"), 16),
    **dict.fromkeys(("num_experts", "n_routed_experts", "num_local_experts", "moe_num_experts"), 4),
    **dict.fromkeys(("head_dim", "d_kv", "qk_nope_head_dim", "v_head_dim", "kv_lora_rank", "q_lora_rank"), 8),
    **dict.fromkeys(("linear_key_head_dim", "linear_value_head_dim", "mamba_d_state", "state_size"), 8),
    **dict.fromkeys(("chunk_size", "mamba_chunk_size"), 8),
    **dict.fromkeys(("qk_rope_head_dim", "rotary_dim", "mamba_dt_rank"), 4),
    **dict.fromkeys(("max_position_embeddings", "n_positions"), 64),
    **dict.fromkeys(("n_group", "topk_group"), 1),
    "vocab_size": VOCABULARY,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    # wide weights, so that rows differ, and what follows the unembedding far from doing nothing
    "initializer_range": 0.15,
    "logits_scaling": 3.0,
    "logit_scale": 0.37,
    "residual_multiplier": 0.6,
    "embedding_multiplier": 1.9,
    "lm_head_multiplier": 0.7,
    "output_multiplier": 1.7,
    "final_logit_softcapping": 5.0,
    "logits_soft_cap": 5.0,
}
# An encoder of images or sound is never run: one layer of it is enough.
ENCODER: dict[str, Any] = {
    **dict.fromkeys(("hidden_size", "d_model", "embed_dim", "out_hidden_size", "vision_output_dim"), 32),
    **dict.fromkeys(("projector_input_dim", "projector_output_dim"), 32),
    **dict.fromkeys(("num_hidden_layers", "encoder_layers", "depth", "mlp_ratio"), 1),
    **dict.fromkeys(("num_attention_heads", "num_key_value_heads", "num_heads", "encoder_attention_heads"), 4),
    **dict.fromkeys(("intermediate_size", "encoder_ffn_dim"), 48),
    "head_dim": 8,
    "image_size": 28,
    "patch_size": 14,
}

HYBRID = {"layer_types": ["linear_attention", "full_attention", "linear_attention"]}
MAMBA = {"layer_types": ["mamba", "attention", "mamba"]}
LATENT = {"head_dim": 4, "num_key_value_heads": 4}
MROPE = {"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [1, 1, 2]}}
GEMMA_4 = {
    "layer_types": ["sliding_attention", "full_attention", "full_attention"],
    "hidden_size_per_layer_input": 8,
    "vocab_size_per_layer_input": VOCABULARY,
    "global_head_dim": 8,
    "num_global_key_value_heads": 2,
}
# What single configs need besides. None leaves a name out.
OVERRIDES: dict[str, dict[str, Any]] = {
    "BambaConfig": {"attn_layer_indices": [1]},
    "DeepseekV2Config": LATENT,
    "DeepseekV3Config": LATENT,
    "Emu3Config": {"vocabulary_map": {"<image>": 9, "<|extra_200|>": 10}},
    "Emu3VQVAEConfig": {"base_channels": 32, "channel_multiplier": [1], "codebook_size": 32, "num_attention_heads": 1},
    "FalconConfig": {"head_dim": None},
    "FalconH1Config": {"mamba_d_ssm": 64},
    "Florence2VisionConfig": {
        **{name: [4] for name in ("embed_dim", "num_heads", "num_groups")},
        **{name: [1] for name in ("depths", "patch_size", "patch_stride", "patch_padding")},
        "patch_prenorm": [False],
        "projection_dim": 32,
    },
    "Gemma3nTextConfig": {
        "layer_types": ["full_attention"] * 3,
        "num_kv_shared_layers": 0,
        "activation_sparsity_pattern": None,
        "hidden_size_per_layer_input": 8,
        "vocab_size_per_layer_input": VOCABULARY,
        "laurel_rank": 8,
    },
    # Hugging Face's model of images and text does not apply the soft-cap that its config can hold
    "Gemma3Config": {"text_config": {"final_logit_softcapping": None}},
    "Gemma4TextConfig": GEMMA_4,
    "Gemma4UnifiedTextConfig": GEMMA_4,
    "Glm4MoeLiteConfig": LATENT,
    "Glm4vTextConfig": MROPE,
    "GlmMoeDsaConfig": LATENT,
    "GPTNeoConfig": {"attention_types": [[["global", "local", "global"], 1]]},
    "GraniteMoeHybridConfig": {**MAMBA, "position_embedding_type": "rope"},
    "HrmTextConfig": {"num_layers_per_stack": 2},
    "JambaConfig": {"attn_layer_period": 2, "attn_layer_offset": 1},
    "Lfm2MoeConfig": {"layer_types": ["conv", "full_attention", "conv"]},
    "Mamba2Config": {"head_dim": 16, "n_groups": 1},
    "MuseGlimmerConfig": {"projector_hidden_size": 32, "out_hidden_size": 32},
    "NemotronHConfig": {"mamba_num_heads": 4, "mamba_head_dim": 16, "ssm_state_size": 8, "n_groups": 1},
    "Qwen2_5_VLTextConfig": MROPE,
    "Qwen3NextConfig": HYBRID,
    "Qwen3_5TextConfig": HYBRID,
    "Qwen3_5MoeTextConfig": HYBRID,
    "YoutuConfig": LATENT,
    "Zamba2Config": {"layers_block_type": ["mamba", "hybrid", "mamba"]},
}
# Registry names of checkpoints that Hugging Face loads with a class of another name.
ALIASES = {
    "BloomModel": "BloomForCausalLM",
    "Gemma1ForCausalLM": "GemmaForCausalLM",
    "JetMoEForCausalLM": "JetMoeForCausalLM",
    "MPTForCausalLM": "MptForCausalLM",
    "NeoForCausalLM": "GPTNeoForCausalLM",
    "NeoXForCausalLM": "GPTNeoXForCausalLM",
    "PhiMoEForCausalLM": "PhimoeForCausalLM",
    "T5WithLMHeadModel": "T5ForConditionalGeneration",
}


# architecture → a package that it can't be loaded without, or is something else with: its bridge is not Hugging Face's model
NEEDS = {
    "AudioFlamingo3ForConditionalGeneration": "transformers>=5.10",
    "Cohere2ForCausalLM": "transformer_lens>=4.2",
    "CohereForCausalLM": "transformer_lens>=4.2",
    "Gemma3nForConditionalGeneration": "timm",
    "Gemma4UnifiedForConditionalGeneration": "transformers>=5.10",
    "GlmAsrForConditionalGeneration": "transformers>=5.10",
    "GlmMoeDsaForCausalLM": "transformers>=5.11",
    "GraniteMoeForCausalLM": "transformers>=5.13",
    "GraniteMoeHybridForCausalLM": "transformers>=5.13",
    "HunYuanDenseV1ForCausalLM": "transformer_lens>=4.2",
    "JambaForCausalLM": "transformers>=5.13",
    "MuseGlimmerForConditionalGeneration": "transformers>=5.15",
    "MusicFlamingoForConditionalGeneration": "transformers>=5.10",
    "Qwen2AudioForConditionalGeneration": "transformers>=5.10",
    "Glm4vForConditionalGeneration": "torchvision",
    "Qwen2_5_VLForConditionalGeneration": "torchvision",
    "Qwen3VLForConditionalGeneration": "torchvision",
    "Qwen3VLMoeForConditionalGeneration": "torchvision",
    "Qwen3_5ForConditionalGeneration": "torchvision",
    "Qwen3_5MoeForConditionalGeneration": "torchvision",
}


@functools.cache
def tokenizer() -> Any:
    """One token a byte, and three special ones."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {text: i for i, text in enumerate(["<pad>", "<s>", "</s>", *alphabet])}
    fast = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    fast.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    fast.decoder = decoders.ByteLevel()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=fast, pad_token="<pad>", bos_token="<s>", eos_token="</s>"
    )


def hugging_face_class(architecture: str) -> Any:
    """The class of Hugging Face that holds an architecture, or None."""
    return getattr(transformers, ALIASES.get(architecture, architecture), None)


def small_config(kind: Any, sizes: dict[str, Any], extra: dict[str, Any] | None = None) -> Any:
    """A config with small sizes in every part of it."""
    chosen = {**sizes, **OVERRIDES.get(kind.__name__, {}), **(extra or {})}
    default = kind()
    parts = {}
    for name in kind.sub_configs:
        part = getattr(default, name, None)
        if part is not None:
            reads_text = name in ("text_config", "encoder", "decoder")
            parts[name] = small_config(type(part), SMALL if reads_text else ENCODER, chosen.pop(name, None))
    aliases = kind.attribute_map
    known = {field.name for field in fields(kind)} | set(aliases)
    # where both an alias and what it stands for are in the table, one of them is enough
    given = {
        name: value
        for name, value in chosen.items()
        if name in known and value is not None and not (name in aliases and aliases[name] in chosen)
    }
    return kind(**given, **parts)


def require(architecture: str) -> None:
    """Skip a test of an architecture that the installed packages don't have, or have otherwise."""
    if architecture not in SUPPORTED_ARCHITECTURES:
        pytest.skip(f"TransformerLens {version('transformer_lens')} does not have it")
    needed = Requirement(NEEDS.get(architecture, "torch"))
    try:
        there = needed.specifier.contains(version(needed.name))
    except PackageNotFoundError:
        there = False
    if not there:
        pytest.skip(f"{architecture} can't be read without {needed}")


def save(architecture: str, folder: Path, **extra: Any) -> None:
    """Write a small random model of an architecture, with a tokenizer. `extra` goes into its config."""
    require(architecture)
    kind = hugging_face_class(architecture)
    torch.manual_seed(0)
    model = kind(small_config(kind.config_class, SMALL, extra))
    noise = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(torch.randn(parameter.shape, generator=noise), alpha=0.3)
        head = model.get_output_embeddings()
        if head is not None:
            head.weight.mul_(4)
    model.save_pretrained(folder)
    if architecture == "SwitchTransformersForConditionalGeneration":
        torch.save(model.state_dict(), folder / "pytorch_model.bin")  # the only file that TransformerLens takes of it
    written = folder / "config.json"
    written.write_text(json.dumps({**json.loads(written.read_text()), "architectures": [architecture]}))
    tokenizer().save_pretrained(folder)


def boot(folder: Path, dtype: torch.dtype = torch.float32) -> TransformerBridge:
    """The saved model, in TransformerLens."""
    # asked for a model of images, TransformerLens would install torchvision, and with it another torch
    with mock.patch("subprocess.check_call", side_effect=OSError("nothing is installed while tests run")):
        return TransformerBridge.boot_transformers(str(folder), device="cpu", dtype=dtype)


def oracle(architecture: str, folder: Path, dtype: torch.dtype = torch.float32) -> Any:
    """The saved model, in Hugging Face alone."""
    return hugging_face_class(architecture).from_pretrained(folder, dtype=dtype).eval()
