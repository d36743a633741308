"""A model of nnsight's: what travels from a server for a Grid of 31 × 10, beside the rows themselves; and how long a reading
takes in a trace, beside a run here. The trace is nnsight's own, in this process, with the functions that a server is sent.

`pip install lenswidget[nnsight]`.
"""

from __future__ import annotations

import io
from typing import Any
from unittest import mock

import nnsight
import torch
import zstandard
from nnsight.modeling.huggingface import _ID_CACHE
from transformers import AutoModelForCausalLM, AutoTokenizer

import lenswidget as lw
from bench.timing import median
from lenswidget.model.backends import nnsight_server
from lenswidget.model.embedded import embedded_folder
from lenswidget.model.remote_run import RemoteRun

PROMPT = "The Eiffel Tower is located in the city of"


def main() -> None:
    lw.load(device="cpu")  # fetches it where it isn't there
    folder = str(embedded_folder())
    _ID_CACHE[folder] = "embedded"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    wrapped = nnsight.TransformersModel(
        AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval(),
        task="text-generation",
        tokenizer=tokenizer,
    )
    wrapped.repo_id = folder
    ids = torch.tensor(tokenizer(PROMPT)["input_ids"])
    answers: list[Any] = []

    def at_once(what: object, send: Any, host: str) -> Any:
        answers.append(send())
        return answers[-1]

    with mock.patch.object(nnsight_server, "answered", at_once):
        backend = nnsight_server.ServedBackend(wrapped, False)
        traced = lw.logit_lens(RemoteRun(backend, ids))
        here = lw.run(plain, ids, tokenizer=tokenizer)
        grid = lw.logit_lens(here)
        same = all(
            abs(traced.values(name) - grid.values(name))[:, : len(ids) - 1].max() < 2e-3 for name in grid.quantities
        )
        print(f"{grid.shape[0]} × {grid.shape[1]} cells through a trace of nnsight, beside lw.logit_lens")
        print(
            f"  candidates equal {bool((traced.candidates.ids == grid.candidates.ids).all())}, figures within 2e-3 {same}"
        )  # type: ignore[union-attr]
        buffer = io.BytesIO()
        torch.save({"found": answers[0]}, buffer)
        answer = len(zstandard.ZstdCompressor().compress(buffer.getvalue()))
        rows = here.residual.numel() * here.residual.element_size()
        print(f"  the answer       {answer:9,} B")
        print(f"  the rows         {rows:9,} B ({answer / rows:.2f} of it is the answer)")
        print(f"  all logits       {here.readout.vocabulary * grid.shape[0] * grid.shape[1] * 4:9,} B")
        ours = median(lambda: lw.logit_lens(RemoteRun(backend, ids)))
        direct = median(lambda: lw.logit_lens(lw.run(plain, ids, tokenizer=tokenizer)))
        print(f"  in a trace       {ours * 1e3:9,.0f} ms ({ours / direct:.2f} of a run here)")
        print(f"  lw.run, lens     {direct * 1e3:9,.0f} ms")


if __name__ == "__main__":
    main()
