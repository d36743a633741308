"""Patchscope: what the model says of a state when it reads it in the middle of another prompt.

A state `h` of the source, row `l` at position `i`, is put in the place of row `l*` at position `i*` of a target prompt, and the
model goes on from there: `h*_{i*,l*} := h_{i,l}`. The target prompt asks for what is wanted; the one of the paper has the model
say again what it was given. The logit lens is the case in which the row put in is the last.

Source: Ghandeharioun et al., "Patchscopes: A Unifying Framework for Inspecting Hidden Representations of Language Models",
2024, arXiv 2401.06102.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.grids.grid import Grid
from lenswidget.grids.row_names import named_row
from lenswidget.interventions.continuations import Base, Cell, last_rows, way_of
from lenswidget.interventions.edited_text import write
from lenswidget.interventions.model_map import ModelMap
from lenswidget.interventions.text_grid import grid_of_texts
from lenswidget.lenses.lens import Lens
from lenswidget.model.backend import Backend, Past
from lenswidget.model.backends import backend_of
from lenswidget.model.edits import Written
from lenswidget.model.generation import ends_of
from lenswidget.model.made_by import made_by
from lenswidget.model.places import row_place
from lenswidget.model.positions import positions_of
from lenswidget.model.probe import readout_of
from lenswidget.model.prompts import Prompt, tokenize
from lenswidget.model.run import Run, run_watched
from lenswidget.model.surroundings import plain_mode
from lenswidget.model.tokens import texts_of
from lenswidget.model.user_hooks import NONE, UserHooks

IDENTITY = "cat -> cat\n1135 -> 1135\nhello -> hello\n?"
"""The paper's prompt, which has the model say again what it was given."""

PROMPTS = 4
"""How many target prompts are kept of a model."""
RowRule = str | int | Callable[[int], int] | None
"""The row that is written: None for the row that was read; a row by its label or the number in it; or a function from the
index of the row that was read to that of the one that is written, counted from the embedding, which is 0."""


@dataclass(frozen=True, eq=False, repr=False)
class Patchscope(Lens):
    """Every state of a run, put into a target prompt, and what the model then says at the end of that prompt.

    A lens like any other: `lw.read(run, lw.Patchscope())`. `prompt` is the target prompt, a text, token ids or the messages of
    a chat; `position` is where in it states are put, counted from 0, -1 for the last. `row` says into which row: None for the
    row that each comes from, `"L12"` or 12 for one row for all, or a function of the row's index.

    Another model can read the states: `model`, with `map`, a `lw.ModelMap` that was fitted from the run's model to it and says
    into which rows. Then the last row of the Grid is what the other model itself says of the prompt.

    The target prompt runs under the hooks that hung on the model when the run was made, and without the run's edits. The last
    row of the Grid is the model's own output, as in every lens.

    Raises ValueError, when it reads, for a run without its model, and for a position or a row that isn't there.

        lw.read(run, lw.Patchscope(), targets=[" Paris"])
        lw.read(run, lw.Patchscope("The capital of X is", position=3, row="L4"))
        lw.read(run, lw.Patchscope(model=larger, map=lw.ModelMap.fit(model, larger)))
    """

    prompt: Prompt = IDENTITY
    _: KW_ONLY
    position: int = -1
    row: RowRule = None
    model: object = None
    map: ModelMap | None = None

    name = "Patchscope"
    explains = False

    @property
    def notes(self) -> tuple[str, ...]:
        prompt = self.provenance["target prompt"]
        return (f"put into {prompt} at position {self.position}, {self.provenance['target row']}",)

    @property
    def provenance(self) -> Mapping[str, str]:
        prompt = self.prompt
        return {
            "target prompt": repr(prompt.tolist() if isinstance(prompt, Tensor) else prompt),
            "target position": str(self.position),
            "target row": self._rule,
            **({} if self.map is None else {"target model": self.map.target, "map": repr(self.map)}),
        }

    @property
    def code(self) -> str:
        if self.map is not None or callable(self.row) or not isinstance(self.prompt, str):
            return "lens"
        given = [
            *([] if self.prompt == IDENTITY else [repr(self.prompt)]),
            *([] if self.position == -1 else [f"position={self.position}"]),
            *([] if self.row is None else [f"row={self.row!r}"]),
        ]
        return f"lw.Patchscope({', '.join(given)})"

    @property
    def _rule(self) -> str:
        """The row rule in words."""
        if self.map is not None:
            return f"through a map into {self.map.target}"
        if self.row is None:
            return "row for row"
        if callable(self.row):
            return f"rows by {getattr(self.row, '__name__', type(self.row).__name__).strip('<>')}"
        return f"into {self.row if isinstance(self.row, str) else f'L{self.row}'}"

    def notes_on(self, run: Run) -> tuple[str, ...]:
        backend = self._reader(run)
        more = []
        if position_is_added(backend):
            more.append(
                f"{backend.facts.name} adds positions to the stream, so every state brings along where it stood in its prompt"
            )
        if run.edits:
            more.append("the target prompt ran without the edits")
        if self.map is not None:
            more += [repr(self.map), f"the last row is {self.map.target}’s own output"]
        return (*self.notes, *more)

    def require(self, run: Run) -> None:
        backend = self._reader(run)
        self._at(self._tokens(backend))
        for row in range(len(run.residual) - 1):
            self._into(row, run.labels)

    def through(self, run: Run) -> Run:
        """The run itself; for another model, its own run of the same tokens, with as many rows."""
        backend = self._reader(run)
        if self.map is None:
            return run
        other = run_watched(backend, run.tokens)
        name = f"{other.model} reading {run.model}"
        return replace(other, residual=other.residual[-1:].expand(len(run.residual), -1, -1), model=name)

    def _reader(self, run: Run) -> Backend:
        """The model that reads: the run's own, or another, for which there is a map."""
        own = _backend_of(run)
        if self.model is None and self.map is None:
            return own
        if self.model is None or self.map is None:
            lacks, has = ("model", "map") if self.model is None else ("map", "model")
            raise ValueError(
                f"A patchscope into another model takes that model and a map to it, and got {has}= without {lacks}=: "
                "Patchscope(model=other, map=lw.ModelMap.fit(model, other))."
            )
        if self.row is not None:
            raise ValueError(
                "A map says into which row each state goes; leave row= out, or fit with ModelMap.fit(…, row=…)."
            )
        backend = backend_of(self.model)
        self.map.require(run, backend)
        return backend

    def move(self, residual: Float[Tensor, "positions d"], row: int) -> Float[Tensor, "positions d"]:
        """Raises ValueError: a row alone doesn't say which model goes on from it."""
        raise ValueError(
            "A patchscope reads a run, whose model goes on from its rows: lw.read(run, lw.Patchscope()). Where a lens is "
            "tried on rows alone, as by causal fidelity, leave it out: lw.fidelity(model, lenses, directions=0)."
        )

    def move_rows(self, run: Run, rows: Sequence[int], positions: Int[Tensor, "p"]) -> Float[Tensor, "rows p d"]:
        """The last row at the end of the target prompt, for every state."""
        backend = self._reader(run)
        base = base_of(backend, self._tokens(backend), self._hooks(run))
        at = self._at(base.tokens)
        cells = [
            Cell((Written(row_place(backend, self._into(row, run.labels)), at, state[None]),))
            for row in rows
            for state in self._states(run, row, positions)
        ]
        found = last_rows(base, cells, len(base.tokens) - 1)
        return found.view(len(rows), len(positions), -1).to(backend.device, torch.float32)

    def _states(self, run: Run, row: int, positions: Int[Tensor, "p"]) -> Float[Tensor, "p e"]:
        """A row of the run as it is put in: through the map, where another model reads it."""
        found = run.residual[row, positions.to(run.residual.device)]
        return found if self.map is None else self.map.move(found, row)

    def _hooks(self, run: Run) -> UserHooks:
        """Those that hung on the model when the run was made; on another model, those that hang on it now."""
        return run.require_activations().hooks if self.model is None else backend_of(self.model).user_hooks()

    def describe(self, run: Run, *, position: int = -1, max_new_tokens: int = 8, k: int = 10) -> Grid:
        """What the model goes on to write when it reads each row of one position, `position`, in the target prompt: a text a row.

        A Grid of rows × generated tokens, the likeliest one at each step, beside `k` candidates. A text that ends early has
        no more tokens. The target prompt alone says what its own opinion is: the first note.

        Raises ValueError as reading does, and for a number of tokens that is none.

            lw.Patchscope("Syria: Country in the Middle East, Samsung: South Korean company, x").describe(run)
        """
        self.require(run)
        where = positions_of(len(run.tokens), position)
        if len(where) != 1:
            raise ValueError(f"A patchscope describes the states of one position; got {position!r}.")
        vocabulary = readout_of(self._reader(run)).vocabulary
        if not 1 <= k <= vocabulary:
            raise ValueError(f"k is the number of candidates a cell, 1 to {vocabulary}; got {k}.")
        backend = self._reader(run)
        base = base_of(backend, self._tokens(backend), self._hooks(run))
        at = self._at(base.tokens)
        edits = [
            [Written(row_place(backend, self._into(row, run.labels)), at, self._states(run, row, where))]
            for row in range(len(run.residual) - 1)
        ]
        text = write(
            backend,
            base.tokens,
            [[], *edits],
            max_new_tokens=max_new_tokens,
            ends=ends_of(backend.network, backend.tokenizer),
            k=k,
            hooks=base.hooks,
            first=int(at),
            past=base.past if way_of(backend).cached else None,
        )
        token, texts = run.texts[int(run.tokens[where])], texts_of(backend)
        return grid_of_texts(
            text.without(0),
            texts,
            title=f"{token} in {run.prompt}",
            kind="Patchscope, in words",
            model=run.model,
            rows=run.labels[:-1],
            notes=(f"without a state it writes {texts.decode(text.of(0))!r}", *self.notes_on(run), *run.notes),
            provenance={
                "position": str(int(where)),
                **self.provenance,
                **made_by(run),
            },
        )

    def _tokens(self, backend: Backend) -> Int[Tensor, "positions"]:
        return tokenize(backend, self.prompt, backend.vocabulary)

    def _at(self, tokens: Int[Tensor, "positions"]) -> Int[Tensor, "1"]:
        found = positions_of(len(tokens), self.position)
        if len(found) != 1:
            raise ValueError(f"A patchscope puts a state at one position of its prompt; got {self.position!r}.")
        return found

    def _into(self, row: int, labels: Sequence[str]) -> int:
        """The index of the row that is written, for one that is read."""
        if self.map is not None:
            return self.map.rows[row]
        if self.row is None:
            return row
        if not callable(self.row):
            return named_row(labels, self.row)
        into = self.row(row)
        if isinstance(into, bool) or not hasattr(into, "__index__") or not 0 <= int(into) < len(labels):
            raise ValueError(
                f"The row rule gave {into!r} for row {row}, {labels[row]}; expected the index of a row, 0 for the embedding to "
                f"{len(labels) - 1}: Patchscope(row=lambda row: min(row + 1, {len(labels) - 1}))."
            )
        return int(into)


def base_of(backend: Backend, tokens: Int[Tensor, "positions"], hooks: UserHooks) -> Base:
    """A run of the target prompt under some hooks, as far as its continuations need it."""
    if hooks:
        last, past = _run(backend, tokens, hooks)
    else:
        # one prompt reads many runs; it is kept without the backend, which would keep the model
        known = backend.remembered("target prompts", dict[tuple[int, ...], tuple[Tensor, Past | None]])
        key = tuple(tokens.tolist())
        last, past = known[key] if key in known else known.setdefault(key, _run(backend, tokens, hooks))
        while len(known) > PROMPTS:
            known.pop(next(iter(known)), None)
    base = Base(backend, tokens, last, hooks)
    if past is not None:
        vars(base)["past"] = past
    return base


def _run(
    backend: Backend, tokens: Int[Tensor, "positions"], hooks: UserHooks
) -> tuple[Float[Tensor, "positions d"], Past | None]:
    """The last row of a prompt, and its keys and values where those can be used, in one pass."""
    last = backend.rows[-1]
    rows: list[Tensor] = []

    def noted(row: Tensor) -> None:
        rows.append(row[0].detach().clone())

    with plain_mode():
        past = backend.past(tokens, change={last: noted}, hooks=hooks) if way_of(backend).cached else None
        if not rows:
            backend.forward(tokens.unsqueeze(0), keep={}, change={last: noted}, stop=last, hooks=hooks)
    return rows[0], past


def position_is_added(backend: Backend) -> bool:
    """Whether the first row of a token depends on where it stands: position embeddings that are learned, or sines."""

    def find() -> bool:
        tokens = backend.sample(backend.unembedding()[0].shape[1], backend.facts.context)[-1:].repeat(3)
        first = backend.rows[0]
        with plain_mode():
            row = backend.forward(tokens[None], keep={first: lambda x: x[0].clone()}, stop=first, hooks=NONE).kept[
                first
            ]
        return not torch.allclose(row[1], row[2])

    return backend.remembered("position is added", find)


def _backend_of(run: Run) -> Backend:
    if run.activations is None:
        raise ValueError(
            f"A patchscope goes on from the rows of a run, and this run was detached from {run.model}; make one that has its "
            "model with lw.run(model, prompt)."
        )
    return run.activations.backend
