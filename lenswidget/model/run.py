"""Run: one prompt through a model, kept as what the lenses need."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.grids.parts import Check
from lenswidget.model.activations import Activations, last_position
from lenswidget.model.backend import Backend, Change, whole
from lenswidget.model.backends import backend_of
from lenswidget.model.components import Components
from lenswidget.model.edits import Edit, Written, chained, changes, written
from lenswidget.model.find_components import assumed_components, components_of, confirmed
from lenswidget.model.probe import readout_of
from lenswidget.model.prompts import Prompt, tokenize
from lenswidget.model.reading import Reading
from lenswidget.model.readout import ROUNDING, Readout
from lenswidget.model.site import Site
from lenswidget.model.surroundings import own_arithmetic, plain_mode
from lenswidget.model.tokens import TokenTexts, texts_of
from lenswidget.model.user_hooks import UserHooks
from lenswidget.model.weights import Weights, weights_of

HALF = (torch.bfloat16, torch.float16)


@dataclass(frozen=True, eq=False)  # tensors have no one answer to ==
class Run:
    """One prompt's tokens and residual stream, with what readout needs of the model.

    `residual` is `[L + 1, T, d]`: the embedding, then the output of each block, in the model's dtype and on its
    device. `check` compares the last row, read back, with the model's own logits. A run keeps its model, which
    attribution reads; `run.detach()` lets it go.
    """

    tokens: Int[Tensor, "positions"]
    residual: Float[Tensor, "rows positions d"]
    readout: Readout
    texts: TokenTexts
    model: str
    """The model's name."""
    prompt: str
    check: Check | None
    weights: Weights = field(repr=False)
    """Some entries of the model's weights, by which a fitted lens and a comparison know it again."""
    notes: tuple[str, ...] = ()
    processing: str = ""
    """What was done to the model's weights after training, in words; a lens reads only what it was fitted on."""
    edits: tuple[Written, ...] = field(default=(), repr=False)
    """What was put in the place of activations while it ran."""
    activations: Activations | None = field(default=None, repr=False)
    """What the blocks put out, and the model that did, for attribution; None in a run that was detached."""

    @property
    def labels(self) -> tuple[str, ...]:
        """`embed`, `L0`, `L1`, …: a row is named for the block that wrote it."""
        return ("embed", *(f"L{layer}" for layer in range(self.residual.shape[0] - 1)))

    @property
    def following(self) -> Int[Tensor, "positions"]:
        """The token that really follows each position; -1 at the last, and where the model can't predict it."""
        following = torch.cat([self.tokens[1:], self.tokens.new_full((1,), -1)])
        return following.masked_fill(following >= self.readout.vocabulary, -1)

    @property
    def rounding(self) -> float:
        """The relative error that is rounding, in what this run is made of: under autocast its parts are less exact than its
        rows."""
        parts = () if self.activations is None else (*self.activations.dtypes, self.activations.multiplied)
        return max(ROUNDING[dtype] for dtype in {self.residual.dtype, self.readout.W_U.dtype, *parts})

    remote: ClassVar[bool | str] = False
    """Where the model is, as `lw.run` was told."""

    @property
    def backend(self) -> Backend | None:
        """The model that ran; None in a run that was detached."""
        return None if self.activations is None else self.activations.backend

    def read(
        self, positions: Int[Tensor, "p"], moved: Float[Tensor, "rows p d"] | None = None, **asked: Any
    ) -> Reading:
        """What its rows say at some positions, or others that a lens `moved` there; `asked` is what `Readout.read` takes."""
        stream = self.stream(positions) if moved is None else moved
        return self.readout.read(stream, self.following[positions], **asked)

    @property
    def half(self) -> str:
        """The half precision in which the model wrote its sums, as "bfloat16"; "" where it did in a longer type."""
        kept = set() if self.activations is None else self.activations.dtypes
        found = [dtype for dtype in HALF if dtype in {self.residual.dtype, *kept}]
        return str(found[0]).removeprefix("torch.") if found else ""

    def row(self, row: int, positions: Int[Tensor, "p"]) -> Float[Tensor, "p d"]:
        """One row at some positions, as the readout takes it: float32, beside the unembedding."""
        return self.residual[row, positions.to(self.residual.device)].to(self.readout.W_U.device, torch.float32)

    def stream(self, positions: Int[Tensor, "p"]) -> Float[Tensor, "rows p d"]:
        """Every row at some positions, as they are; no copy where these follow one another."""
        first, count = int(positions[0]), len(positions)
        if bool((positions.diff() == 1).all()):
            return self.residual[:, first : first + count]
        return self.residual[:, positions.to(self.residual.device)]

    def require_activations(self) -> Activations:
        """The activations. Raises ValueError where the run was detached, or made without a model."""
        if self.activations is None:
            raise ValueError(
                f"This run has no activations, and attribution reads them and the weights of {self.model}; make one that has "
                "them with lw.run(model, prompt) or lw.from_cache(cache)."
            )
        return self.activations

    def require_unchanged(self) -> None:
        """Raises ValueError where the model isn't in the state in which it ran: moved, switched, or written to."""
        backend = None if self.activations is None else self.activations.backend
        if backend is not None and backend_of(backend.model).state != backend.state:
            raise ValueError(
                f"{self.model} is not what it was: its weights, adapters or dtype were changed since this run, and attribution "
                "reads them as they are now; make a new one with lw.run(model, prompt)."
            )

    def detach(self) -> Run:
        """The same run without its model, which may then be deleted: every lens still reads it."""
        return replace(self, activations=None)

    def __getstate__(self) -> dict[str, Any]:
        """For pickle: a run travels without its model, as `detach()` leaves it."""
        return {**vars(self), "activations": None}

    def __copy__(self) -> Run:
        return replace(self)

    def __repr__(self) -> str:
        rows, positions, d = self.residual.shape
        read = self.check or "last row not checked"
        return f"Run of {self.prompt!r} on {self.model}: {rows} rows × {positions} tokens × {d}, {read}"


def run_watched(
    backend: Backend,
    prompt: Prompt,
    begins: Callable[[int], None] | None = None,
    hooks: UserHooks | None = None,
    edits: Edit | Sequence[Edit | Written] = (),
) -> Run:
    """`lw.run`, which tells each block that begins; what `begins` raises ends the run. It runs under the user's `hooks`, by
    default those that hang on the model now."""
    # what is made in inference mode can't enter autograd later
    with plain_mode():
        return _run(backend, prompt, begins, hooks, edits)


def _run(
    backend: Backend,
    prompt: Prompt,
    begins: Callable[[int], None] | None,
    hooks: UserHooks | None,
    edits: Edit | Sequence[Edit | Written],
) -> Run:
    readout = readout_of(backend)
    tokens = tokenize(backend, prompt, backend.vocabulary)
    under = backend.user_hooks() if hooks is None else hooks
    made = tuple(
        written(edit, backend, tokens, readout.W_U.dtype) for edit in ([edits] if isinstance(edits, Edit) else edits)
    )
    put: set[Site] = set()
    change = {site: _noted(put, site, one) for site, one in changes(made).items()}
    done = pass_over(
        backend, tokens, parts_of(backend, changed=bool(under or made)), begins, change=change, hooks=under
    )
    lost = [one.place.label for one in made if one.place.site not in put]
    if lost:
        raise ValueError(
            f"{backend.facts.name} ran without passing {lost[0]!r}, so nothing was put there; edit a row of its stream."
        )
    activations = Activations(
        backend, done.components, tokens, done.residual[-1], last=done.last, hooks=under, edits=made
    )
    check = check_of(readout, backend, done.residual[-1], done.logits)
    return assembled(readout, tokens, done.residual, check, activations, done.logits[-1])


@dataclass(frozen=True, eq=False)  # tensors have no one answer to ==
class Passed:
    """What a pass over some tokens of a prompt left: their rows, what the parts of `components` put out at the last of them,
    and the model's own logits."""

    residual: Float[Tensor, "rows positions d"]
    last: Mapping[Site, Tensor]
    logits: Float[Tensor, "positions vocabulary"]
    components: Components


def parts_of(backend: Backend, *, changed: bool) -> Components:
    """The parts to watch in a pass. What changes the stream from outside is no part's, so that no sum could confirm what is
    only assumed: under hooks and edits, `changed`, they are found by a pass of their own."""
    return components_of(backend) if changed else assumed_components(backend)


def pass_over(
    backend: Backend,
    tokens: Int[Tensor, "positions"],
    components: Components,
    begins: Callable[[int], None] | None = None,
    *,
    change: Mapping[Site, Change] | None = None,
    hooks: UserHooks | None,
    past: Callable[[], Any] = lambda: None,
    is_sure: bool = False,
) -> Passed:
    """One pass, which tells each block that begins; two for a model whose blocks only look alike, unless the parts are known for
    sure. `past` makes the cache of what came before these tokens. It runs under `hooks`, by default those on the model now."""

    def told(block: int) -> Callable[[Tensor], None]:
        return lambda _: begins(block) if begins else None

    telling: dict[Site, Change] = {site: told(block) for block, site in enumerate(backend.rows[:-1])} if begins else {}
    while True:
        keep = dict.fromkeys(components.sites, last_position) | dict.fromkeys(backend.rows, whole)
        done = backend.forward(
            tokens.unsqueeze(0), keep=keep, change=chained(telling, change or {}), hooks=hooks, past=past()
        )
        residual = residual_of(backend, {site: done.kept.get(site) for site in backend.rows}, lambda x: x[0])
        last = {site: done.kept[site][0] for site in components.sites if site in done.kept}
        if not is_sure:
            found = confirmed(backend, components, last, residual[:, -1])
        if is_sure or found == components:
            assert done.logits is not None
            return Passed(residual, last, done.logits[0], components)
        components = found


def residual_of(
    backend: Backend, found: dict[Any, Tensor | None], one: Callable[[Tensor], Tensor]
) -> Float[Tensor, "rows positions d"]:
    """The rows as one tensor: a copy, which may enter autograd whatever they came from."""
    rows = [one(row) for row in found.values() if row is not None]
    shapes = {tuple(row.shape) for row in rows}
    width, name = backend.facts.width, backend.facts.name
    if len(rows) < len(found):
        lost = next(site for site, row in found.items() if row is None)
        raise ValueError(f"{name} ran without passing {backend.name(lost)}, and a lens needs every row of its stream.")
    if len(shapes) > 1 or rows[0].ndim != 2 or rows[0].shape[-1] != width:
        raise ValueError(
            f"The residual rows of this cache have the shapes {sorted(shapes)}; {name} writes [positions, {width}] "
            "in every row. A cache of another model, or several streams, can't be read."
        )
    return torch.stack([row.detach().to(rows[0].device) for row in rows])


def check_of(
    readout: Readout,
    backend: Backend,
    last_row: Float[Tensor, "positions d"],
    logits: Float[Tensor, "positions vocabulary"],
    *,
    multiplied: torch.dtype = torch.float32,
) -> Check:
    """That the last row is the model. Raises ValueError, by how much it isn't, where that is more than rounding: that of the
    types that are there, and of the one in which the model's products were `multiplied`."""
    facts = backend.facts
    error, tolerance = readout.error(last_row, logits.detach(), multiplied=multiplied)
    if error > tolerance:
        raise ValueError(
            f"The last row is not the model: read through its final norm and unembedding, it differs from {facts.name}'s "
            f"own logits by up to {error:.3g} where rounding explains {tolerance:.2g}. Either this cache is of another "
            f"model or was changed after the run, or {facts.architecture} changes the stream between its last block and "
            "its logits in a way that no lens here reproduces. Run it again with lw.run(model, prompt) to tell which."
        )
    return Check(error, tolerance)


def assembled(
    readout: Readout,
    tokens: Int[Tensor, "positions"],
    residual: Float[Tensor, "rows positions d"],
    check: Check | None,
    activations: Activations,
    logits: Float[Tensor, "vocabulary"] | None = None,
) -> Run:
    """A Run of what was found, with what is to be said of it; `logits` are the model's own at the last position."""
    facts = activations.backend.facts
    notes: list[str] = []
    if check is None:
        notes.append("last row not checked: the cache holds no logits; pass logits= from run_with_cache")
    bad = int((~residual.isfinite().all(-1)).sum())
    if bad:
        notes.append(f"{bad} of {residual.shape[0] * residual.shape[1]} residual vectors are not finite")
    notes += [f"edited: {one.said}" for one in activations.edits]
    notes += model_notes(activations.backend, residual.dtype)
    if check is not None and residual.dtype in HALF:
        notes.append(_cost_of_half(readout, residual[-1, -1], check, logits))
    texts = texts_of(activations.backend)
    bos = getattr(activations.backend.tokenizer, "bos_token_id", None)
    if len(tokens) > 1 and bos is not None and int(tokens[0]) == int(tokens[1]) == bos:
        notes.append(
            f"the prompt begins with two of {texts[bos]!r}: one is its own, one was put before it; pass token ids, or a chat's "
            "messages, for one"
        )
    prompt = texts.decode([int(i) for i in tokens if int(i) not in texts.special])
    return Run(
        tokens,
        residual,
        readout,
        texts,
        facts.name,
        prompt,
        check,
        weights_of(activations.backend),
        tuple(notes),
        facts.processing,
        activations.edits,
        activations,
    )


def model_notes(backend: Backend, dtype: torch.dtype) -> list[str]:
    """What a reader should know of a model, whatever its prompt, and of a stream of this dtype."""
    facts = backend.facts
    notes = []
    if facts.processing:
        notes.append(f"weights processed by TransformerLens ({facts.processing}): {facts.effect}")
    if dtype in HALF:
        notes.append(f"residual stream in {str(dtype).removeprefix('torch.')}")
    return notes


@own_arithmetic()
def _cost_of_half(
    readout: Readout, last: Float[Tensor, "d"], check: Check, logits: Float[Tensor, "vocabulary"] | None
) -> str:
    """What the model's half precision changes in its own output, beside the same stream read in float32."""
    cost = f"rounded as it is, the model's own logits are up to {check.error:.2g} from what is read here in float32"
    if logits is None or not bool(logits.isfinite().all()) or not bool(last.isfinite().all()):
        return cost
    theirs = logits.detach().float().softmax(-1)
    answer = int(theirs.argmax())
    ours = float(readout.logits(last.unsqueeze(0))[0].softmax(-1)[answer])
    return (
        f"{cost}; its answer to the prompt has a probability of {float(theirs[answer]):.3f} there and {ours:.3f} here"
    )


def _noted(put: set[Site], site: Site, one: Change) -> Change:
    """A change that notes where it was made: one that never is would be silence."""

    def change(value: Tensor) -> Tensor | None:
        put.add(site)
        return one(value)

    return change
