"""Grids made by hand, for tests of the view: no model, no torch."""

from __future__ import annotations

import numpy as np

from lenswidget.grid import Candidates, Check, Grid, Jumps, Quantity, Strip, Target, Trajectories

HOSTILE = [
    "</script><script>alert(1)</script>", '"quoted"', "'", "&amp;<b>", "\u202egnihsams", "\ud83d", "👩‍🚀", "\n", "\t", " ",
    "\x00", "<0xE2><0x80>", "constructor", "__proto__", "\u0301", "\ufeff", "{}", "`${1}`", "\u2028", "中文",
]  # fmt: skip


def make_grid(
    rows: int = 7, columns: int = 5, *, k: int = 4, vocabulary: int = 60, seed: int = 0, title: str = ""
) -> Grid:
    """A Grid with every part filled: plausible shapes, arbitrary numbers, the same for the same seed."""
    random = np.random.default_rng(seed)
    texts = {i: f" tok{i}" for i in range(vocabulary)}
    logits = random.normal(size=(rows, columns, vocabulary)).cumsum(0) * 1.5
    bits = (logits - np.log(np.exp(logits).sum(-1, keepdims=True))) / np.log(2)
    order = np.argsort(-bits, axis=-1)
    top = order[..., :k]
    ranks = np.argsort(order, axis=-1) + 1
    ids, offsets = [], [0]
    for c in range(columns):
        ids.append(np.unique(top[:, c]))
        offsets.append(offsets[-1] + len(ids[-1]))
    entries = [(c, i) for c in range(columns) for i in ids[c]]
    tokens = random.integers(0, vocabulary, columns)
    following = np.append(tokens[1:], -1)
    target = int(top[-1, -1, 0])
    leading = top[..., 0]
    differs = leading != leading[-1]
    q = np.exp2(bits[-1])
    quantities = [
        Quantity("probability", _f(np.exp2(np.take_along_axis(bits, top, -1)[..., 0])), domain=(0.0, 1.0)),
        Quantity("entropy", _f(-(np.exp2(bits) * bits).sum(-1)), unit="bits", domain=(0.0, float(np.log2(vocabulary)))),
        Quantity("KL to the output", _f((q * (bits[-1] - bits)).sum(-1)), unit="bits"),
        Quantity("change", _f(random.normal(size=(rows, columns))), unit="bits", centre=0.0),
        Quantity(f"probability of ' tok{target}'", _f(np.exp2(bits[..., target])), domain=(0.0, 1.0), target=0,
                 measure="probability"),
        Quantity(f"rank of ' tok{target}'", _f(ranks[..., target]), scale="log", strong="low",
                 domain=(1.0, float(vocabulary)), target=0, measure="rank"),
    ]  # fmt: skip
    parts = ("{}H0", "{}H1", "{}.mlp")
    jumps = random.normal(size=(2, rows, len(parts)))
    jumps[:, 0] = np.nan
    place = np.stack([ranks[:, c, i] for c, i in entries])
    return Grid(
        title=title or "".join(texts[int(t)] for t in tokens),
        kind="Logit lens",
        model="a-model-of-tests",
        rows=("embed", *(f"L{i}" for i in range(rows - 1))),
        columns=tokens.astype(np.int32),
        positions=np.arange(columns, dtype=np.int32),
        quantities={quantity.name: quantity for quantity in quantities},
        texts=texts,
        candidates=Candidates(top.astype(np.int32), _f(np.take_along_axis(bits, top, -1))),
        trajectories=Trajectories(
            np.array(offsets, dtype=np.int32),
            np.array([i for _, i in entries], dtype=np.int32),
            _f(np.stack([bits[:, c, i] for c, i in entries])),
            np.where(place <= k, place, 0).astype(np.int32),
        ),
        targets=(Target(f" tok{target}", (target,)),),
        following=following.astype(np.int32),
        decision=np.where(differs.any(0), rows - np.argmax(differs[::-1], 0), 0).astype(np.int32),
        aside=(0,) if columns > 1 else (),
        special=(0,),
        strips=(
            Strip(
                "held-out KL",
                _f(np.linspace(9, 0, rows)),
                unit="bits",
                strong="low",
                domain=(0.0, 9.0),
                says="this row was {} from the output on held-out text",
            ),
        ),
        jumps=Jumps(
            np.full(2, columns - 1, dtype=np.int32),
            top[-1, -1, :2].astype(np.int32),
            parts,
            _f(jumps),
            Check(3e-7, 1e-4, "rows sum to the jump"),
        ),
        check=Check(2e-6, 1e-3),
        notes=("raw, unadjusted",),
        provenance={"lenswidget": "test"},
    )


def hostile_grid() -> Grid:
    """A Grid whose every text is an attack, and whose numbers are odd."""
    from dataclasses import replace

    grid = make_grid(6, 6, vocabulary=len(HOSTILE), title=HOSTILE[0], seed=3)
    texts = dict(enumerate(HOSTILE))
    values = grid.quantities["probability"].values.copy()
    values[1, 1], values[2, 2], values[3, 3] = np.nan, np.inf, -np.inf
    quantities = {**grid.quantities, "probability": replace(grid.quantities["probability"], values=values)}
    target = Target(texts[grid.targets[0].ids[0]], grid.targets[0].ids)
    return replace(
        grid,
        texts=texts,
        model=HOSTILE[0],
        kind=HOSTILE[3],
        notes=(HOSTILE[1],),
        quantities=quantities,
        targets=(target,),
    )


def _f(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values, dtype=np.float32)
