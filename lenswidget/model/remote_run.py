"""A run whose model lies elsewhere: it knows what its rows said, and asks for more where they are.

What travels is what a picture shows. Rows travel only where something here is to move them, and logits never do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, NoReturn

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.grids.parts import Check
from lenswidget.model.activations import Activations
from lenswidget.model.backends.nnsight_server import ServedBackend
from lenswidget.model.final_norm import FinalNorm
from lenswidget.model.prompts import Prompt, tokenize
from lenswidget.model.reading import Reading, assembled
from lenswidget.model.readout import ROUNDING, Readout
from lenswidget.model.run import Run, model_notes
from lenswidget.model.tokens import texts_of
from lenswidget.model.weights import Weights

FIRST = {"k": 10, "targets": (), "jensen_shannon": False, "total_variation": False}
"""What is read while the prompt runs: what `lw.logit_lens(run)` asks for."""
COLUMNS = {field.name for field in fields(Reading)} | {"sizes"}
"""What is said of columns, by name."""


@dataclass(frozen=True, eq=False)  # tensors have no one answer to ==
class ReadoutThere(Readout):
    """A readout whose unembedding lies elsewhere: it knows its shape and fetches columns of it. What needs all of it here says
    so."""

    served: ServedBackend | None = None

    def columns(self, ids: Sequence[int]) -> tuple[Float[Tensor, "d n"], Float[Tensor, "n"]]:
        assert self.served is not None
        return self.served.columns(torch.tensor(list(ids)))

    def _nothing(self, *_: Any, **__: Any) -> NoReturn:
        raise ValueError(
            "This needs logits or the unembedding, which stay where the model lies. Read the run there, "
            "lw.read(run, lens) or lw.logit_lens(run), or load the weights here and leave remote= out: lw.run(model, prompt)."
        )

    logits = direction_of = extremes = error = responses = read = divergence = _nothing


class RemoteRun(Run):
    """One prompt, run where its model lies. Every lens reads it; attribution and sweeps need the weights here.

    The logit lens is read there, one job a question. For a lens that moves rows, `residual`, `[L + 1, T, d]`, is fetched once;
    they are moved here and read there.
    """

    served: ServedBackend
    dtype: torch.dtype
    """That of its rows."""
    known: dict[str, dict[str, Tensor]]
    """What was read already, by what was asked."""
    all_following: Int[Tensor, "positions"]

    def __init__(self, backend: ServedBackend, tokens: Int[Tensor, "positions"]) -> None:
        texts = texts_of(backend)
        self._keep(served=backend, tokens=tokens, texts=texts, model=backend.facts.name, remote=backend.remote)
        self._keep(known={}, edits=(), activations=None, processing="")
        self._keep(prompt=texts.decode([int(i) for i in tokens if int(i) not in texts.special]))
        width, vocabulary = backend.facts.width, backend._anatomy.vocabulary
        how, everything = backend.how, torch.arange(len(tokens))
        following = torch.cat([tokens[1:], tokens.new_full((1,), -1)])
        self._keep(all_following=following.masked_fill(following >= vocabulary, -1))
        found = backend.read_pass(tokens, self._question(everything, FIRST))
        norm = FinalNorm(found.get("gain"), found.get("norm bias"), how["eps"], how["centered"])
        W_U = torch.empty(width, vocabulary, device="meta", dtype=found["weight dtype"].dtype)
        self._keep(
            dtype=found["row dtype"].dtype, readout=ReadoutThere(norm, W_U, None, how["scale"], how["cap"], backend)
        )
        error, spread = found["off"].tolist()
        rounding = max(ROUNDING[dtype] for dtype in (self.dtype, W_U.dtype, found["logit dtype"].dtype))
        check = Check(error, rounding * max(spread, 1e-6))
        if error > check.tolerance:
            raise ValueError(
                f"The last row is not the model: read through its final norm and unembedding where it lies, it differs from "
                f"{self.model}'s own logits by up to {error:.3g} where rounding explains {check.tolerance:.2g}. Either "
                f"{backend.facts.architecture} changes the stream between its last block and its logits in a way that no lens "
                f"here reproduces, or {backend.host} runs another version of it."
            )
        ill = int(found["ill"])
        rows = backend.facts.layers + 1
        notes = [f"{ill} of {rows * len(tokens)} residual vectors are not finite"] if ill else []
        notes += [*model_notes(backend, self.dtype), f"read where the model lies, on {backend.host}"]
        self._keep(check=check, weights=Weights(found["unembedding"], ""), notes=tuple(notes))
        self.known[_spelled(everything, FIRST)] = _of_columns(found)

    def _keep(self, **values: Any) -> None:
        vars(self).update(values)  # a Run is frozen

    @property
    def labels(self) -> tuple[str, ...]:
        return ("embed", *(f"L{layer}" for layer in range(self.served.facts.layers)))

    @property
    def following(self) -> Int[Tensor, "positions"]:
        return self.all_following

    @property
    def rounding(self) -> float:
        return max(ROUNDING[dtype] for dtype in (self.dtype, self.readout.W_U.dtype))

    @property
    def backend(self) -> ServedBackend:
        return self.served

    @cached_property
    def residual(self) -> Float[Tensor, "rows positions d"]:
        """The rows themselves, fetched once."""
        return self.served.fetch_rows(self.tokens)

    def row(self, row: int, positions: Int[Tensor, "p"]) -> Float[Tensor, "p d"]:
        return self.residual[row, positions].float()

    def read(
        self, positions: Int[Tensor, "p"], moved: Float[Tensor, "rows p d"] | None = None, **asked: Any
    ) -> Reading:
        asked = FIRST | asked
        question = self._question(positions, asked)
        if moved is not None:
            return _reading(_of_columns(self.served.read_rows(moved.float(), question)))
        key = _spelled(positions, asked)
        if key not in self.known:
            whole = self.known.get(_spelled(torch.arange(len(self.tokens)), asked))
            self.known[key] = (
                _columns(whole, positions)
                if whole is not None
                else _of_columns(self.served.read_pass(self.tokens, question))
            )
        return _reading(self.known[key])

    def _question(self, positions: Int[Tensor, "p"], asked: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "count": len(self.tokens),
            "at": positions,
            "following": self.all_following[positions],
            "k": asked["k"],
            "targets": [torch.tensor(list(ids)) for ids in asked["targets"]],
            "extra": {name: asked[name] for name in ("jensen_shannon", "total_variation")},
        }

    def require_activations(self) -> Activations:
        raise ValueError(
            f"Parts of {self.model}, edits and sweeps need its weights here, and this run was made on {self.served.host}; make "
            "one here with lw.run(model, prompt). Of this one, lw.read(run, lens) reads every row, and lw.attribute(run, target, "
            "unit='block') adds up what each block wrote."
        )

    def detach(self) -> Run:
        return self

    def __copy__(self) -> Run:
        return self

    def __getstate__(self) -> dict[str, Any]:
        raise TypeError(
            f"A run on {self.served.host} can't be pickled: it asks the server. Save what it said, grid.save(path)."
        )

    def __repr__(self) -> str:
        shape = f"{len(self.labels)} rows × {len(self.tokens)} tokens × {self.served.facts.width}"
        return f"Run of {self.prompt!r} on {self.model}, on {self.served.host}: {shape}, {self.check}"


def run_elsewhere(model: Any, prompt: Prompt, *, tokenizer: Any, edits: Any, remote: bool | str) -> Run:
    """`lw.run` on a server. Raises what it says."""
    backend = ServedBackend(model, remote)
    if tokenizer is not None:
        backend.use_tokenizer(tokenizer)
    if edits:
        raise ValueError(
            "edits= are written where the weights are here; leave remote= out, lw.run(model, prompt, edits=edits), or make the "
            "change in a trace of nnsight's own."
        )
    backend.require_readable()
    return RemoteRun(backend, tokenize(backend, prompt, backend.vocabulary))


def _spelled(positions: Int[Tensor, "p"], asked: Mapping[str, Any]) -> str:
    targets = [list(ids) for ids in asked["targets"]]
    return repr((positions.tolist(), targets, [asked[name] for name in sorted(FIRST) if name != "targets"]))


def _columns(whole: Mapping[str, Tensor], positions: Int[Tensor, "p"]) -> dict[str, Tensor]:
    """Some columns of what was read of all."""
    pieces = {
        name: torch.cat([value.split(whole["sizes"].tolist())[i] for i in positions.tolist()])
        for name, value in whole.items()
        if name.startswith("trajectory")
    }
    return {name: pieces[name] if name in pieces else value[positions] for name, value in whole.items()}


def _of_columns(found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What comes back of columns; what came of the pass beside it is none of them."""
    return {name: value for name, value in found.items() if name in COLUMNS}


def _reading(columns: Mapping[str, Tensor]) -> Reading:
    return assembled({name: value.long() if value.dtype == torch.int32 else value for name, value in columns.items()})
