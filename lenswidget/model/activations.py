"""What the blocks of a run put out: kept where it is small, brought by one more forward pass where it is asked for."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.model.alone import alone
from lenswidget.model.components import stack_of
from lenswidget.model.probe import name_of


class Activations:
    """The activations of one run, by the names of their hooks, without the batch dimension.

    The last position's are kept from the run itself. Those of other positions come from the cache that the run was made
    of, or else from one further forward pass of the model with just the hooks that are needed; they are kept, too.
    The model is held weakly: a run outlives it, and then has what it has.
    """

    def __init__(
        self,
        model: Any,
        tokens: Int[Tensor, "positions"],
        last_row: Float[Tensor, "positions d"],
        *,
        last: Mapping[str, Tensor] | None = None,
        cache: Callable[[str], Tensor | None] | None = None,
    ) -> None:
        self._model = weakref.ref(model)
        self._name = name_of(model)
        self._tokens = tokens
        self._last_row = last_row
        self._last = last or {}
        self._whole: dict[str, Tensor] = {}
        self._cache = cache

    @property
    def model(self) -> Any:
        """The model, to read weights from. Raises ValueError where it is gone."""
        model = self._model()
        if model is None:
            raise ValueError(
                f"{self._name} was deleted, and attribution reads its weights; keep the model, and run it again with "
                "lw.run(model, prompt)."
            )
        return model

    @property
    def at_hand(self) -> bool:
        """Whether the last position's can be had without running the model."""
        if self._model() is None:
            return False
        names = {name for part in stack_of(self.model).parts for name in part.hooks}
        return names <= self._last.keys() or (
            self._cache is not None and all(self._cache(n) is not None for n in names)
        )

    def bring(self, names: Iterable[str], positions: Int[Tensor, "p"]) -> None:
        """Make sure of what `at` will be asked for, in one forward pass at most. Raises as `whole` does."""
        names = list(names)
        if not (self._only_last(positions) and self._last.keys() >= set(names)):
            self.whole(names)

    def at(self, names: Iterable[str], positions: Int[Tensor, "p"]) -> dict[str, Tensor]:
        """`[p, …]` for each hook."""
        names = list(names)
        if self._only_last(positions) and self._last.keys() >= set(names):
            return {name: self._last[name] for name in names}
        everywhere = len(positions) == len(self._tokens) and bool((positions.diff() == 1).all())
        # all positions are no copy
        return {name: x if everywhere else x[positions.to(x.device)] for name, x in self.whole(names).items()}

    def _only_last(self, positions: Int[Tensor, "p"]) -> bool:
        return positions.tolist() == [len(self._tokens) - 1]

    def whole(self, names: Iterable[str]) -> dict[str, Tensor]:
        """The whole of some activations: `[positions, …]`, and patterns `[heads, queries, keys]`.

        Raises ValueError for hooks that a cache lacks, and for a model that changed or is gone.
        """
        names = list(dict.fromkeys(names))
        missing = [name for name in names if name not in self._whole]
        if missing and self._cache is not None:
            found = {name: self._cache(name) for name in missing}
            lacking = [name for name, x in found.items() if x is None]
            if lacking:
                more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
                raise ValueError(
                    f"This cache lacks {lacking[0]}{more}, which attribution reads. Run it again as "
                    "model.run_with_cache(prompt, names_filter=lw.hooks(model)), or pass lw.run(model, prompt), which brings "
                    "what it needs."
                )
            self._whole |= {name: x for name, x in found.items() if x is not None}
        elif missing:
            self._whole |= self._run(missing)
        return {name: self._whole[name] for name in names}

    def _run(self, names: list[str]) -> dict[str, Tensor]:
        from lenswidget.model.run import row_hooks

        model = self.model
        last = row_hooks(model)[-1]
        with alone(model), torch.inference_mode():
            _, cache = model.run_with_cache(
                self._tokens.unsqueeze(0), names_filter={*names, last}.__contains__, return_cache_object=False
            )
        now, then = cache[last][0].to(self._last_row), self._last_row
        rounding = 64 * torch.finfo(then.dtype).eps
        apart = (now - then).abs().amax(-1) > rounding * then.abs().amax(-1)
        if bool((apart & then.isfinite().all(-1)).any()):
            raise ValueError(
                f"{self._name} is not what it was: run again, its last residual row is another. Its weights or hooks were "
                "changed since this run; make a new one with lw.run(model, prompt)."
            )
        # a copy can enter autograd, an inference tensor can't
        return {name: _first(cache[name])[0].clone() for name in names}


def keep_last(into: dict[str, Tensor], name: str) -> Callable[..., None]:
    """A forward hook that keeps what it sees at the last position."""

    def hook(tensor: Any, hook: Any = None) -> None:
        into[name] = _first(tensor)[0, -1:].detach().clone()

    return hook


def _first(output: Any) -> Tensor:
    tensor: Tensor = output[0] if isinstance(output, tuple) else output
    return tensor
