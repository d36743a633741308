"""Fidelity by style of text: intervals, chosen rows, what an interrupt leaves, and the plot by layer."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import lenswidget as lw
from lenswidget.lenses.intervals import MOST, STRETCH, Stretches, drawn_means, ends, jackknife, means
from tests import architectures
from tests.test_fidelity import TEXTS
from tests.test_mixture import of_letters

STYLES = {
    "story": ["The quick brown fox jumps over a lazy dog " * 6],
    "code": ["for i in range(10): print(i * 2) # " * 8],
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("llama")
    architectures.save("LlamaForCausalLM", folder)
    return architectures.boot(folder)


def test_each_style_is_measured_as_if_it_were_alone_and_all_of_them_are_weighed_by_tokens(model: Any) -> None:
    lenses = [lw.LogitLens(), lw.NegativeLens()]
    measured = lw.fidelity(model, lenses, STYLES, tokens=150, directions=6)
    assert list(measured.styles) == ["story", "code"]
    for style, texts in STYLES.items():
        alone = lw.fidelity(model, lenses, texts, tokens=150, directions=6)
        for name in (*alone.figures, "blind"):
            np.testing.assert_allclose(
                getattr(measured.styles[style], name), getattr(alone, name), rtol=1e-5, err_msg=name
            )
        for name, interval in alone.intervals.items():
            np.testing.assert_allclose(measured.styles[style].intervals[name], interval, rtol=1e-5, err_msg=name)
    parts = list(measured.styles.values())
    weights = [part.tokens for part in parts]
    assert measured.tokens == sum(weights)
    np.testing.assert_allclose(measured.kl, np.average([part.kl for part in parts], axis=0, weights=weights), rtol=1e-5)
    np.testing.assert_allclose(measured.alignment, np.mean([part.alignment for part in parts], axis=0), rtol=1e-5)
    # the mean of mean predictions is not the mean of their distances
    whole = lw.fidelity(model, lenses, [*STYLES["story"], *STYLES["code"]], tokens=10_000)
    if weights == [part.tokens for part in lw.fidelity(model, lenses, STYLES, tokens=10_000).styles.values()]:
        np.testing.assert_allclose(measured.bias, whole.bias, rtol=1e-4)


def test_a_grid_a_table_and_the_bar_beside_rows_have_the_styles(model: Any) -> None:
    measured = lw.fidelity(model, [lw.LogitLens(), lw.NegativeLens()], STYLES, tokens=100)
    grid = measured.grid()
    assert grid.column_labels == (
        "Logit lens", "Logit lens, story", "Logit lens, code", "Negative lens", "Negative lens, story", "Negative lens, code",
    )  # fmt: skip
    np.testing.assert_array_equal(grid.quantities["bias"].values[:, 5], measured.styles["code"].bias[:, 1])
    assert any("95 % intervals, median over rows: KL to the output ± " in note for note in grid.notes)
    table = measured.to_dataframe().set_index(["style", "lens", "layer"])
    assert table.loc[("code", "Logit lens", "L1"), "top-1 agreement"] == measured.styles["code"].agreement[2, 0]
    low, high = measured.intervals["kl"][:, 1, 1]
    assert tuple(table.loc[("", "Negative lens", "L0"), ["KL to the output, low", "KL to the output, high"]]) == (
        low,
        high,
    )
    (beside,) = lw.read(lw.run(model, "The"), lw.NegativeLens(), fidelity=measured).row_quantities
    np.testing.assert_array_equal(beside.parts["story"], measured.styles["story"].kl[:, 1])


def test_rows_that_were_not_asked_for_are_not_there(model: Any) -> None:
    every = lw.fidelity(model, lw.LogitLens(), TEXTS, directions=6)
    some = lw.fidelity(model, lw.LogitLens(), TEXTS, rows=["embed", 1], directions=6)
    assert some.rows == ("embed", "L1", "L2")
    for name in every.figures:
        np.testing.assert_allclose(
            getattr(some, name), getattr(every, name)[[0, 2, 3]], rtol=1e-5, atol=1e-6, err_msg=name
        )
    assert some.to_dataframe()["row"].tolist() == [0, 2, 3]
    (beside,) = lw.read(lw.run(model, "The"), lw.LogitLens(), fidelity=some).row_quantities
    assert np.isnan(beside.values).tolist() == [False, True, False, False]
    assert lw.fidelity(model, lw.LogitLens(), TEXTS, rows="L2").rows == ("L2",)
    for rows, sentence in (
        ([9], "no row 'L9', which 9 names.*embed to L2"),
        ([], "got none"),
        (["L1", "mlp"], "no row 'mlp'"),
    ):
        with pytest.raises(ValueError, match=sentence):
            lw.fidelity(model, lw.LogitLens(), TEXTS, rows=rows)


def test_an_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """Of means of texts whose stretches are alike inside: 200 times, of 40 stretches each, the mean is 1."""
    generator = np.random.default_rng(0)
    held = 0
    for i in range(200):
        text = Stretches()
        level = generator.exponential(1, size=40)
        text.add(np.repeat(level, STRETCH)[None, None])
        low, high = ends(drawn_means([text], seed=i))[:, 0, 0]
        held += low <= 1 <= high
    assert 0.88 <= held / 200 <= 0.98


def test_stretches_are_as_many_whatever_is_read_and_lose_nothing() -> None:
    generator = np.random.default_rng(0)
    text = Stretches()
    windows = [generator.normal(size=(3, 2, 128)) for _ in range(300)]
    windows[5][1, 1, 7] = np.nan
    for window in windows:
        text.add(window)
    assert len(text.sums) <= MOST
    np.testing.assert_allclose(means([text]), np.nanmean(np.concatenate(windows, axis=-1), axis=-1), rtol=1e-9)


def test_the_jackknife_of_a_mean_is_its_standard_error() -> None:
    x = np.random.default_rng(0).normal(5, 1, size=6)
    low, high = jackknife(np.array(x.mean()), [np.array(np.delete(x, i).mean()) for i in range(6)])
    assert high - low == pytest.approx(2 * 2.571 * x.std(ddof=1) / np.sqrt(6), rel=1e-3)
    assert np.isnan(jackknife(np.ones(3), [np.ones(3)] * 2)).all()


def test_every_figure_lies_in_its_interval_and_that_of_few_directions_is_wide(model: Any) -> None:
    texts = of_letters("abcdefghij ", 30)
    few, many = (lw.fidelity(model, lw.LogitLens(), texts, directions=n) for n in (6, 30))
    for measured in (few, many):
        for name in measured.figures:
            value, (low, high) = getattr(measured, name), measured.intervals[name]
            assert (low <= value + 1e-5).all() and (value <= high + 1e-5).all(), name
    width = [np.ptp(one.intervals["influence"][:, :-1], axis=0).mean() for one in (few, many)]
    assert width[0] > 1.5 * width[1]
    # the last row is the model's own
    assert (many.intervals["kl"][:, -1] == 0).all() and (many.intervals["excess"][:, -1] == 0).all()
    shown = repr(many)
    assert shown.index("causal alignment") < shown.index("causal fidelity [95 %]") and "[0." in shown


def interrupting(after: int) -> Any:
    """A lens that sends an interrupt when it has moved so many rows."""
    moved = []

    def lens(residual: Tensor, row: int) -> Tensor:
        moved.append(row)
        if len(moved) == after:
            signal.raise_signal(signal.SIGINT)
        return residual

    return lens


def test_an_interrupt_keeps_what_is_measured_of_every_style(model: Any) -> None:
    before = signal.getsignal(signal.SIGINT)
    whole = lw.fidelity(model, lw.LogitLens(), STYLES, tokens=100, directions=6)
    early = lw.fidelity(model, interrupting(5), STYLES, tokens=100, directions=6)
    assert early.tokens < whole.tokens and early.stopped.startswith(f"stopped after {early.tokens} of 200 tokens")
    assert np.isnan(early.alignment).all() and early.stopped in repr(early) and early.stopped in early.grid().notes
    assert early.stopped.endswith("before causal fidelity, which is NaN")
    late = lw.fidelity(model, interrupting(4 * 3 + 3), STYLES, tokens=100, directions=6)
    np.testing.assert_array_equal(late.kl, whole.kl)
    known = ~np.isnan(late.alignment)
    assert 0 < known.sum() < known.size and "rows of causal fidelity; the others are NaN" in late.stopped
    np.testing.assert_array_equal(late.alignment[known], whole.alignment[known])
    assert signal.getsignal(signal.SIGINT) is before


def test_stopped_before_anything_it_is_an_interrupt(model: Any) -> None:
    def texts() -> Any:
        signal.raise_signal(signal.SIGINT)
        yield ""

    with pytest.raises(KeyboardInterrupt):
        lw.fidelity(model, lw.LogitLens(), texts())


def test_what_reading_the_texts_raises_ends_it(model: Any) -> None:
    def texts() -> Any:
        yield STYLES["story"][0]
        raise OSError("the disk is gone")

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(OSError, match="the disk is gone"):
        lw.fidelity(model, lw.LogitLens(), {"story": texts(), "code": STYLES["code"]}, tokens=9999)
    assert signal.getsignal(signal.SIGINT) is before


def test_it_runs_in_another_thread(model: Any) -> None:
    found: list[lw.Fidelity] = []
    thread = threading.Thread(target=lambda: found.append(lw.fidelity(model, lw.LogitLens(), TEXTS)))
    thread.start()
    thread.join()
    assert len(found) == 1


@pytest.mark.parametrize(
    ("texts", "settings", "sentence"),
    [
        ({"story": STYLES["story"], "code": []}, {}, "the texts 'code' have no token after their first"),
        ({"train": ["a b"], "test": ["c d"]}, {}, "pass one of them, as in texts"),
        ({"story": STYLES["story"], "code": 3}, {}, "Of the texts 'code': texts are a list or an iterator of texts"),
        (STYLES, {"how": "ablate", "directions": 6}, "how is 'step' or 'erase'; got 'ablate'"),
        (STYLES, {"directions": 99}, "ask for no more than those"),
    ],
)
def test_what_can_not_be_is_refused(model: Any, texts: Any, settings: Any, sentence: str) -> None:
    with pytest.raises((ValueError, TypeError), match=sentence):
        lw.fidelity(model, lw.LogitLens(), texts, **settings)


def test_the_plot_has_a_line_a_lens_or_a_lens_and_style_with_its_band(model: Any, tmp_path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    measured = lw.fidelity(model, {"raw": lw.LogitLens(), "$turned$": lw.NegativeLens()}, TEXTS, directions=6)
    ax = measured.plot()
    assert [line.get_label() for line in ax.get_lines()] == ["raw", "$turned$"]
    np.testing.assert_array_equal(ax.get_lines()[0].get_ydata(), measured.alignment[:, 0])
    assert len(ax.collections) == 2 and "causal alignment" in ax.get_title(loc="left")
    assert [tick.get_text() for tick in ax.get_xticklabels()] == list(measured.rows)
    by_style = lw.fidelity(model, lw.LogitLens(), STYLES).plot("excess", theme="dark")
    assert [line.get_label() for line in by_style.get_lines()] == ["Logit lens, story", "Logit lens, code"]
    for axes in (ax, by_style):
        axes.figure.savefig(tmp_path / "plot.png")
    with pytest.raises(ValueError, match=r"no figure 'alignment' to draw; it has 'kl', .* directions=16"):
        lw.fidelity(model, lw.LogitLens(), TEXTS).plot("alignment")
    with pytest.raises(TypeError, match="ax is a matplotlib Axes"):
        measured.plot(ax=3)


def test_memory_does_not_grow_with_the_text(model: Any) -> None:
    """What is kept of twenty times the text is as much."""
    from lenswidget.lenses.fidelity_sums import Sums

    sums = Sums(lw.run(model, TEXTS[0]), (0, 1, 2, 3))
    for i in range(40):
        sums.add(lw.run(model, torch.arange(2, 62).roll(i).tolist()), lw.LogitLens())
    assert sums.probabilities.shape[0] == 6 and len(sums.stretches.sums) <= MOST
