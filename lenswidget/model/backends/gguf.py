"""GGUF files, in which models travel with their weights in few bits, made into folders that transformers reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def convert_gguf(file: Path, folder: Path) -> None:
    """Write the model and tokenizer of a GGUF file to a folder, weights in float32.

    The file holds 4-bit blocks with half-precision scales; what they stand for is exact in float32.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    model: Any = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
    # the weights are plain numbers now; transformers still calls them quantised and won't save them
    model.hf_quantizer = None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
