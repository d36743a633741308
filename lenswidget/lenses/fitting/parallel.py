"""Several processes, one fit: under torchrun, each runs a share of the text through the model and sums go round."""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

PATIENCE = timedelta(minutes=5)
"""How long a process waits for the others before it says that one of them is gone."""


def _leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


def _join(backend: str) -> None:
    """As torch does, but for this: workers that torchrun starts again share the store of those that ended, in which they may find
    the address of one that is no more. Those of one node know how often they were started, and so which entries are theirs;
    those of several have no number in common, and docs/scale.md says how each start gets a store of its own.
    """
    from torch.distributed.rendezvous import rendezvous  # which a torch without distributed lacks

    store, rank, world = next(iter(rendezvous("env://", timeout=PATIENCE)))
    if os.environ.get("GROUP_WORLD_SIZE") == "1":
        store = dist.PrefixStore(f"start {os.environ.get('TORCHELASTIC_RESTART_COUNT')}", store)  # type: ignore[attr-defined]
    dist.init_process_group(backend, store=store, rank=rank, world_size=world, timeout=PATIENCE)


@dataclass(frozen=True)
class Workers:
    """The processes of a fit: this one's rank among `world`. One process is a world of its own."""

    rank: int = 0
    world: int = 1
    device: torch.device | str = "cpu"
    """Where a number lies that goes round."""

    @classmethod
    def here(cls, device: torch.device) -> Workers:
        """Those that torchrun started, or this one alone. Joins them where the caller hasn't yet."""
        if not dist.is_available():
            return cls()
        if not dist.is_initialized():
            if int(os.environ.get("WORLD_SIZE", "1")) < 2 or "MASTER_ADDR" not in os.environ:
                return cls()
            _join("nccl" if device.type == "cuda" else "gloo")
            atexit.register(_leave)  # threads that are still joined when a process ends abort it, now and then
        # over NCCL each process sends from a GPU of its own, whichever torch takes where none is named
        return cls(dist.get_rank(), dist.get_world_size(), device if dist.get_backend() == "nccl" else "cpu")

    def share(self, items: Any) -> Any:
        """This process's part of what every process has: every `world`-th of them."""
        return items[self.rank :: self.world]

    def add(self, tensors: Iterable[Tensor]) -> None:
        """Replace every tensor by its sum over the processes.

        Raises RuntimeError where another process has ended or does not answer.
        """
        if self.world > 1:
            for tensor in tensors:
                self._together(dist.all_reduce, tensor)

    def most(self, value: float) -> float:
        """The largest that any process has."""
        if self.world == 1:
            return value
        together = torch.tensor(value, device=self.device)
        self._together(dist.all_reduce, together, dist.ReduceOp.MAX)
        return float(together)

    def any(self, flag: bool) -> bool:
        """Whether it is so in any process."""
        return bool(self.most(float(flag)))

    def from_first(self, tensor: Tensor) -> Tensor:
        """The first process's tensor, in every process."""
        if self.world > 1:
            self._together(dist.broadcast, tensor, 0)
        return tensor

    def _together(self, operation: Any, *arguments: Any) -> None:
        try:
            operation(*arguments)
        except RuntimeError as reason:
            raise RuntimeError(
                f"Process {self.rank} of this fit stopped: another of its {self.world} processes has ended or did not answer "
                f"within {PATIENCE.seconds // 60} minutes. Look for its own message above; a checkpoint goes on with resume=."
            ) from reason
