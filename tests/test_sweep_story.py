"""The story of a sweep: which cells keep the difference, read off its numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lenswidget.grids.grid import Grid
from lenswidget.grids.parts import Quantity, Sweep, Target
from lenswidget.view.sweep_story import measured, story_of
from tests.grids import HOSTILE, make_grid


def sweep(values: np.ndarray, *, name: str = "recovered", target: float = 3.0, **changes: object) -> Grid:
    grid = make_grid(rows=5, columns=4)
    said = Sweep(
        source="another" if np.isfinite(target) else "",
        put="taken out",
        columns=grid.columns,
        metric="logit difference of a − b",
        base=-1.0,
        target=target,
        position=3,
        first=0,
        tokens=grid.columns[:1],
        said=np.zeros((2, 1), dtype=np.float32),
    )
    rows = ("embed", "L0", "L1", "L2", "L3")
    quantity = Quantity(name, values.astype(np.float32), center=0.0, unit="" if name == "recovered" else "logits")
    return replace(grid, rows=rows, quantities={name: quantity}, sweep=said, **changes)  # type: ignore[arg-type]


def told(grid: Grid) -> str:
    assert grid.sweep is not None
    return "".join(piece if isinstance(piece, str) else f"[{piece['token']}]" for piece in story_of(grid, grid.sweep))


def names(grid: Grid) -> list[str]:
    from lenswidget.grids.marks import visible

    return [f"[{visible(grid.text(int(token)))}]" for token in grid.columns]


KEPT = np.array([[0, 0.8, 0, -0.2], [0, 0.75, 0, -0.2], [0, 0.7, 0, -0.2], [0, 0, 0, 0.9], [0, 0, 0, 0.9]])


def test_rows_of_a_stream_tell_where_the_difference_is_kept() -> None:
    grid = sweep(KEPT)
    one, last = names(grid)[1], names(grid)[3]
    assert told(grid) == (
        f"Up to L1 the difference is kept at {one}: patched alone, that cell brings back 0.70 to 0.80 of it. "
        f"From L2 on it lies at the last token, {last} (0.90)."
    )


def test_rows_between_in_which_no_cell_keeps_it_are_told() -> None:
    values = KEPT.copy()
    values[2] = 0.2
    values[3, 3] = 0.1
    grid = sweep(values)
    one, last = names(grid)[1], names(grid)[3]
    assert told(grid) == (
        f"Up to L0 the difference is kept at {one}: patched alone, that cell brings back 0.75 to 0.80 of it. "
        f"From L3 on it lies at the last token, {last} (0.90). Between, in L1 to L2, it lies at no one cell for long."
    )


def test_where_no_cell_brings_half_back_the_largest_is_told() -> None:
    grid = sweep(KEPT / 2)
    assert told(grid) == (f"No one cell brings back half of the difference. The most is L2 at {names(grid)[3]} (0.45).")
    assert told(sweep(KEPT * 0)) == "No one cell brings back half of the difference."


def test_parts_and_heads_are_told_by_their_size() -> None:
    grid = sweep(KEPT, column_labels=("H0", "H1", "H2", "H3"))
    assert told(grid) == (
        "Patched alone, most moves at L2H3 (0.90), then L3H3 (0.90), then embedH1 (0.80); 1 is all of the difference."
    )
    out = sweep(KEPT * 4, name="effect", target=float("nan"))
    last = names(out)[3]
    assert told(out).startswith(
        f"One at a time taken out, most moves logit difference of ␣tok15, in logits: L2 at {last} (+3.60)"
    )
    assert told(sweep(KEPT * 0, name="effect", target=float("nan"))) == "No cell changes the answer."


def test_positions_that_are_left_out_and_cells_that_were_not_run_are_never_the_largest() -> None:
    values = (KEPT * 4).copy()
    values[0, 1] = np.nan
    grid = sweep(values, name="effect", target=float("nan"), excluded=(3,))
    assert told(grid).split(": ")[1].startswith(f"L0 at {names(grid)[1]} (+3.00)")


def test_tokens_are_as_readers_see_them_whatever_they_say() -> None:
    grid = sweep(KEPT)
    texts = {**grid.texts, int(grid.columns[1]): HOSTILE[0], int(grid.columns[3]): " Rome"}
    grid = replace(grid, texts=texts, targets=(Target(" Rome", (int(grid.columns[3]),)),))
    assert grid.sweep is not None
    assert measured(grid, grid.sweep) == "logit difference of ␣Rome"
    assert {"token": "␣Rome"} in story_of(grid, grid.sweep)
