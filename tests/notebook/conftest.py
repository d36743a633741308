from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.notebook.hosts import Host, Watched, browser, serve, watch

# a notebook host on two cores that others use too has slow moments
expect.set_options(timeout=30_000)


@pytest.fixture(scope="session", autouse=True)
def patience() -> Iterator[None]:
    """In every kernel that a test starts, torch's threads sleep where they wait for each other.

    They would spin, and where the browser has a core, a forward pass then costs several times as much.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_WAIT_POLICY", "PASSIVE")
        yield


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with browser() as one:
        yield one


@pytest.fixture(scope="session", params=["lab", "notebook"])
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with serve(request.param, tmp_path_factory.mktemp(request.param)) as running:
        yield running


@pytest.fixture
def watched(chromium: Browser) -> Iterator[Watched]:
    """A page that must ask nothing of the world outside, and in which nothing may go wrong."""
    context = chromium.new_context(viewport={"width": 1440, "height": 1000})
    page = watch(context)
    yield page
    context.close()
    assert page.outside == []
    assert page.errors == []
