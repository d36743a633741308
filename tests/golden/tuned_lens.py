"""Writes tests/golden/tuned-lens/ with the tuned-lens library 0.2.0 itself: `python -m tests.golden.tuned_lens`.

A folder as `TunedLens.save` writes it, for a small Llama whose unembedding is a sine; and what its translators make of
some hidden states. That library needs packages older than ours, but of it only `tuned_lens.nn` is used:
`pip install --no-deps --target somewhere tuned-lens==0.2.0`, then put `somewhere` on PYTHONPATH.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch

HERE = Path(__file__).parent / "tuned-lens"
LAYERS, WIDTH, VOCABULARY = 3, 8, 150


def unembedding() -> torch.Tensor:
    """`[vocabulary, d]`, the same on every machine, and large enough for numpy to print only its corners."""
    return torch.sin(torch.arange(VOCABULARY * WIDTH, dtype=torch.float64)).float().view(VOCABULARY, WIDTH)


def main() -> None:
    import transformers
    from tuned_lens import TunedLens, model_surgery

    # it looks for a class that today's TransformerLens no longer has
    model_surgery._transformer_lens_available = False

    config = transformers.LlamaConfig(
        hidden_size=WIDTH,
        intermediate_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=1,
        vocab_size=VOCABULARY,
        name_or_path="a-small-llama",
    )
    model = transformers.LlamaForCausalLM(config)
    model.lm_head.weight.data = unembedding()
    lens = TunedLens.from_model(model, model_revision="main")
    generator = torch.Generator().manual_seed(0)
    for parameter in lens.layer_translators.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator) / 4
    lens.save(HERE)
    hidden = torch.randn(LAYERS, 5, WIDTH, generator=generator)
    with torch.no_grad():
        moved = [lens.transform_hidden(h, i).tolist() for i, h in enumerate(hidden)]
    (HERE / "expected.json").write_text(json.dumps({"hidden": hidden.tolist(), "moved": moved}) + "\n")


if __name__ == "__main__":
    main()
