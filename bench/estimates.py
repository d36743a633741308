"""What estimates and paths cost beside one bare forward pass of the same prompt, and how far estimates can be believed.

Times are of the processor, on one thread, so that what else the machine does falls on none of them.
"""

from __future__ import annotations

import contextlib
import io
from functools import partial

import numpy as np
import torch

import lenswidget as lw
from bench.timing import median
from lenswidget.interventions.attribution_patching import estimates, number_of
from lenswidget.model.backend import keep_whole
from lenswidget.model.find_components import components_of
from lenswidget.model.targets import targets_of
from lenswidget.model.user_hooks import NONE

PAIRS = {
    "prefix shared": (
        "When John and Mary went to the shop, John gave a bottle of milk to",
        "When John and Mary went to the shop, Mary gave a bottle of milk to",
        " Mary",
        " John",
    ),
    "none shared": (
        "The Colosseum is located in the city of",
        "The Eiffel Tower is located in the city of",
        " Paris",
        " Rome",
    ),
}
UNITS = {"row": None, "attn": None, "mlp": None, "head": slice(None)}


def main() -> None:
    torch.set_num_threads(1)
    model = lw.load(device="cpu")
    for name, (base_text, source_text, target, against) in PAIRS.items():
        base, source = lw.runs(model, [base_text, source_text])
        with torch.no_grad():
            F = median(lambda: model(base.tokens[None]))  # noqa: B023
        print(f"{name}, {len(base.tokens)} tokens, F = {F * 1e3:.0f} ms")
        print(
            f"  every site at once, estimated: {median(partial(every_site, base, source, target, against)) / F:.1f} F"
        )
        with contextlib.redirect_stderr(io.StringIO()):
            for unit, at in UNITS.items():
                sweep = partial(lw.patch, base, source, target, against, unit=unit, at=at)
                both = [sweep(method="gradient").values("estimate").ravel(), sweep().values("recovered").ravel()]
                there = np.isfinite(both).all(0)
                r = np.corrcoef(both[0][there], both[1][there])[0, 1]
                print(
                    f"  {unit}: with its ten largest exactly {median(partial(sweep, method='gradient')) / F:.1f} F, r = {r:.2f}"
                )
            for to in ("L23H3", "L25.mlp", "logits"):
                path = partial(lw.path_patch, base, source, target, against, to=to)
                grid = path()
                senders = int(np.isfinite(grid.values("effect")).sum())
                print(f"  paths of {senders} senders to {to}: {median(path) / F:.1f} F")


def every_site(base: lw.Run, source: lw.Run, target: str, against: str) -> None:
    """Rows at every position, attention, MLPs, what every head mixed and every neuron, the source's own pass included."""
    activations = base.require_activations()
    backend = activations.backend
    within = [s for part in components_of(backend).parts if part.site.block is not None for s in part.sites]
    sites = list(dict.fromkeys([*backend.rows[:-1], *within]))
    there = backend.forward(source.tokens[None], keep=keep_whole(sites), stop=backend.rows[-1], hooks=NONE).kept
    number = number_of(base.readout, targets_of(base, [target, against]), "logit difference", -1)
    estimates(base, sites, lambda site, _: there[site][0].flatten(1), number)


if __name__ == "__main__":
    main()
