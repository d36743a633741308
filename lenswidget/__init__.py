"""See a transformer make up its mind, inside the notebook.

    import lenswidget as lw

    model = lw.load()
    lw.logit_lens(lw.run(model, "The capital of France is"))

Names are looked up when they are first used, so that a saved Grid can be shown where there is no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOME = {
    "Comparison": "comparison",
    "Diagnosis": "diagnosis",
    "Fidelity": "lenses.fidelity",
    "FittedLens": "lenses.fitted",
    "Grid": "grid",
    "JacobianLens": "lenses.jacobian",
    "Lens": "lenses.lens",
    "LensWidget": "widget",
    "LinearLens": "lenses.linear",
    "LogitLens": "lenses.logit",
    "NegativeLens": "lenses.logit",
    "Run": "cached_run",
    "TunedLens": "lenses.tuned",
    "attribute": "attribution",
    "compare": "comparison",
    "compare_lenses": "lenses.divergence",
    "diagnose": "diagnosis",
    "divergence": "lenses.divergence",
    "explain": "jumps",
    "fidelity": "lenses.fidelity",
    "from_cache": "cached_run",
    "hooks": "attribution",
    "live": "live_prompt",
    "load": "models",
    "load_lens": "lenses.load",
    "logit_lens": "lenses.read",
    "promotes": "vocabulary_space",
    "read": "lenses.read",
    "residual_hooks": "cached_run",
    "row_changes": "changes",
    "run": "cached_run",
    "runs": "cached_run",
    "write_page": "page",
}

__all__ = sorted(_HOME)  # noqa: PLE0605 (a list of str, which ruff can't see)

if TYPE_CHECKING:
    from lenswidget.attribution import attribute as attribute
    from lenswidget.attribution import hooks as hooks
    from lenswidget.cached_run import Run as Run
    from lenswidget.cached_run import from_cache as from_cache
    from lenswidget.cached_run import residual_hooks as residual_hooks
    from lenswidget.cached_run import run as run
    from lenswidget.cached_run import runs as runs
    from lenswidget.changes import row_changes as row_changes
    from lenswidget.comparison import Comparison as Comparison
    from lenswidget.comparison import compare as compare
    from lenswidget.diagnosis import Diagnosis as Diagnosis
    from lenswidget.diagnosis import diagnose as diagnose
    from lenswidget.grid import Grid as Grid
    from lenswidget.jumps import explain as explain
    from lenswidget.lenses.divergence import compare_lenses as compare_lenses
    from lenswidget.lenses.divergence import divergence as divergence
    from lenswidget.lenses.fidelity import Fidelity as Fidelity
    from lenswidget.lenses.fidelity import fidelity as fidelity
    from lenswidget.lenses.fitted import FittedLens as FittedLens
    from lenswidget.lenses.jacobian import JacobianLens as JacobianLens
    from lenswidget.lenses.lens import Lens as Lens
    from lenswidget.lenses.linear import LinearLens as LinearLens
    from lenswidget.lenses.load import load_lens as load_lens
    from lenswidget.lenses.logit import LogitLens as LogitLens
    from lenswidget.lenses.logit import NegativeLens as NegativeLens
    from lenswidget.lenses.read import logit_lens as logit_lens
    from lenswidget.lenses.read import read as read
    from lenswidget.lenses.tuned import TunedLens as TunedLens
    from lenswidget.live_prompt import live as live
    from lenswidget.models import load as load
    from lenswidget.page import write_page as write_page
    from lenswidget.vocabulary_space import promotes as promotes
    from lenswidget.widget import LensWidget as LensWidget


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"lenswidget has no {name!r}; it has {', '.join(__all__)}.")
    value = getattr(import_module(f"lenswidget.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
