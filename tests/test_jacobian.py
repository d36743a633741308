"""A Jacobian lens reads as TransformerLens's own does, from its fits and from its files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from transformer_lens.tools.analysis import JacobianLens as Theirs

import lenswidget as lw
from tests import architectures

TEXTS = ["A text about nothing in particular.", "Another, of another length: 0123456789.", "And a third one, the last."]
OPTIONS = {"max_seq_len": 32, "skip_first_positions": 4, "dim_batch": 16, "show_progress": False}


@pytest.fixture(scope="module", params=["LlamaForCausalLM", "GPT2LMHeadModel"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp(request.param)
    architectures.save(request.param, folder)
    return architectures.boot(folder)


@pytest.fixture(scope="module")
def theirs(model: Any) -> Theirs:
    return Theirs.fit(model, TEXTS, corpus="three texts", **OPTIONS)


def assert_reads_alike(lens: lw.FittedLens, theirs: Theirs, model: Any) -> None:
    run = lw.run(model, "What does it say?")
    read = theirs.readout(model, run.tokens.unsqueeze(0), return_full_logits=True)
    assert read.lens_logits is not None
    for layer, logits in read.lens_logits.items():
        row = layer + 1  # a file's matrix i acts on the output of block i
        residual = run.residual[row]
        ours = run.readout.logits(residual if row == len(run.residual) - 1 else lens.move(residual, row))
        torch.testing.assert_close(ours, logits, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(lens.move(run.residual[0], 0), run.residual[0])


def test_a_fit_is_that_of_transformer_lens(model: Any, theirs: Theirs) -> None:
    lens = lw.JacobianLens.fit(model, iter(TEXTS), data="three texts", **OPTIONS)
    assert_reads_alike(lens, theirs, model)
    assert lens.card.settings == {"prompts": 3, "max_seq_len": 32, "skip_first_positions": 4}
    grid = lw.read(lw.run(model, "What does it say?"), lens)
    assert grid.kind == "Jacobian lens"
    assert grid.notes[:2] == (
        "fitted on 3 prompts of three texts",
        "no matrix for embed: read as the logit lens does",
    )
    assert len(grid.rows) == int(model.cfg.n_layers) + 1


def test_a_published_file_reads_as_transformer_lens_reads_it(model: Any, theirs: Theirs, tmp_path: Path) -> None:
    path = tmp_path / "lens.pt"
    theirs.save(str(path), dtype=torch.float32)
    lens = lw.load_lens(path)
    assert isinstance(lens, lw.JacobianLens) and lens.card.model == model.cfg.model_name
    assert_reads_alike(lens, theirs, model)
    assert any("nothing in it can show that" in note for note in lens.notes)
    again = lens.to_transformer_lens()
    assert again.source_layers == theirs.source_layers and again.n_prompts == 3
    assert_reads_alike(lens, again, model)
    assert_reads_alike(lw.load_lens(lens.save(tmp_path / "lens.safetensors")), theirs, model)
    assert_reads_alike(lw.JacobianLens.from_pretrained(path), theirs, model)


def test_rows_without_a_matrix_are_named(model: Any) -> None:
    lens = lw.JacobianLens.from_transformer_lens(Theirs.fit(model, TEXTS, corpus="a", source_layers=[1], **OPTIONS))
    assert lens.notes[-1] == "no matrix for embed, L0: read as the logit lens does"
    lens.require(lw.run(model, "Some text."))


def test_a_lens_for_another_model_is_refused(model: Any, theirs: Theirs, tmp_path: Path) -> None:
    run = lw.run(model, "Some text.")
    lens = lw.JacobianLens.from_transformer_lens(theirs, model)
    lens.require(run)
    architectures.save("LlamaForCausalLM", tmp_path / "deep", num_hidden_layers=4)
    other = lw.run(architectures.boot(tmp_path / "deep"), "Some text.")
    with pytest.raises(ValueError, match="with 3 blocks of width 32; deep has 4 of width 32"):
        lens.require(other)
    with pytest.raises(ValueError, match="whose unembedding is not that of"):
        lw.JacobianLens(lens.weight, lens.bias, lens.card, lens.sample + 1).require(run)


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        (
            {"J": {0: type("Code", (), {"__reduce__": lambda self: (os.getcwd, ())})()}},
            "holds code, so it was not read",
        ),
        ({"K": {}}, "does not look like a Jacobian lens"),
        ({"J": {}, "d_model": 4, "n_prompts": 1}, "must contain at least one layer"),
        ({"J": {0: torch.zeros(4, 5)}, "d_model": 4, "n_prompts": 1}, r"has shape \(4, 5\), expected \(4, 4\)"),
        ({"J": {0: torch.zeros(4, 4)}, "n_prompts": 1}, "is no file of a lens, or is cut short"),
        ({"J": {0: torch.full((4, 4), torch.nan)}, "d_model": 4, "n_prompts": 1}, "values that are not finite"),
        ({"J": {-1: torch.eye(4), 0: torch.eye(4)}, "d_model": 4, "n_prompts": 1}, "matrix for block -1"),
        (
            {"J": {5: torch.eye(4)}, "d_model": 4, "n_prompts": 1, "metadata": {"target_layer": 3}},
            "A lens for 4 blocks has a matrix for block 5, which is not below the last",
        ),
        ([1, 2], "does not look like a Jacobian lens"),
    ],
)
def test_a_file_that_is_no_lens_is_refused(tmp_path: Path, payload: Any, sentence: str) -> None:
    torch.save(payload, tmp_path / "lens.pt")
    with pytest.raises(ValueError, match=sentence):
        lw.load_lens(tmp_path / "lens.pt")


def test_a_file_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    Theirs({0: torch.eye(4)}, n_prompts=1, d_model=4).save(str(tmp_path / "lens.pt"))
    whole = (tmp_path / "lens.pt").read_bytes()
    for size in (0, 100, len(whole) - 50):
        (tmp_path / "lens.pt").write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r"lens.pt' is no file of"):
            lw.load_lens(tmp_path / "lens.pt")


def test_a_fit_needs_a_list_of_texts_that_are_long_enough(model: Any) -> None:
    with pytest.raises(TypeError, match="Item 0 of the texts is a int"):
        lw.JacobianLens.fit(model, [1, 2])
    with pytest.raises(ValueError), pytest.warns(UserWarning):
        lw.JacobianLens.fit(model, ["abc"], **OPTIONS)
