"""What the blocks of a run put out: kept where it is small, brought by one more forward pass where it is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.model.backend import Backend, CachedPass, keep_whole
from lenswidget.model.components import Components
from lenswidget.model.edits import Written, changes
from lenswidget.model.site import Site
from lenswidget.model.user_hooks import NONE, UserHooks


class Activations:
    """The activations of one run by their sites, without the batch dimension.

    The last position's are kept from the run itself. Those of other positions come from the cache that the run was made
    of, or else from one further forward pass that keeps what is needed; they are kept, too. `components` are what the
    model's blocks were found to consist of, `hooks` what its user had hung on it when it ran, whatever is on it now, and
    `edits` what was put in the place of activations: whatever runs the model again for this run runs it so. A cache's products of
    float32 may have been `multiplied` in a shorter type.
    """

    def __init__(
        self,
        backend: Backend,
        components: Components,
        tokens: Int[Tensor, "positions"],
        last_row: Float[Tensor, "positions d"],
        *,
        last: Mapping[Site, Tensor] | None = None,
        hooks: UserHooks = NONE,
        edits: Sequence[Written] = (),
        cache: CachedPass | None = None,
        prompt: int = 0,
        multiplied: torch.dtype = torch.float32,
    ) -> None:
        self.backend = backend
        self.components = components
        self.hooks = hooks
        self.edits = tuple(edits)
        self._tokens = tokens
        self._last_row = last_row
        self._last = last or {}
        self._whole: dict[Site, Tensor] = {}
        self._cache = cache
        self._prompt = prompt
        self.multiplied = multiplied

    @property
    def changed(self) -> bool:
        """Whether something that is no part of the model may have changed what its parts wrote."""
        return bool(self.hooks or self.edits)

    @property
    def is_cached(self) -> bool:
        """Whether they come from a cache that somebody else made."""
        return self._cache is not None

    @property
    def at_hand(self) -> bool:
        """Whether the last position's can be had without running the model."""
        sites = set(self.components.sites)
        if sites <= self._last.keys():
            return True
        return self._cache is not None and all(self._cache.get(site, self._prompt) is not None for site in sites)

    @property
    def dtypes(self) -> set[torch.dtype]:
        """Of all that was kept so far."""
        return {x.dtype for x in (*self._last.values(), *self._whole.values()) if x.is_floating_point()}

    def bring(self, sites: Iterable[Site], positions: Int[Tensor, "p"]) -> None:
        """Make sure of what `at` will be asked for, in one forward pass at most. Raises as `whole` does."""
        sites = list(sites)
        if not (self._only_last(positions) and self._last.keys() >= set(sites)):
            self.whole(sites)

    def at(self, sites: Iterable[Site], positions: Int[Tensor, "p"]) -> dict[Site, Tensor]:
        """`[p, …]` for each site."""
        sites = list(sites)
        if self._only_last(positions) and self._last.keys() >= set(sites):
            return {site: self._last[site] for site in sites}
        everywhere = len(positions) == len(self._tokens) and bool((positions.diff() == 1).all())
        # all positions are no copy
        return {site: x if everywhere else x[positions.to(x.device)] for site, x in self.whole(sites).items()}

    def require_same(self, last_row: Float[Tensor, "positions d"]) -> None:
        """Raises ValueError where the model, run again on this run's tokens, has another last row than it had."""
        now, then = last_row.to(self._last_row), self._last_row
        rounding = 64 * torch.finfo(then.dtype).eps
        apart = (now - then).abs().amax(-1) > rounding * then.abs().amax(-1)
        if bool((apart & then.isfinite().all(-1)).any()):
            raise ValueError(
                f"{self.backend.facts.name} is not what it was: run again, its last residual row is another. Its weights were "
                "changed since this run; make a new one with lw.run(model, prompt)."
            )

    def _only_last(self, positions: Int[Tensor, "p"]) -> bool:
        return positions.tolist() == [len(self._tokens) - 1]

    def whole(self, sites: Iterable[Site]) -> dict[Site, Tensor]:
        """The whole of some activations: `[positions, …]`, and patterns `[heads, queries, keys]`.

        Raises ValueError for sites that a cache lacks, and for a model that changed.
        """
        sites = list(dict.fromkeys(sites))
        missing = [site for site in sites if site not in self._whole]
        if missing and self._cache is not None:
            found = {site: self._cache.get(site, self._prompt) for site in missing}
            lacking = [self.backend.name(site) for site, x in found.items() if x is None]
            if lacking:
                more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
                raise ValueError(
                    f"This cache lacks {lacking[0]}{more}, which attribution reads. Run it again as "
                    "model.run_with_cache(prompt, names_filter=lw.hooks(model)), or pass lw.run(model, prompt), which brings "
                    "what it needs."
                )
            self._whole |= {site: x for site, x in found.items() if x is not None}
        elif missing:
            self._whole |= self._run(missing)
        return {site: self._whole[site] for site in sites}

    def _run(self, sites: list[Site]) -> dict[Site, Tensor]:
        last = self.backend.rows[-1]
        kept = self.backend.forward(
            self._tokens.unsqueeze(0),
            keep=keep_whole([*sites, last]),
            change=changes(self.edits),
            stop=last,
            hooks=self.hooks,
        ).kept
        self.require_same(kept[last][0])
        silent = [self.backend.name(site) for site in sites if site not in kept]
        if silent:
            raise ValueError(
                f"{self.backend.facts.name} ran this prompt without passing {silent[0]}, which this unit of attribution reads; "
                "ask for unit='block'."
            )
        return {site: kept[site][0] for site in sites}


def last_position(activation: Tensor) -> Tensor:
    """Keeps the last position of an activation."""
    return activation[:, -1:].detach().clone()
