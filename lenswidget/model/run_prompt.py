"""run(): a prompt through a model, wherever that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lenswidget.model.backends import backend_of
from lenswidget.model.edits import Edit
from lenswidget.model.prompts import Prompt
from lenswidget.model.remote_run import run_elsewhere
from lenswidget.model.run import Run, run_watched


def run(
    model: object,
    prompt: Prompt,
    *,
    tokenizer: Any = None,
    edits: Edit | Sequence[Edit] = (),
    remote: bool | str = False,
) -> Run:
    """Run a model on one prompt and keep its residual stream.

    `model` is a TransformerLens `TransformerBridge`, the `HookedTransformer` of its versions before 4.0, or a model of
    `transformers` as it is, adapters and quantised blocks included, also one that nnsight wraps. `prompt` is a text; its
    token ids, `[positions]`, or what a tokenizer returned for it; or the messages of a chat, `[{"role": "user", "content":
    "Hello"}]`, which go through the tokenizer's own template up to where the model is to answer. A text is tokenized as the
    library does by default: as `model.to_tokens(text)` of TransformerLens, which adds a beginning-of-sequence token to
    most, and as `tokenizer(text)` for a model of `transformers`.

    `tokenizer` is for a model of `transformers`, and remembered for it. Without one, the tokenizer beside the files that the
    model was loaded from is taken; where there is none, prompts are ids, and tokens are shown as their ids.

    `edits` are `lw.Edit`s, what is put in the place of activations, one after another. The run is one like any other:
    lenses, attribution and jumps read it under its edits, and say them.

    `remote=True` runs a model of nnsight's on a server of NDIF's, or the address of one, and none of its weights are needed here.
    Every lens reads such a run, each question a job there; what comes back is what a Grid shows, and no logits. A job that isn't
    answered goes on, and the same call waits for it further. Attribution, edits and sweeps need the weights here.

    Raises TypeError for an object that is no model, and ValueError for a prompt that is empty or longer than the model's
    context, for ids outside its vocabulary, for a model in training mode, and for a model that no lens can read, with
    the reason; with `remote`, ConnectionError, PermissionError, TimeoutError and RuntimeError for what a network, a key, a queue
    and a server can do.

        run = lw.run(model, "The capital of France is")
        run = lw.run(AutoModelForCausalLM.from_pretrained(name), "The capital of France is", tokenizer=tokenizer)
        without = lw.run(model, "The capital of France is", edits=[lw.Edit("L23H4", to=0, position=-1)])
    """
    if remote:
        return run_elsewhere(model, prompt, tokenizer=tokenizer, edits=edits, remote=remote)
    return run_watched(backend_of(model, tokenizer=tokenizer), prompt, edits=edits)


def runs(model: object, prompts: Sequence[Prompt], *, tokenizer: Any = None) -> list[Run]:
    """Run a model on several prompts, one at a time: nothing is padded, so no position shifts.

    `prompts` are what `run` takes, one each, and `tokenizer` is `run`'s, too. Raises TypeError for a single text, and what
    `run` raises for any of them.

        runs = lw.runs(model, ["Mary gave John", "John gave Mary"])
    """
    if isinstance(prompts, str):
        raise TypeError(f"runs() takes a list of prompts and got one, {prompts!r}; call run(model, prompt) for it.")
    return [run(model, prompt, tokenizer=tokenizer) for prompt in prompts]
