"""Text for a fit: whatever it comes as, cut into windows of tokens, some of them held out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor

from lenswidget.model.backend import Backend
from lenswidget.model.generation import cache_agrees, ends_of, generate

WINDOW = 256
"""Tokens that the model sees at once, where its context allows."""

MIXED = 256
"""Windows that are kept to draw a mixed batch from."""


class Text:
    """Windows of tokens, packed one document after another with the end-of-text token between.

    `texts` is a list or iterator of texts, a Hugging Face dataset with a column "text", one text, or None for text that
    the model writes itself. `held_out` are `[windows, window]`, at least as many tokens as asked where there is text
    enough: a window of every fifth document, or of eight windows of a longer
    one, until there are enough; the rest of those is left unread. All others come in `batches`.
    A window starts with the BOS token where a prompt does.

    Raises ValueError for texts without tokens, or with only one, and for too few to fill two windows.
    """

    def __init__(
        self, backend: Backend, texts: Any = None, *, held_out: int = 1024, window: int | None = None, seed: int = 0
    ):
        self._again: Callable[[], Text] = partial(Text, backend, texts, held_out=held_out, window=window, seed=seed)
        self.window = min(window or WINDOW, backend.facts.context or WINDOW)
        self.words = in_words(backend.facts.name, texts)
        self.written = texts is None
        self.is_used_up = isinstance(texts, Iterator)
        self._seed = seed
        self._prefix = prefix_of(backend)
        end = getattr(backend.tokenizer, "eos_token_id", None)
        self._end = [] if end is None else [end]
        self._documents = written_by(backend, self.window, seed) if texts is None else tokenized(backend, texts)
        self._seen: set[int] = set()
        wanted = -(-held_out // self.window)
        held: list[Tensor] = []
        self._windows = self._split(held, wanted)
        self._waiting: deque[Tensor] = deque()
        while len(held) < wanted or not self._waiting:
            following = next(self._windows, None)
            if following is None:
                break
            self._waiting.append(following)
        self._require(len(held), wanted, backend.facts.name)
        self.held_out: Int[Tensor, "windows window"] = (
            torch.stack(held) if held else torch.empty(0, self.window, dtype=torch.int64)
        )

    def batches(self, windows: int, *, mixed: bool = False) -> Iterator[Int[Tensor, "windows window"]]:
        """What is not held out, so many windows at a time; the last batch may be smaller.

        `mixed` draws each batch from the windows of many documents: those of one are too alike to learn from.
        """
        ahead: list[Tensor] = []
        generator = torch.Generator().manual_seed(self._seed)
        # what the model writes itself is mixed, and takes its time to be written
        most = windows + (MIXED if mixed and not self.written else 0)
        while True:
            while len(ahead) < most:
                following = self._waiting.popleft() if self._waiting else next(self._windows, None)
                if following is None:
                    break
                ahead.append(following)
            if not ahead:
                return
            order = torch.randperm(len(ahead), generator=generator).tolist() if most > windows else range(len(ahead))
            drawn = set(order[:windows])
            yield torch.stack([ahead[i] for i in order[:windows]])
            ahead = [window for i, window in enumerate(ahead) if i not in drawn]

    @property
    def held_out_by_style(self) -> dict[str, Int[Tensor, "windows window"]]:
        """What is held out, all of one style."""
        return {"": self.held_out}

    @property
    def first(self) -> Int[Tensor, "one window"]:
        """The first window to fit on, which stays to be read."""
        return self._waiting[0].unsqueeze(0)

    def again(self) -> Text:
        """The same text from its beginning."""
        return self._again()

    def _split(self, held: list[Tensor], wanted: int) -> Iterator[Int[Tensor, "window"]]:
        """Windows to fit on; the first held-out ones go to `held` on the way."""
        size = self.window - len(self._prefix)
        fit: list[int] = []
        apart: list[int] = []
        stretches = (
            document[start : start + 8 * size] + (self._end if start + 8 * size >= len(document) else [])
            for document in self._documents
            for start in range(0, len(document), 8 * size)
        )
        for number, stretch in enumerate(stretches):
            if len(self._seen) < 2:
                self._seen.update(stretch[: len(stretch) - len(self._end)])
            if len(held) < wanted and number % 5 == 1:
                apart += stretch[:size]
                held += [self._tensor(apart[i : i + size]) for i in range(0, len(apart) - size + 1, size)]
                apart = apart[len(apart) // size * size :]
                continue
            fit += stretch
            for start in range(0, len(fit) - size + 1, size):
                yield self._tensor(fit[start : start + size])
            fit = fit[len(fit) // size * size :]

    def _tensor(self, ids: list[int]) -> Int[Tensor, "window"]:
        return torch.tensor(self._prefix + ids)

    def _require(self, held: int, wanted: int, model: str) -> None:
        if not self._seen:
            raise ValueError(f"There is no text to fit on: {self.words} without a token. Pass texts, or none at all.")
        if len(self._seen) == 1:
            raise ValueError(
                f"The texts hold only the token {next(iter(self._seen))}, over and over: nothing can be fitted on that."
            )
        if not self._waiting or (wanted and not held):
            raise ValueError(
                f"The texts are too short: they don't fill one window of {self.window} tokens to fit on and one to hold out. "
                f"Pass more text, pass none to let {model} write its own, or make windows shorter with window=."
            )


def strings(texts: Any) -> Iterator[str]:
    """The texts, one at a time, from whatever holds them."""
    if isinstance(texts, str):
        texts = [texts]
    if isinstance(texts, Mapping):
        if not texts:
            raise ValueError("This is an empty dictionary of texts; give each style its texts, as in {'story': […]}.")
        raise ValueError(
            f"This is a dictionary of {', '.join(map(str, texts))}: pass one of them, as in texts[{next(iter(texts))!r}]."
        )
    if not isinstance(texts, Iterable):
        raise TypeError(f"texts are a list or an iterator of texts, or a dataset; got {type(texts).__name__}.")
    for number, item in enumerate(texts):
        text = item.get("text") if isinstance(item, Mapping) else item
        if not isinstance(text, str):
            columns = f" with the columns {', '.join(map(str, item))}" if isinstance(item, Mapping) else ""
            raise TypeError(
                f"Item {number} of the texts is a {type(item).__name__}{columns}; expected a text, or a row with a column "
                "'text'."
            )
        yield text


def in_words(model: str, texts: Any) -> str:
    """What text this is, for a card; `model` is the name of the one that writes where there is none."""
    if texts is None:
        return f"text that {model} wrote itself"
    if isinstance(texts, str) or (hasattr(texts, "__len__") and len(texts) == 1):
        return "one text"
    named = getattr(getattr(texts, "info", None), "dataset_name", None)
    if named:
        return f"the dataset {named}"
    return f"{len(texts):,} texts" if hasattr(texts, "__len__") else "texts from an iterator"


def prefix_of(backend: Backend) -> list[int]:
    """The BOS token, where a prompt on this model starts with one; found by trying."""
    bos = getattr(backend.tokenizer, "bos_token_id", None)
    # a tokenizer of few symbols may make nothing of a letter
    return [bos] if bos is not None and backend.encode("a")[:1].tolist() == [bos] else []


def tokenized(backend: Backend, texts: Any) -> Iterator[list[int]]:
    """The token ids of each text, nothing put before them. Raises ValueError for a model without a tokenizer."""
    tokenizer = backend.tokenizer
    if tokenizer is None:
        raise ValueError(
            f"{backend.facts.name} came without a tokenizer to cut texts into tokens; pass one, tokenizer=tokenizer, or no texts "
            "to let the model write its own."
        )
    return (tokenizer(text, add_special_tokens=False)["input_ids"] for text in strings(texts))


def written_by(backend: Backend, length: int, seed: int, batch: int = 16) -> Iterator[list[int]]:
    """Texts that the model writes, sampled at temperature 1, each from a first token drawn from its vocabulary: as ids, so
    that a model without a tokenizer writes, too."""
    tokenizer, network = backend.tokenizer, backend.network
    ordinary = _ordinary(tokenizer, backend.unembedding()[0].shape[1])
    prefix = torch.tensor(prefix_of(backend), dtype=torch.int64)
    ends = ends_of(network, tokenizer)
    generator = torch.Generator().manual_seed(seed)

    def drawn(*shape: int) -> Tensor:
        return ordinary[torch.randint(len(ordinary), shape, generator=generator)]

    with backend.lock:
        use_cache = backend.remembered(
            "cache agrees", lambda: cache_agrees(network, ordinary[torch.arange(8) % len(ordinary)].unsqueeze(0))
        )
    while True:
        first = drawn(batch, 1)
        start = torch.cat([prefix.expand(batch, -1), first], 1)
        each = int(torch.randint(2**62, (1,), generator=generator))
        with backend.lock:
            written = generate(
                network, start, max_new_tokens=length - start.shape[1], ends=ends, seed=each, use_cache=use_cache
            )
        for begun, ids in zip(first.tolist(), written):
            yield [*begun, *ids]


def _ordinary(tokenizer: Any, vocabulary: int) -> Int[Tensor, "n"]:
    """The ids a text may begin with: of tokens that there are, for ids may have gaps, and that are not special."""
    if tokenizer is None:
        return torch.arange(vocabulary)
    ids = set(tokenizer.get_vocab().values()) - set(tokenizer.all_special_ids)
    return torch.tensor(sorted(i for i in ids if 0 <= i < vocabulary))
