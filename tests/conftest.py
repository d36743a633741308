from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="session")
def smollm() -> Any:
    """The embedded model, with its real weights: fetched once, and cached for the user."""
    import lenswidget as lw

    return lw.load(device="cpu")
