"""What torch raises for a file that is damaged, or that has code in it, as sentences."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def reading(path: str | os.PathLike[str]) -> Iterator[None]:
    """Round `torch.load(path, weights_only=True)` and what takes its result apart; raises ValueError, with the reason."""
    try:
        yield
    except pickle.UnpicklingError as reason:
        if "GLOBAL" not in str(reason):  # as torch calls what a pickle would run or look up
            raise ValueError(f"{os.fspath(path)!r} is no file of tensors, or is damaged.") from reason
        raise ValueError(
            f"{os.fspath(path)!r} holds code, so it was not read: a lens is tensors and nothing else. Get it again from who "
            "published it."
        ) from reason
    except (RuntimeError, EOFError, KeyError, TypeError, AttributeError) as reason:
        raise ValueError(f"{os.fspath(path)!r} is no file of a lens, or is cut short: {reason!r}.") from reason
