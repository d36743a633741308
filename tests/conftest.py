from __future__ import annotations

import os
from typing import Any

import pytest

# Before torch is loaded, for the tests and for every kernel that they start: its threads sleep where they wait for each
# other. They would spin, and where another process has a core, a forward pass then costs five times as much.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@pytest.fixture(scope="session")
def smollm() -> Any:
    """The embedded model, with its real weights: fetched once, and cached for the user."""
    import lenswidget as lw

    return lw.load(device="cpu")
