"""alone(): a model to one thread at a time, as TransformerLens's hooks are the model's and not the thread's."""

from __future__ import annotations

import threading
import weakref
from contextlib import AbstractContextManager
from typing import Any

_locks: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
_making = threading.Lock()


def alone(model: Any) -> AbstractContextManager[Any]:
    """The lock under which lenswidget runs a model; the thread that has it may take it again.

    Without it, what a live prompt runs and what a cell runs meanwhile would go through each other's hooks.
    """
    with _making:
        lock: AbstractContextManager[Any] = _locks.setdefault(model, threading.RLock())
        return lock
