"""Backend: what lenswidget may ask of a model. One subclass a library, in `backends/`; nothing else touches a model."""

from __future__ import annotations

import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from lenswidget.model.site import Site
from lenswidget.model.user_hooks import UserHooks, modules_of, user_hooks

T = TypeVar("T")
Keep = Callable[[Tensor], Tensor]
"""What to keep of an activation `[batch, positions, …]`, or of a pattern `[batch, heads, queries, keys]`."""
Change = Callable[[Tensor], Tensor | None]
"""What to put in an activation's place; None leaves it as it is."""
SENTENCE = "The quick brown fox jumps over 12 lazy dogs."
"""What a model is tried on."""
FEW = 12
"""Token ids that a model without a tokenizer is tried on."""
STATES = 4
"""How many states of a model are remembered, for flags and adapters that are switched to and fro."""


@dataclass(frozen=True)
class Facts:
    """What a model says of itself."""

    name: str
    """As people call it: the last part of its path or name."""
    architecture: str
    layers: int
    width: int
    """Of the residual stream, `d_model`."""
    context: int | None
    """Tokens that it takes at once; None where it has no limit."""
    heads: int
    """Attention heads a block, as its config says."""
    eps: float
    """Of its norms, for a norm that doesn't tell its own."""
    revision: str = ""
    """The commit that it came from, where it came from a hub."""
    processing: str = ""
    """What was done to its weights after training, in words: "norms folded, unembedding centred"; "" where nothing was."""
    effect: str = ""
    """What that does to what is shown, in words."""


@dataclass(frozen=True)
class Pass:
    """What one forward pass left: the logits, None where it was stopped before them, and what was kept."""

    logits: Float[Tensor, "batch positions vocabulary"] | None
    kept: Mapping[Site, Tensor]


@dataclass
class _Memory:
    """What is remembered of one model: a lock, and for each of its last states what was found in it."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    found: dict[Hashable, dict[str, Any]] = field(default_factory=dict)


_memories: weakref.WeakKeyDictionary[Any, _Memory] = weakref.WeakKeyDictionary()
_making = threading.Lock()


class Backend(ABC):
    """A model of one library, as the rest of lenswidget sees it.

    It is cheap, and made anew for each use: what is remembered of a model is kept beside it and shared. `remembered` finds
    a thing once for each state of the model, and again when that has changed: its flags, modules, weights or tokenizer.
    What users hang on a model for one look isn't part of its state: nothing is found under it.
    A subclass is registered with `lenswidget.model.backends.register`.
    """

    def __init__(self, model: Any) -> None:
        self.model = model

    @classmethod
    @abstractmethod
    def recognizes(cls, model: object) -> bool:
        """Whether a model is one of this library's."""

    @property
    @abstractmethod
    def facts(self) -> Facts:
        """What the model says of itself."""

    @abstractmethod
    def find_state(self) -> Hashable:
        """A value that changes when what may be remembered does: flags, modules, weights, tokenizer."""

    @abstractmethod
    def refusal(self) -> str | None:
        """Why no lens can read this model, in a sentence that names it; None where one can."""

    @property
    @abstractmethod
    def tokenizer(self) -> Any:
        """The Hugging Face tokenizer; None where the model has none."""

    @abstractmethod
    def encode(self, text: str) -> Int[Tensor, "positions"]:
        """The token ids of a text, with what the library adds before it, a beginning-of-sequence token for one."""

    @abstractmethod
    def sites(self) -> Collection[Site]:
        """Every site at which a part of a block may be found: what enters and leaves its modules, and its patterns."""

    @abstractmethod
    def name(self, site: Site) -> str:
        """What the library calls a site: the name of its hook."""

    @abstractmethod
    def forward(
        self,
        tokens: Int[Tensor, "batch positions"],
        *,
        keep: Mapping[Site, Keep],
        change: Mapping[Site, Change] | None = None,
        stop: Site | None = None,
        hooks: UserHooks | None = None,
        past: Any = None,
        gradient: bool = False,
    ) -> Pass:
        """Run the model. `keep` says what of which sites, `change` what to put in an activation's place (the changed one is
        kept), `stop` the site after which nothing more is computed. It runs under the user's `hooks`, those that hang on it
        by default. `past` is a cache of what came before these tokens, as `past()` gives. Gradients are recorded only
        with `gradient`: see `model/gradients.py`.

        A change of a row may return more prompts than came in: from there on, the batch has so many."""

    @abstractmethod
    def module(self, block: int | None, path: str) -> torch.nn.Module | None:
        """The model's own module at a path within a block, with its weights as they are now; `"norm"` outside the blocks is
        the final norm. None where there is none.

        A linear map has a `weight` of two dimensions and perhaps a `bias`, a norm has both as vectors, as torch's own do. A
        library that keeps them otherwise gives a module that has them so, with the same storage, and computes the same."""

    @abstractmethod
    def unembedding(self) -> tuple[Float[Tensor, "d vocabulary"], Float[Tensor, "vocabulary"] | None]:
        """`W_U` and its bias, as they are stored."""

    @abstractmethod
    def after_unembedding(self, logits: Tensor) -> Tensor:
        """What the model does to its logits after the unembedding: a scale, a soft-cap, or nothing."""

    @property
    @abstractmethod
    def network(self) -> torch.nn.Module:
        """The network that can write text, as Hugging Face's `generate` does."""

    # What follows from the calls above, for every library.

    @property
    def rows(self) -> tuple[Site, ...]:
        """The sites of the `L + 1` rows of the residual stream, from the embedding up."""
        return tuple(Site(layer, "", "row") for layer in range(self.facts.layers + 1))

    def graph(self, tokens: Int[Tensor, "batch positions"]) -> list[Float[Tensor, "batch positions d"]]:
        """The rows of the stream from the first block's output up, in one graph: gradients flow from each to those before.

        Raises NotImplementedError where a library fits with gradients itself.
        """
        raise NotImplementedError(f"{type(self).__name__} gives no gradients.")

    def past(self, tokens: Int[Tensor, "positions"], *, change: Mapping[Site, Change], hooks: UserHooks) -> Past | None:
        """What some tokens leave for passes that go on from them, `forward(…, past=past.upto(n))`; None where nothing can be
        shared. Whether such a pass is right is not ours to know: whoever makes one tries it first."""
        return None

    def past_of_nothing(self) -> Past | None:
        """The same of no tokens, from which a pass may grow: `past.growing(0, 1)`; None where nothing can be kept."""
        return None

    def use_tokenizer(self, tokenizer: Any) -> None:
        """Read this model's texts through a tokenizer that its user gave. Raises TypeError where it has its own."""
        raise TypeError(
            f"A {type(self.model).__name__} has its own tokenizer; set model.tokenizer = tokenizer, and leave tokenizer= out."
        )

    def sample(self, vocabulary: int, context: int | None) -> Int[Tensor, "positions"]:
        """A short prompt to try a model on: a sentence where its tokenizer can write one, else ids from the whole vocabulary."""
        if self.tokenizer is not None:
            try:
                ids = self.encode(SENTENCE)[:context]
            except Exception:  # a tokenizer of eleven symbols has no word for a fox
                ids = torch.zeros(0)
            if len(ids) > 1 and int(ids.max()) < vocabulary:
                return ids.long()
        count = min(context or FEW, FEW)
        return (torch.arange(1, count + 1) * vocabulary) // (count + 1)

    @property
    def vocabulary(self) -> int:
        """How many token ids it can be given, which may be others than those that it predicts."""
        return self.unembedding()[0].shape[1]

    @property
    def ids(self) -> Site:
        """The site at which token ids enter the model."""
        return Site(None, "embed", "in")

    @property
    def device(self) -> torch.device:
        """Where the unembedding is, and so everything that is read."""
        return self.unembedding()[0].device

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """The lock under which lenswidget runs the model; the thread that has it may take it again.

        Hooks are the model's and not the thread's: without it, a live prompt and a cell that runs meanwhile would go
        through each other's hooks.
        """
        return self._memory.lock

    def user_hooks(self) -> UserHooks:
        """What the user has hung on the model."""
        with self.lock:  # while a run of another thread has it, ours hang there, too
            return user_hooks(self.model, self.modules)

    @cached_property
    def modules(self) -> list[torch.nn.Module]:
        """Every module of the model, found once: a bridge has thousands, and each run goes through them twice."""
        return modules_of(self.model)

    @cached_property
    def state(self) -> Hashable:
        """The state that the model was in when this backend was first asked for what is remembered."""
        return self.find_state()

    def require_readable(self) -> None:
        """Raises ValueError, with the reason, for a model that no lens can read."""
        reason = self.remembered("refusal", self.refusal)
        if reason is not None:
            raise ValueError(reason)

    def remembered(self, what: str, find: Callable[[], T], *, large: bool = False) -> T:
        """What `find` returns, found once for each state of the model. Of what is `large`, only the newest is kept."""
        with self.lock:
            found = self._memory.found
            known = found.pop(self.state, {})
            found[self.state] = known  # the newest is last
            while len(found) > STATES:
                found.pop(next(iter(found)))
            if what not in known:
                for earlier in found.values() if large else ():
                    earlier.pop(what, None)
                known[what] = find()
            value: T = known[what]
            return value

    def recall(self, what: str) -> Any:
        """What is remembered of the model in this state; None where it wasn't found yet."""
        return self._memory.found.get(self.state, {}).get(what)

    @property
    def _memory(self) -> _Memory:
        with _making:
            return _memories.setdefault(self.model, _Memory())


class Past(ABC):
    """What the tokens of a prompt left for the passes that go on from them: a cache that is read, and never written."""

    @abstractmethod
    def upto(self, length: int) -> Any:
        """What the first `length` tokens left, as the library's `forward` takes it."""

    @abstractmethod
    def growing(self, length: int, batch: int) -> Any:
        """The same for so many prompts that go on from there, each its own way: each pass adds what it leaves."""

    @abstractmethod
    def after(self, grown: Any) -> Past:
        """What `growing` has become by the passes that it was given to."""

    @property
    @abstractmethod
    def length(self) -> int | None:
        """How many tokens it is of; None where it isn't whole."""


class CachedPass(ABC):
    """What an earlier forward pass left in a library's own cache of activations."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    @property
    @abstractmethod
    def prompts(self) -> int:
        """How many prompts it holds."""

    @abstractmethod
    def get(self, site: Site, prompt: int = 0) -> Tensor | None:
        """One prompt's activation, without the batch dimension; None where it wasn't kept."""

    @abstractmethod
    def unembedded(self, prompt: int = 0) -> Tensor | None:
        """What left the unembedding, before any scale or soft-cap; None where it wasn't kept."""


def whole(activation: Tensor) -> Tensor:
    """Keeps all of an activation."""
    return activation.detach()


def keep_whole(sites: Sequence[Site]) -> dict[Site, Keep]:
    """Some sites, all of each: for `Backend.forward`."""
    return dict.fromkeys(sites, whole)
