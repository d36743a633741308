"""What a run was made by, and the calls that make a Grid of it again: what every file of a Grid says."""

from __future__ import annotations

import importlib.metadata
from typing import Any

from lenswidget.grids.parts import Target
from lenswidget.model.edits import provenance_of
from lenswidget.model.run import Run


def made_by(run: Run, call: str = "") -> dict[str, str]:
    """Where a Grid of a run came from, by name: the version, the prompt, the model's weights and revision, what was changed while
    it ran, and the `call` that makes it again, where it is known."""
    hooks = () if run.activations is None else run.activations.hooks
    known = {
        "lenswidget": importlib.metadata.version("lenswidget"),
        "prompt": run.prompt,
        "weights": run.weights.digest,
        "revision": "" if run.backend is None else run.backend.facts.revision,
        **provenance_of(run.edits),
        "hooks": ", ".join(hooks),
        "call": call,
    }
    return {name: value for name, value in known.items() if value}


def run_call(run: Run) -> str:
    """The call that makes a run again, with `model` for its model: the prompt as a text where that has the same tokens."""
    ids = run.tokens.tolist()
    edits = ", ".join(edit.code for edit in run.edits)
    prompt = repr(run.prompt if _is_text(run, ids) else ids)
    return call("lw.run", "model", prompt, edits=f"[{edits}]" if edits else "", remote=unless(run.remote, False))


def _is_text(run: Run, ids: list[int]) -> bool:
    """Whether the prompt, as a text, has just these tokens."""
    backend = run.backend
    if backend is None or backend.tokenizer is None:
        return False
    try:
        return bool(backend.encode(run.prompt).tolist() == ids)
    except Exception:  # a tokenizer of eleven symbols has no way back for what it puts between them
        return False


def call(function: str, *given: str, **named: str) -> str:
    """A call as Python writes it, of what is spelled already; what is empty is left out."""
    return f"{function}({', '.join([*filter(None, given), *(f'{name}={value}' for name, value in named.items() if value)])})"


def unless(value: Any, usual: Any) -> str:
    """An argument as Python writes it, or nothing where it is the usual one."""
    return "" if value == usual else repr(value)


def token_call(run: Run, target: Target) -> str:
    """A target as an argument: its text where that names it, its id where it doesn't; a tuple of several."""
    spelled = [repr(run.texts[i]) if run.texts.ids(run.texts[i]) == [i] else str(i) for i in target.ids]
    return spelled[0] if len(spelled) == 1 else f"({', '.join(spelled)})"
