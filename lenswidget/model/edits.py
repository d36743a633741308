"""Edit: what is put in the place of an activation before the model goes on; and Written, the same as numbers.

An edit sets a value, another run's, the mean of several, a tensor or a number, or it adds one. Sources: Vig et al. 2020,
arXiv 2004.12265 (interventions on activations); Meng et al. 2022, arXiv 2202.05262 (patching); Turner et al. 2023,
arXiv 2308.10248 (adding a vector).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.model.backend import Backend, Change
from lenswidget.model.places import Place, place_of
from lenswidget.model.positions import Positions, positions_of
from lenswidget.model.site import Site
from lenswidget.model.tokens import texts_of

SHORT = 48
"""Letters of a prompt that are enough to know it by."""


@runtime_checkable
class Source(Protocol):
    """What of a Run a value is taken from."""

    @property
    def tokens(self) -> Int[Tensor, "positions"]: ...
    @property
    def residual(self) -> Float[Tensor, "rows positions d"]: ...
    @property
    def model(self) -> str: ...
    @property
    def prompt(self) -> str: ...
    @property
    def activations(self) -> Any: ...
    def require_activations(self) -> Any: ...


@dataclass(frozen=True, eq=False)  # tensors have no one answer to ==
class Edit:
    """What is put at a site of a model, at some positions, while it runs.

    `site` is a label that Grids show: a row of the stream (`"embed"`, `"L12"`, or 12), what a part adds to it
    (`"L12.attn"`, `"L12.mlp"`), a head (`"L23H3"`) or a neuron (`"L5N1024"`). `to` is what takes its place:

    - a Run of the same model: the value that it has there
    - a list of Runs: the mean of theirs
    - a tensor, `[n]` or `[positions, n]`: `n` is the width of the stream, for a head the width of a head, for a neuron 1
    - a number, 0 to take the site out

    or `add` is added to what is there, a tensor of those shapes. `position` is a position, a slice or a list of them, or
    None for all; `source_position` where the value is taken from, by default the same. `label` is what a tensor is called where
    the edit is said.

    Raises TypeError where neither or both of `to` and `add` are given.

        lw.run(model, "The Colosseum is located in the city of", edits=[lw.Edit("L12", to=eiffel, position=2)])
        lw.run(model, prompt, edits=[lw.Edit("L23H3", to=0), lw.Edit("L15", add=4 * direction, position=-1)])
    """

    site: str | int
    _: KW_ONLY
    to: Any = None
    add: Any = None
    position: Positions = None
    source_position: Positions = None
    label: str = ""

    def __post_init__(self) -> None:
        if isinstance(self.site, bool) or not (isinstance(self.site, str) or hasattr(self.site, "__index__")):
            raise TypeError(
                f"The site of an Edit is a label, as 'L12' or 'L23H3', or the number of a row; got {self.site!r}."
            )
        if (self.to is None) == (self.add is None):
            both = "both" if self.to is not None else "neither"
            raise TypeError(
                f"An Edit puts a value in the place of {self.site!r}, to=, or adds one, add=; got {both}. To take the site out: "
                f"lw.Edit({self.site!r}, to=0)."
            )
        if self.source_position is not None and not (_is_run(self.to) or _are_runs(self.to)):
            raise TypeError("source_position= says where in another run a value is taken from; to= is no run here.")


@dataclass(frozen=True, eq=False)  # tensors have no one answer to ==
class Written:
    """What an edit writes into one run: `values`, `[positions, n]`, as they are at the site."""

    place: Place
    positions: Int[Tensor, "p"]
    values: Float[Tensor, "p n"]
    adds: bool = False
    said: str = ""
    """In words: "osse at L12 ← iffel of “The Eiffel Tower …”"."""
    code: str = ""
    """As it is written in Python."""


def written(
    edit: Any, backend: Backend, tokens: Int[Tensor, "positions"], dtype: torch.dtype = torch.float32
) -> Written:
    """What an edit writes into a run of some tokens. `dtype` is the model's, in which the values must be finite.

    Raises ValueError for a site or position that isn't there, for a value of another width or that is not finite, and for a
    run of another model.
    """
    if isinstance(edit, Written):
        return edit
    if not isinstance(edit, Edit):
        raise TypeError(
            f"edits= takes a list of lw.Edit and got {type(edit).__name__}; write lw.Edit('L12', to=source)."
        )
    place = place_of(backend, edit.site)
    positions = positions_of(len(tokens), edit.position)
    given = edit.to if edit.add is None else edit.add
    if _is_run(given):
        values = _of_run(given, edit, backend, place, positions)
    elif _are_runs(given):
        values = torch.stack([_of_run(one, edit, backend, place, positions).float() for one in given]).mean(0)
    else:
        values = _given(given, edit, place, width_of(backend, place), len(positions)) / place.scale
    values = values.expand(len(positions), -1)
    if not bool(values.isfinite().all()):
        raise ValueError(
            f"The value for {place.label!r} is not finite: {_odd(values)} among {values.numel()} numbers; give finite ones."
        )
    if not bool(values.to(dtype).isfinite().all()):
        raise ValueError(
            f"The value for {place.label!r} goes to {float(values.abs().max()):.4g}, beyond what {dtype} holds, in which this "
            "model runs; give a smaller one, or load the model in float32."
        )
    return Written(
        place,
        positions,
        values,
        edit.add is not None,
        _said(edit, backend, place, positions, tokens),
        _code(edit, place),
    )


def changes(some: Iterable[Written], first: int = 0) -> dict[Site, Change]:
    """For `Backend.forward`: what edits do to the activations of one prompt, whose first `first` positions aren't run."""
    by_site: dict[Site, list[Written]] = {}
    for one in some:
        if bool((one.positions >= first).any()):
            by_site.setdefault(one.place.site, []).append(one)
    return {site: _writing(these, first) for site, these in by_site.items()}


def _writing(these: Sequence[Written], first: int) -> Change:
    def change(value: Tensor) -> Tensor:
        flat = value.flatten(2).clone()
        for one in these:
            here = one.positions >= first
            where = (one.positions[here] - first).to(flat.device)
            what = one.values[here.to(one.values.device)].to(flat)
            if one.adds:
                what = flat[:, where, one.place.columns] + what
            flat[:, where, one.place.columns] = what.expand(len(flat), -1, -1)
        return flat.view(value.shape)

    return change


def chained(*some: Mapping[Site, Change]) -> dict[Site, Change]:
    """Several changes as one: at each site one after another."""
    found: dict[Site, Change] = {}
    for one in some:
        for site, change in one.items():
            found[site] = _then(found[site], change) if site in found else change
    return found


def _then(one: Change, other: Change) -> Change:
    def change(value: Tensor) -> Tensor | None:
        first = one(value)
        second = other(value if first is None else first)
        return first if second is None else second

    return change


def provenance_of(edits: Sequence[Written]) -> dict[str, str]:
    """What a Grid of a run keeps of its edits: a line each, in words and as Python."""
    if not edits:
        return {}
    return {"edits": "\n".join(one.said for one in edits), "edits in code": "\n".join(one.code for one in edits)}


def values_at(run: Source, place: Place, positions: Int[Tensor, "p"]) -> Float[Tensor, "p n"]:
    """What a run has at a place, as it is at the site."""
    if place.site.end == "row":
        return run.residual[place.row, positions.to(run.residual.device)]
    found: Tensor = run.require_activations().at([place.site], positions)[place.site]
    return found.flatten(1)[:, place.columns]


def width_of(backend: Backend, place: Place) -> int:
    """How many numbers a place holds: the width of the stream, of a head, or 1."""
    return backend.facts.width if place.end is None else place.end - place.begin


def _of_run(source: Source, edit: Edit, backend: Backend, place: Place, positions: Tensor) -> Float[Tensor, "p n"]:
    theirs = source.activations and source.activations.backend.model
    same = theirs is backend.model if theirs is not None else source.residual.shape[-1] == backend.facts.width
    if not same or len(source.residual) != backend.facts.layers + 1:
        raise ValueError(
            f"A value of a run of {source.model} was to be put into {backend.facts.name}, another model object; make the "
            "source with the same one, lw.run(model, prompt), or give the value as a tensor."
        )
    where = edit.position if edit.source_position is None else edit.source_position
    if where is None and len(source.tokens) != int(positions[-1]) + 1 and len(positions) > 1:
        raise ValueError(
            f"The source {source.prompt!r} has {len(source.tokens)} tokens and the prompt {len(positions)}, so there is no "
            "value for every position; say which with position= and source_position=."
        )
    found = positions_of(len(source.tokens), where)
    if len(found) not in (1, len(positions)):
        raise ValueError(
            f"{len(found)} positions of the source were given for {len(positions)} of the prompt; give one, or as many."
        )
    return values_at(source, place, found)


def _given(given: Any, edit: Edit, place: Place, width: int, count: int) -> Float[Tensor, "p n"]:
    try:
        value = torch.as_tensor(given).detach().float()
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(
            f"An Edit of {place.label!r} takes a run, a list of runs, a tensor or a number; got {type(given).__name__}."
        ) from None
    if value.ndim == 0:
        value = value.expand(width)
    if value.ndim == 1:
        value = value[None]
    if value.ndim != 2 or value.shape[1] != width or len(value) not in (1, count):
        raise ValueError(
            f"The value for {place.label!r} has shape {list(torch.as_tensor(given).shape)}; [{width}] or [{count}, {width}] was "
            "expected, one row a position."
        )
    return value


def _is_run(given: Any) -> bool:
    return isinstance(given, Source)


def _are_runs(given: Any) -> bool:
    return isinstance(given, (list, tuple)) and bool(given) and all(_is_run(one) for one in given)


def _odd(values: Tensor) -> str:
    return "NaN" if bool(values.isnan().any()) else "infinity"


def _said(edit: Edit, backend: Backend, place: Place, positions: Tensor, tokens: Tensor) -> str:
    texts = texts_of(backend)
    where = (
        f"{texts[int(tokens[positions[0]])].strip() or repr(texts[int(tokens[positions[0]])])} at "
        if len(positions) == 1
        else ""
    )
    everywhere = "" if where or len(positions) == len(tokens) else f" at {len(positions)} positions"
    return f"{where}{place.label}{everywhere} {'+' if edit.add is not None else '←'} {_what(edit, backend)}"


def _what(edit: Edit, backend: Backend) -> str:
    given = edit.to if edit.add is None else edit.add
    if _is_run(given):
        where = edit.position if edit.source_position is None else edit.source_position
        of = ""
        if where is not None and hasattr(where, "__index__"):
            of = f"{texts_of(backend)[int(given.tokens[int(where)])].strip()} of "
        return f"{of}“{short(given.prompt)}”"
    if _are_runs(given):
        return f"the mean of {len(given)} runs"
    if isinstance(given, (int, float)):
        return f"{given:g}"
    return edit.label or "a vector"


def _code(edit: Edit, place: Place) -> str:
    given = edit.to if edit.add is None else edit.add
    if _is_run(given):
        what = f"lw.run(model, {given.prompt!r})"
    elif _are_runs(given):
        what = f"lw.runs(model, {[one.prompt for one in given]!r})"
    elif isinstance(given, (int, float)):
        what = repr(given)
    else:
        what = "vector"
    parts = [repr(place.label), f"{'to' if edit.add is None else 'add'}={what}"]
    parts += [
        f"{name}={value!r}" for name in ("position", "source_position") if (value := getattr(edit, name)) is not None
    ]
    return f"lw.Edit({', '.join(parts)})"


def short(text: str) -> str:
    """The beginning of a text, enough to know it by."""
    return text if len(text) <= SHORT else f"{text[: SHORT - 1]}…"
