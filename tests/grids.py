"""Grids made by hand, for tests of the view: no model, no torch."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from lenswidget.grids.grid import Grid
from lenswidget.grids.parts import Candidates, Check, ColumnQuantity, Jumps, Quantity, RowQuantity, Target, Trajectories

HOSTILE = [
    "</script><script>alert(1)</script>", '"quoted"', "'", "&amp;<b>", "\u202egnihsams", "\ud83d", "👩‍🚀", "\n", "\t", " ",
    "\x00", "<0xE2><0x80>", "constructor", "__proto__", "\u0301", "\ufeff", "{}", "`${1}`", "\u2028", "中文", "",
    # markup, where it might be let in: as an element, in an attribute, in a comment, in what is no markup at all
    "<img src=x onerror=alert(1)>", "<svg onload=alert(1)>", "\"><img src=x onerror=alert(1)>",
    "' onfocus='alert(1)' autofocus='", "</title><img src=x onerror=alert(1)>", "</style><style>*{display:none!important}",
    "</noscript><img src=x onerror=alert(1)>", "</textarea></select><img src=x onerror=alert(1)>",
    "--><img src=x onerror=alert(1)><!--", "]]><img src=x onerror=alert(1)>",
    "<!--<script>", "<![CDATA[", "<!DOCTYPE x [<!ENTITY e 'boom'>]>&e;", "&lt;img src=x onerror=alert(1)&gt;", "&#60;script&#62;",
    "javascript:alert(1)", "url(javascript:alert(1))", "expression(alert(1))", "<a href=javascript:alert(1)>x</a>",
    "[x](javascript:alert(1))", "<math><mtext><style><img src=x onerror=alert(1)>",
    # ends of strings, of lines and of names, in Python, JSON, PDF, CSV and our own templates
    "\\", "\\u003c/script>", "'''\"\"\"", '"}); __import__("os").abort() #', ") /JS (app.alert(1)) /S /JavaScript >> endobj (",
    "\r\n\r\n", "a, b,c", "=1+1", "+1", "-1", "@SUM(1)", "\t=1", "=HYPERLINK(\"javascript:alert(1)\")", "toString",
    "hasOwnProperty", "{script}", "{title} {figures} {code} {template}", "STATE", "$&$'$`$1", "%s%n", "../../etc/passwd", "CON",
    # what can't be seen, hides others, moves others, or is very much
    "\x1b[2J\x1b]0;x\x07", "\x7f\x85\x9b", "\u2066\u2067\u061c", "\u200b\u200d\u00ad", "\udc00\ud800", "\ufffe\uffff\U000e0041",
    "e" + "\u0301" * 500, "W" * 10_000, " " * 300, "العربية",
]  # fmt: skip
"""Texts that somebody else chose: tokens of a vocabulary, the name of a model, the notes of a lens file."""


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
        Quantity("change", _f(random.normal(size=(rows, columns))), unit="bits", center=0.0),
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
        excluded=(0,) if columns > 1 else (),
        special=(0,),
        row_quantities=(
            RowQuantity(
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


def hostile_grid(start: int = 0, view: Literal["heatmap", "bars"] = "heatmap", texts: Sequence[str] = HOSTILE) -> Grid:
    """A Grid whose every text is an attack, another from `start` on in each place; and whose numbers are odd."""
    one = itertools.cycle([*texts[start:], *texts[:start]])
    grid = make_grid(6, 6, vocabulary=len(texts), title=next(one), seed=3)
    probability, entropy, kl, change, *targeted = grid.quantities.values()
    values = probability.values.copy()
    values[1, 1], values[2, 2], values[3, 3] = np.nan, np.inf, -np.inf
    assert grid.check is not None and grid.jumps is not None
    quantities = [
        replace(probability, values=values) if view == "heatmap" else Quantity("parts", kl.values, measure="contribution"),
        replace(entropy, unit=next(one)),
        replace(change, name=f"a{next(one)}", measure=next(one), unit=next(one)),
        *targeted,
    ]  # fmt: skip
    return replace(
        grid,
        kind=next(one),
        model=next(one),
        rows=tuple(next(one) for _ in grid.rows),
        column_labels=tuple(next(one) for _ in grid.columns) if view == "bars" else None,
        notes=(next(one), next(one)),
        texts=dict(enumerate(texts)),
        quantities={quantity.name: quantity for quantity in quantities},
        targets=tuple(replace(target, label=texts[target.ids[0]]) for target in grid.targets),
        row_quantities=tuple(
            replace(q, name=next(one), unit=next(one), says=f"{next(one)}{{}}", parts={next(one): q.values})
            for q in grid.row_quantities
        ),
        jumps=replace(
            grid.jumps, parts=tuple(next(one) for _ in grid.jumps.parts), check=replace(grid.check, claim=next(one))
        ),
        check=replace(grid.check, claim=next(one)),
        provenance={next(one): next(one)},
        view=view,
        **({"candidates": None, "trajectories": None} if view == "bars" else _hostile_columns(grid, one)),  # type: ignore[arg-type]
    )


def _hostile_columns(grid: Grid, one: Iterator[str]) -> dict[str, object]:
    """What is known of its columns where they are prompts."""
    groups = tuple(next(one) for _ in grid.columns)
    values = np.linspace(-1, 1, len(groups), dtype=np.float32)
    score = ColumnQuantity(next(one), values, next(one), 0.5, f"{next(one)}{{}}", next(one))
    said = {group: next(one) for group in groups}
    return {
        "groups": groups,
        "column_quantities": (replace(score, of_groups=said, elsewhere={next(one): values}),),
    }


PLAIN = [f"word{i}" for i in range(len(HOSTILE))]
"""As many that mean no harm."""


def _f(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values, dtype=np.float32)


def assert_alike(ours: Grid, theirs: Grid, *, close: float = 2e-3) -> None:
    """That two Grids of one text say the same to rounding, though equal candidates may have changed places."""
    assert (ours.title, ours.kind, ours.model, ours.rows, ours.notes) == (
        theirs.title,
        theirs.kind,
        theirs.model,
        theirs.rows,
        theirs.notes,
    )
    for name in ("columns", "positions", "following"):
        assert np.array_equal(getattr(ours, name), getattr(theirs, name)), name
    assert (ours.excluded, ours.targets, ours.provenance) == (theirs.excluded, theirs.targets, theirs.provenance)
    assert list(ours.quantities) == list(theirs.quantities)
    for name, quantity in ours.quantities.items():
        other = theirs.quantities[name]
        rtol = 0.05 if quantity.measure == "rank" else close
        np.testing.assert_allclose(quantity.values, other.values, rtol=rtol, atol=close, err_msg=name)
        if other.domain is None:
            assert quantity.domain is None, name
        else:
            np.testing.assert_allclose(quantity.domain, other.domain, rtol=rtol, atol=close)
    assert ours.candidates is not None and theirs.candidates is not None
    np.testing.assert_allclose(
        ours.candidates.log_probability, theirs.candidates.log_probability, rtol=close, atol=close
    )
    for column in range(len(ours.columns)):
        paths = [
            dict(zip(grid.trajectories.ids[span].tolist(), grid.trajectories.log_probability[span]))
            for grid in (ours, theirs)
            for span in [grid.trajectories.of(column)]  # type: ignore[union-attr]
        ]
        shared = paths[0].keys() & paths[1].keys()
        assert len(shared) >= 0.9 * max(map(len, paths)), column
        for token in shared:
            np.testing.assert_allclose(paths[0][token], paths[1][token], rtol=close, atol=10 * close)
    assert (ours.jumps is None) == (theirs.jumps is None)
    if ours.jumps is not None and theirs.jumps is not None:
        assert np.array_equal(ours.jumps.columns, theirs.jumps.columns)
        assert ours.jumps.parts == theirs.jumps.parts
    assert (ours.check is None) == (theirs.check is None)
    assert ours.check is None or ours.check.holds
