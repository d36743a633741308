"""Text of several styles for one fit: of each its share of the windows, and some of each held out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from lenswidget.lenses.fitting.text import Text
from lenswidget.model.backend import Backend

SPLITS = frozenset({"train", "test", "validation", "unsupervised"})
"""What the parts of one dataset are called, of which only one is to be fitted on."""


class Mixture:
    """Windows of several texts in turn, each as often as its share asks.

    `texts` are what `Text` takes, by the name of their style. `shares` are their sizes beside each other, all the same by
    default; they needn't sum to 1. `held_out` tokens are shared equally, so that each style's figure is as sure. A text
    that ends is read again until each was read to its end once; an iterator that ends, ends the whole.

    Raises ValueError for shares of other styles, for one that isn't above 0, and, naming the style, for what `Text` refuses.
    """

    def __init__(
        self,
        backend: Backend,
        texts: Mapping[str, Any],
        shares: Mapping[str, float | int] | None = None,
        *,
        held_out: int = 1024,
        window: int | None = None,
        seed: int = 0,
    ):
        self._again: Callable[[], Mixture] = partial(
            Mixture, backend, texts, shares, held_out=held_out, window=window, seed=seed
        )
        self.shares = _shares(texts, shares)
        each = -(-held_out // len(texts))
        self.parts: dict[str, Text] = {}
        for name, some in texts.items():
            try:
                self.parts[name] = Text(backend, some, held_out=each, window=window, seed=seed)
            except (ValueError, TypeError) as reason:
                raise type(reason)(f"Of the texts {name!r}: {reason}") from None
        first = next(iter(self.parts.values()))
        self.window, self.first = first.window, first.first
        self.is_used_up = any(part.is_used_up for part in self.parts.values())
        named = (f"{self.shares[name]:.0%} {name} ({part.words})" for name, part in self.parts.items())
        self.words = ", ".join(named)

    @property
    def held_out(self) -> Int[Tensor, "windows window"]:
        return torch.cat(list(self.held_out_by_style.values()))

    @property
    def held_out_by_style(self) -> dict[str, Int[Tensor, "windows window"]]:
        """What is held out of each."""
        return {name: part.held_out for name, part in self.parts.items()}

    def batches(self, windows: int, *, mixed: bool = False) -> Iterator[Int[Tensor, "windows window"]]:
        """So many windows at a time, of each style its share; the last batch may be smaller. `mixed` is `Text`'s."""
        streams = {name: part.batches(1, mixed=mixed) for name, part in self.parts.items()}
        taken = dict.fromkeys(self.parts, 0)
        to_read = set(self.parts)
        batch: list[Tensor] = []
        while to_read:
            # who is furthest behind its share is next
            name = min(taken, key=lambda one: (taken[one] + 1) / self.shares[one])
            window = next(streams[name], None)
            if window is None:
                to_read.discard(name)
                if self.parts[name].is_used_up:
                    break
                streams[name] = self.parts[name].again().batches(1, mixed=mixed)
                continue
            taken[name] += 1
            batch.append(window)
            if len(batch) == windows:
                yield torch.cat(batch)
                batch = []
        if batch:
            yield torch.cat(batch)

    def again(self) -> Mixture:
        """The same texts from their beginnings."""
        return self._again()


def styles_of(texts: Any) -> Mapping[str, Any] | None:
    """Texts by style as they are; None for texts of one kind, and for the parts of a dataset, of which one is to be chosen."""
    is_styled = isinstance(texts, Mapping) and texts and not SPLITS & set(texts)
    return {str(name): some for name, some in texts.items()} if is_styled else None


def text_of(backend: Backend, texts: Any, shares: Mapping[str, float | int] | None, **settings: Any) -> Text | Mixture:
    """What a fit reads: texts by style, or texts of one kind. `settings` are `Text`'s.

    Raises ValueError for shares where there are no styles.
    """
    styles = styles_of(texts)
    if styles is not None:
        return Mixture(backend, styles, shares, **settings)
    if shares is not None:
        raise ValueError(
            "shares are of texts by style, as in texts={'prose': […], 'code': […]}, shares={'prose': 2, 'code': 1}; these texts "
            "have no styles."
        )
    return Text(backend, texts, **settings)


def _shares(texts: Mapping[str, Any], shares: Mapping[str, float | int] | None) -> dict[str, float]:
    """Shares that sum to 1."""
    given = dict.fromkeys(texts, 1.0) if shares is None else {name: float(share) for name, share in shares.items()}
    odd = sorted(given.keys() ^ texts.keys())
    if odd:
        raise ValueError(
            f"shares has one for each of the texts, {', '.join(map(repr, texts))}; it and they differ in {odd[0]!r}."
        )
    for name, share in given.items():
        if not 0 < share < float("inf"):
            raise ValueError(f"A share is a number above 0; got {share} for {name!r}.")
    return {name: given[name] / sum(given.values()) for name in texts}
