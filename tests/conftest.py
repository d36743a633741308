from __future__ import annotations

import os
import re
import signal
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:
    # before torch comes: workers share the cores, and so do their kernels
    os.environ.setdefault("OMP_NUM_THREADS", "1")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # a shell's background job begins so, and tests that interrupt themselves would never hear it
    signal.signal(signal.SIGINT, signal.default_int_handler)

SLOW = {"smollm", "built"}
"""Fixtures of tests that `make quick` leaves out: the embedded model, the package as it is built."""


@pytest.fixture(scope="session")
def smollm() -> Any:
    """The embedded model, with its real weights: fetched once, and cached for the user."""
    import lenswidget as lw

    return lw.load(device="cpu")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """A worker a core, but no more than the few that the longest files keep busy: each holds a model of its own."""
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 4)


def makes_models_or_browsers(path: Path) -> bool:
    """Whether a file's tests are slow, all of them. `make quick` doesn't import it: that takes as long as to run all others."""
    return "notebook" in path.parts or (path.suffix == ".py" and "import architectures" in path.read_text("utf-8"))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    left_out = "not slow" in config.option.markexpr and makes_models_or_browsers(collection_path)
    return True if left_out else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if fixtures & SLOW or makes_models_or_browsers(item.path):
            item.add_marker(pytest.mark.slow)
        if "host" in fixtures:
            item.add_marker(pytest.mark.host)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Where tests fail, say which packages are other than those that are known to be good: perhaps it is one of them."""
    if not terminalreporter.stats.keys() & {"failed", "error"}:
        return
    constraints = Path(__file__).parents[1] / "constraints.txt"
    known = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", constraints.read_text(), re.MULTILINE))
    others = [f"{name} {now} ({known[name]})" for name, now in _installed(known).items() if now != known[name]]
    if others:
        terminalreporter.section("not the versions that are known to be good")
        terminalreporter.write_line(f"{', '.join(others)}\nTo try with those: make test VERSIONS=known")


def _installed(names: Any) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = version(name).partition("+")[0]
        except PackageNotFoundError:
            continue
    return found
