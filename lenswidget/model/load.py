"""load(): the embedded model, or anything that TransformerLens boots."""

from __future__ import annotations

import os
from typing import Any

import torch

from lenswidget.model.backends.transformer_lens import boot
from lenswidget.model.embedded import EMBEDDED, embedded_folder


def load(
    name: str | os.PathLike[str] = EMBEDDED, *, device: str | None = None, dtype: torch.dtype | None = None
) -> Any:
    """A TransformerLens `TransformerBridge`, ready to run.

    `name` is `"smollm2-135m"`, the embedded model (SmolLM2-135M-Instruct, Apache-2.0), or whatever
    `TransformerBridge.boot_transformers` takes: a name on the Hub, as in `load("gpt2")`, or a local folder. The embedded
    model is fetched once, 93 MB, and kept in the user's cache directory; from then on no network is needed. `device`
    and `dtype` are TransformerLens's own; by default its choice of device, and float32.

    Raises OSError where the embedded model is neither cached nor to be fetched, ValueError where what came is damaged.

        model = lw.load()
    """
    embedded = os.fspath(name) == EMBEDDED
    source = str(embedded_folder() if embedded else name)
    # Of the embedded model, its own tokenizer adds nothing before a text, and with the BOS that TransformerLens would add the
    # model knows less: "The Eiffel Tower is located in the city of" → " Paris" falls from 0.70 to 0.30.
    return boot(source, device=device, dtype=dtype or torch.float32, bos=None if not embedded else False)
