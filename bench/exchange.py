"""Lenses exchanged with the tuned-lens library 0.2.0, both ways, on the embedded model: the largest differences of logits.

That library asks for packages that don't install beside today's TransformerLens; the half of it that is needed here
imports none of them: `pip install --no-deps --target somewhere tuned-lens==0.2.0`, and `somewhere` on PYTHONPATH.
"""

from __future__ import annotations

import importlib.util
import logging
import tempfile
from pathlib import Path

import torch
import transformers

import lenswidget as lw
from lenswidget.model.embedded import embedded_folder

TEXT = "The history of science is the study of the development of science and scientific knowledge."


def main() -> None:
    if importlib.util.find_spec("tuned_lens") is None:
        print("exchange: the tuned-lens library is not here; bench/exchange.py says how to get it")
        return
    from tuned_lens import TunedLens, model_surgery

    # it looks for a class that today's TransformerLens no longer has
    model_surgery._transformer_lens_available = False

    theirs_model = transformers.AutoModelForCausalLM.from_pretrained(embedded_folder(), dtype=torch.float32).eval()
    run = lw.run(lw.load(device="cpu"), TEXT)
    with torch.inference_mode():
        hidden = theirs_model(run.tokens.unsqueeze(0), output_hidden_states=True).hidden_states[:-1]
    written = TunedLens.from_model(theirs_model)
    generator = torch.Generator().manual_seed(0)
    for parameter in written.layer_translators.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator) / 100
    warnings: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: warnings.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    with tempfile.TemporaryDirectory() as place:
        written.save(Path(place, "theirs"))
        ours = lw.load_lens(Path(place, "theirs"))
        ours.require(run)
        ours.to_tuned_lens(Path(place, "ours"))
        read_again = TunedLens.from_model_and_pretrained(theirs_model, str(Path(place, "ours")))
    print(f"exchange with the tuned-lens library, {len(hidden)} rows × {len(run.tokens)} positions, max |Δ logit|")
    print(f"  a folder that it wrote, read here      {difference(written, ours, run, hidden):.1e}")
    print(f"  a folder written here, read by it      {difference(read_again, ours, run, hidden):.1e}")
    print(f"  what it said                           {'; '.join(warnings) or 'nothing'}")


@torch.no_grad()
def difference(theirs: torch.nn.Module, ours: lw.Lens, run: lw.Run, hidden: tuple[torch.Tensor, ...]) -> float:
    """Between its logits, from Hugging Face's hidden states, and ours, from the run's rows."""
    rows = enumerate(zip(hidden, run.residual))
    return max(
        float((theirs(h[0], i) - run.readout.logits(ours.move(residual, i))).abs().max()) for i, (h, residual) in rows
    )


if __name__ == "__main__":
    main()
