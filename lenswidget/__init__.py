"""See a transformer make up its mind, inside the notebook.

    import lenswidget as lw

    model = lw.load()
    lw.logit_lens(lw.run(model, "The capital of France is"))

Names are looked up when they are first used, so that a saved Grid can be shown where there is no torch.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from lenswidget.grids.showable import register_viewer

register_viewer("lenswidget.view.viewer")

_HOME = {
    "CausalBasis": "lenses.causal_basis",
    "Comparison": "grids.comparison",
    "Diagnosis": "grids.diagnosis",
    "Edit": "model.edits",
    "Fidelity": "lenses.fidelity_figures",
    "FittedLens": "lenses.fitted",
    "Grid": "grids.grid",
    "JacobianLens": "lenses.jacobian",
    "Lens": "lenses.lens",
    "LensWidget": "view.widget",
    "LinearLens": "lenses.linear",
    "LogitLens": "lenses.logit",
    "ModelMap": "interventions.model_map",
    "NegativeLens": "lenses.logit",
    "Patchscope": "interventions.patchscope",
    "Run": "model.run",
    "SteeringVector": "interventions.steering",
    "TunedLens": "lenses.tuned",
    "attribute": "attribution.attribute",
    "causal_basis": "lenses.causal_basis",
    "causal_trace": "interventions.causal_tracing",
    "compare": "grids.comparison",
    "compare_lenses": "lenses.divergence",
    "diagnose": "lenses.diagnose",
    "divergence": "lenses.divergence",
    "explain": "lenses.explain",
    "fidelity": "lenses.fidelity",
    "from_cache": "model.cached_run",
    "generate": "lenses.generate",
    "hooks": "attribution.attribute",
    "live": "interactive.live",
    "load": "model.load",
    "load_lens": "lenses.load_lens",
    "logit_lens": "lenses.read",
    "patch": "interventions.patch",
    "path_patch": "interventions.path_patching",
    "promotes": "attribution.vocabulary_space",
    "read": "lenses.read",
    "residual_hooks": "model.cached_run",
    "row_changes": "grids.row_changes",
    "run": "model.run_prompt",
    "runs": "model.run_prompt",
    "steer": "interactive.steer",
    "trajectories": "evidence.trajectories",
    "unusual": "evidence.unusual",
    "write_page": "view.page",
}

__all__ = sorted(_HOME)  # noqa: PLE0605 (a list of str, which ruff can't see)

if TYPE_CHECKING:
    from lenswidget.attribution.attribute import attribute as attribute
    from lenswidget.attribution.attribute import hooks as hooks
    from lenswidget.attribution.vocabulary_space import promotes as promotes
    from lenswidget.evidence.trajectories import trajectories as trajectories
    from lenswidget.evidence.unusual import unusual as unusual
    from lenswidget.grids.comparison import Comparison as Comparison
    from lenswidget.grids.comparison import compare as compare
    from lenswidget.grids.diagnosis import Diagnosis as Diagnosis
    from lenswidget.grids.grid import Grid as Grid
    from lenswidget.grids.row_changes import row_changes as row_changes
    from lenswidget.interactive.live import live as live
    from lenswidget.interactive.steer import steer as steer
    from lenswidget.interventions.causal_tracing import causal_trace as causal_trace
    from lenswidget.interventions.model_map import ModelMap as ModelMap
    from lenswidget.interventions.patch import patch as patch
    from lenswidget.interventions.patchscope import Patchscope as Patchscope
    from lenswidget.interventions.path_patching import path_patch as path_patch
    from lenswidget.interventions.steering import SteeringVector as SteeringVector
    from lenswidget.lenses.causal_basis import CausalBasis as CausalBasis
    from lenswidget.lenses.causal_basis import causal_basis as causal_basis
    from lenswidget.lenses.diagnose import diagnose as diagnose
    from lenswidget.lenses.divergence import compare_lenses as compare_lenses
    from lenswidget.lenses.divergence import divergence as divergence
    from lenswidget.lenses.explain import explain as explain
    from lenswidget.lenses.fidelity import fidelity as fidelity
    from lenswidget.lenses.fidelity_figures import Fidelity as Fidelity
    from lenswidget.lenses.fitted import FittedLens as FittedLens
    from lenswidget.lenses.generate import generate as generate
    from lenswidget.lenses.jacobian import JacobianLens as JacobianLens
    from lenswidget.lenses.lens import Lens as Lens
    from lenswidget.lenses.linear import LinearLens as LinearLens
    from lenswidget.lenses.load_lens import load_lens as load_lens
    from lenswidget.lenses.logit import LogitLens as LogitLens
    from lenswidget.lenses.logit import NegativeLens as NegativeLens
    from lenswidget.lenses.read import logit_lens as logit_lens
    from lenswidget.lenses.read import read as read
    from lenswidget.lenses.tuned import TunedLens as TunedLens
    from lenswidget.model.cached_run import from_cache as from_cache
    from lenswidget.model.cached_run import residual_hooks as residual_hooks
    from lenswidget.model.edits import Edit as Edit
    from lenswidget.model.load import load as load
    from lenswidget.model.run import Run as Run
    from lenswidget.model.run_prompt import run as run
    from lenswidget.model.run_prompt import runs as runs
    from lenswidget.view.page import write_page as write_page
    from lenswidget.view.widget import LensWidget as LensWidget


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return version("lenswidget")
    if name == "lessons":
        return import_module("lenswidget.lessons")
    if name not in _HOME:
        raise AttributeError(f"lenswidget has no {name!r}; it has {', '.join(__all__)}.")
    value = getattr(import_module(f"lenswidget.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__", "lessons"])
