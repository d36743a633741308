"""Fits on text of several styles: shares, what is held out of each, what a card says of it; and fits that go on from a lens."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import lenswidget as lw
from lenswidget.lenses.fitting.mixture import Mixture
from lenswidget.lenses.linear import LinearLens
from lenswidget.lenses.tuned import TunedLens
from lenswidget.model.backends import backend_of
from lenswidget.view.picture.heatmap_scene import heatmap_scene
from lenswidget.view.picture.scene import Words
from tests import architectures
from tests.grids import make_grid
from tests.test_fit import WINDOW, same, tuned


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("llama")
    architectures.save("LlamaForCausalLM", folder)
    return architectures.boot(folder)


def of_letters(letters: str, count: int, seed: int = 0) -> list[str]:
    """Documents of 100 letters of a few, so that a window tells which it is from."""
    drawn = torch.randint(len(letters), (count, 100), generator=torch.Generator().manual_seed(seed)).tolist()
    return ["".join(letters[i] for i in line) for line in drawn]


STYLES = {
    "lower": of_letters("abcdefgh", 60),
    "upper": of_letters("ABCDEFGH", 30),
    "digits": of_letters("01234567", 90),
}
SHARES = {"lower": 2, "upper": 1, "digits": 1}


def style_of(model: Any, window: torch.Tensor) -> str:
    text = model.tokenizer.decode(window.tolist()[1:], skip_special_tokens=True)
    return "lower" if "a" <= text[0] <= "z" else "upper" if "A" <= text[0] <= "Z" else "digits"


def test_each_style_has_its_share_wherever_one_stops(model: Any) -> None:
    mixture = Mixture(backend_of(model), STYLES, SHARES, window=WINDOW, held_out=90)
    windows = [window for batch in mixture.batches(7, mixed=True) for window in batch]
    named = [style_of(model, window) for window in windows]
    total = sum(SHARES.values())
    for read in (8, 40, len(named)):
        for name, share in SHARES.items():
            assert abs(named[:read].count(name) - read * share / total) <= 1, (read, name)
    # the text that ends first is read again until the last was read once
    assert named.count("digits") * WINDOW > 90 * 100 * 0.9 and named.count("lower") * WINDOW > 2 * 60 * 100


def test_an_iterator_that_ends_ends_the_whole(model: Any) -> None:
    given = {"lower": iter(of_letters("abc", 12)), "digits": STYLES["digits"]}
    mixture = Mixture(backend_of(model), given, window=WINDOW, held_out=0)
    named = [style_of(model, window) for batch in mixture.batches(4) for window in batch]
    assert mixture.is_used_up and abs(named.count("lower") - named.count("digits")) <= 1 and len(named) < 100


def test_the_card_has_the_figures_of_each_style_and_of_a_blind_guess(model: Any, tmp_path: Path) -> None:
    """Against what the model itself says of the held-out windows."""
    lens = LinearLens.fit(model, STYLES, shares=SHARES, tokens=3000, window=WINDOW, held_out=150)
    mixture = Mixture(backend_of(model), STYLES, SHARES, window=WINDOW, held_out=150)
    outputs = []
    for name, windows in mixture.held_out_by_style.items():
        assert all(style_of(model, window) == name for window in windows)
        with torch.no_grad():
            logits, cache = model.run_with_cache(windows)
            q = logits.log_softmax(-1)[:, 1:]
            h = cache["blocks.1.hook_resid_pre"]
            p = model.unembed(model.ln_final(h + h @ lens.weight[1].T + lens.bias[1])).log_softmax(-1)[:, 1:]
        assert lens.card.kl_by_style[name][1] == pytest.approx(
            float((q.exp() * (q - p)).sum(-1).mean()) / math.log(2), rel=1e-3
        )
        outputs.append(q.flatten(0, 1).double())
    q = torch.cat(outputs)
    mean = q.exp().mean(0)
    assert lens.card.blind == pytest.approx(float((q.exp() * (q - mean.log())).sum(-1).mean()) / math.log(2), rel=1e-4)
    assert lens.card.held_out == len(q)
    sizes = [windows.numel() for windows in mixture.held_out_by_style.values()]
    np.testing.assert_allclose(
        lens.card.kl, np.average(list(lens.card.kl_by_style.values()), axis=0, weights=sizes), rtol=1e-5
    )
    assert "50% lower (60 texts), 25% upper" in lens.card.data

    saved = lw.load_lens(lens.save(tmp_path / "lens.safetensors"))
    assert saved.card == lens.card
    (beside,) = lw.read(lw.run(model, "abc"), saved).row_quantities
    assert beside.domain == (0.0, lens.card.blind) and list(beside.parts) == ["lower", "upper", "digits"]
    np.testing.assert_array_equal(beside.parts["upper"][:-1], np.float32(lens.card.kl_by_style["upper"]))


def test_text_of_one_style_has_no_parts(model: Any) -> None:
    lens = LinearLens.fit(model, STYLES["lower"], tokens=1000, window=WINDOW, held_out=64)
    assert lens.card.kl_by_style == {} and lens.row_quantities(lw.run(model, "abc"))[0].parts == {}


@pytest.mark.parametrize(
    ("texts", "shares", "sentence"),
    [
        (STYLES, {"lower": 1, "upper": 1}, "shares has one for each of the texts, 'lower', 'upper', 'digits'; .* in 'digits'"),
        (STYLES, {**SHARES, "poems": 1}, "differ in 'poems'"),
        (STYLES, {**SHARES, "upper": 0}, "A share is a number above 0; got 0.0 for 'upper'"),
        (STYLES, {**SHARES, "upper": float("nan")}, "got nan for 'upper'"),
        (STYLES["lower"], {"lower": 1}, "shares are of texts by style"),
        ({"lower": STYLES["lower"], "upper": ["ABC"]}, None, "Of the texts 'upper': The texts are too short"),
        ({"lower": STYLES["lower"], "upper": [3]}, None, "Of the texts 'upper': Item 0 of the texts is a int"),
        ({"train": STYLES["lower"], "test": STYLES["upper"]}, None, r"pass one of them, as in texts\['train'\]"),
        ({}, None, "This is an empty dictionary of texts"),
    ],
)  # fmt: skip
def test_texts_and_shares_that_can_not_be_are_refused(model: Any, texts: Any, shares: Any, sentence: str) -> None:
    with pytest.raises((TypeError, ValueError), match=sentence):
        LinearLens.fit(model, texts, shares=shares, tokens=1000, window=WINDOW)


def test_a_fit_goes_on_from_a_lens(model: Any) -> None:
    begun = tuned(model, steps=8)
    on = tuned(model, start=begun, steps=8, seed=1)
    assert on.card.tokens == begun.card.tokens + tuned(model, steps=8, seed=1).card.tokens
    assert on.card.settings["start"] == f"lens {begun.digest}"
    assert sum(on.card.kl) < sum(tuned(model, steps=8, seed=1).card.kl)
    # where nothing is trained, it is the lens that was given
    still = tuned(model, start=begun, steps=1, rows=["L1"])
    torch.testing.assert_close(still.weight[:2], begun.weight[:2], rtol=0, atol=0)
    assert not torch.equal(still.weight[2], begun.weight[2])


def test_a_resumed_top_up_is_of_the_same_lens(model: Any, tmp_path: Path) -> None:
    begun, path = LinearLens.fit(model, STYLES["lower"], tokens=1000, window=WINDOW), tmp_path / "fit.pt"
    whole = tuned(model, start=begun)
    tuned(model, start=begun, checkpoint=path, watch=lambda progress: progress.fraction > 0.5 and progress.stop())
    same(tuned(model, start=begun, resume=path), whole)
    with pytest.raises(ValueError, match="a checkpoint of a fit with start='lens "):
        tuned(model, resume=path)


def test_a_start_for_another_model_is_refused(model: Any) -> None:
    begun = LinearLens.fit(model, STYLES["lower"], tokens=1000, window=WINDOW)
    other = TunedLens(begun.weight[:, :8, :8], begun.bias[:, :8], replace(begun.card, model="another"), torch.zeros(0))
    with pytest.raises(ValueError, match="was fitted to another, with 3 blocks of width 8"):
        tuned(model, start=other)


def test_a_picture_and_a_part_of_a_grid_keep_the_styles(tmp_path: Path) -> None:
    grid = make_grid(5, 4)
    (fidelity,) = grid.row_quantities
    styled = replace(fidelity, parts={"prose": fidelity.values / 3, "code": fidelity.values / 2})
    grid = replace(grid, row_quantities=(styled,))
    said = [shape.text for shape in heatmap_scene(grid).shapes if isinstance(shape, Words)]
    mean = fidelity.values[:-1].mean()
    assert any(f"mean over rows: prose {mean / 3:.2f}, code {mean / 2:.2f}" in one for one in said), said
    (part,) = grid[1:3].row_quantities
    np.testing.assert_array_equal(part.parts["code"], fidelity.values[1:3] / 2)
    grid.save(tmp_path / "grid.npz")
    (again,) = lw.Grid.load(tmp_path / "grid.npz").row_quantities
    np.testing.assert_array_equal(again.parts["prose"], styled.parts["prose"])
    parts: dict[str, np.ndarray] = {}
    short = replace(fidelity, parts=parts)
    parts["code"] = fidelity.values[:3]
    with pytest.raises(ValueError, match=r"Part 'code' of the row quantity 'held-out KL' has shape \(3,\)"):
        replace(grid, row_quantities=(short,))
