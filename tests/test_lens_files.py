"""A lens outlives its session: as a file of ours, as a folder of the tuned-lens library, as a published Jacobian lens."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor

import lenswidget as lw
from lenswidget.lenses.files.card import Card, unembedding_hash
from lenswidget.lenses.files.lens_file import write_tensors
from lenswidget.lenses.files.packing import pack
from lenswidget.lenses.fitted import FittedLens
from lenswidget.lenses.linear import LinearLens
from lenswidget.lenses.tuned import TunedLens
from tests import architectures
from tests.golden import tuned_lens as golden

FOLDER = golden.HERE


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("llama")
    architectures.save("LlamaForCausalLM", folder)
    return architectures.boot(folder)


@pytest.fixture(scope="module")
def run(llama: Any) -> lw.Run:
    return lw.run(llama, "Some text to read.")


def random_lens(run: lw.Run, kind: type[FittedLens] = TunedLens, **told: Any) -> FittedLens:
    rows, _, d = run.residual.shape
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(rows - 1, d, d, generator=generator) / d
    card = Card(
        **{
            "model": run.model,
            "data": "prose",
            "tokens": 1000,
            "kl": (3.0, 2.0, 1.0),
            "held_out": 100,
            "unembedding": unembedding_hash(run.readout.W_U),
            "settings": {"seed": 0, "ridge": 1e-4},
            **told,
        }
    )
    return kind(weight, torch.randn(rows - 1, d, generator=generator), card, run.weights.sample)


@pytest.mark.parametrize("kind", [LinearLens, TunedLens, lw.JacobianLens])
def test_a_saved_lens_is_the_lens(run: lw.Run, tmp_path: Path, kind: type[FittedLens]) -> None:
    lens = random_lens(run, kind)
    again = lw.load_lens(lens.save(tmp_path / "lens.safetensors"))
    assert type(again) is kind and again.card == lens.card and again.notes == lens.notes
    for ours, theirs in ((lens.weight, again.weight), (lens.bias, again.bias), (lens.sample, again.sample)):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0)
    np.testing.assert_array_equal(lw.read(run, lens).candidates.ids, lw.read(run, again).candidates.ids)


def test_a_lens_of_ones_own_kind_is_found_again(run: lw.Run, tmp_path: Path) -> None:
    class MyLens(FittedLens):
        name = "My lens"

    assert type(lw.load_lens(random_lens(run, MyLens).save(tmp_path / "a.safetensors"))) is MyLens


def test_a_full_disk_leaves_the_old_lens_whole(run: lw.Run, tmp_path: Path) -> None:
    lens = random_lens(run)
    path = lens.save(tmp_path / "lens.safetensors")
    folder = lens.to_tuned_lens(tmp_path / "folder")
    before = {file: file.read_bytes() for file in (path, *folder.iterdir())}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(OSError, match=r"Can't write '.*lens.safetensors': .*has room"):
            random_lens(run, tokens=2).save(path)
        with pytest.raises(OSError, match=r"Can't write '.*folder': .*has room"):
            random_lens(run, tokens=2).to_tuned_lens(folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert {file: file.read_bytes() for file in before} == before
    assert sorted(os.listdir(tmp_path)) == ["folder", "lens.safetensors"]


@pytest.mark.parametrize(
    ("write", "call", "which"),
    [(FittedLens.save, "replace", 1), (FittedLens.to_tuned_lens, "rename", 1), (FittedLens.to_tuned_lens, "rename", 2)],
)
def test_an_interrupt_while_saving_leaves_the_old_lens_whole(
    run: lw.Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    write: Callable[[FittedLens, Path], Path],
    call: str,
    which: int,
) -> None:
    place = write(random_lens(run), tmp_path / "lens")
    calls = iter(range(1, 9))
    real = getattr(os, call)

    def interrupted(*paths: Any) -> None:
        if next(calls) == which:
            raise KeyboardInterrupt
        real(*paths)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, call, interrupted)
        write(random_lens(run, model="another"), place)
    assert lw.load_lens(place).card.model == run.model
    assert os.listdir(tmp_path) == ["lens"]
    write(random_lens(run, model="another"), place)
    assert lw.load_lens(place).card.model == "another"


def changed(path: Path, *, head: dict[str, Any] | None = None, **tensors: Tensor | None) -> None:
    """Write a lens's file again with other tensors, or another head."""
    with safetensors.safe_open(path, framework="pt") as file:
        told = json.loads(file.metadata()["lenswidget"])
        all_tensors = {name: file.get_tensor(name) for name in file.keys()} | tensors  # noqa: SIM118
    safetensors.torch.save_file(
        {name: part for name, part in all_tensors.items() if part is not None},
        path,
        {"lenswidget": json.dumps({**told, **(head or {})})},
    )


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-100]), "is not a safetensors file, or is cut short"),
        (lambda path: path.write_bytes(b""), "is not a safetensors file, or is cut short"),
        (lambda path: path.write_text("not a lens"), "is not a safetensors file, or is cut short"),
        (lambda path: safetensors.torch.save_file({"a": torch.zeros(1)}, path), "without a lens's card"),
        (lambda path: changed(path, bias=torch.ones(3, 32)), "written for other tensors than the file holds"),
        (
            lambda path: changed(path, head={"format": 2}),
            r"in format 2, written by lenswidget .*; this one reads format 1",
        ),
        (lambda path: changed(path, head={"kind": "Spectacles"}), "holds a Spectacles, and there is no such lens"),
        (lambda path: changed(path, head={"card": {"model": "a"}}), "The card in .* doesn't match its tensors"),
    ],
)
def test_a_spoilt_file_is_refused_by_name(
    run: lw.Run, tmp_path: Path, spoil: Callable[[Path], object], sentence: str
) -> None:
    path = random_lens(run).save(tmp_path / "lens.safetensors")
    spoil(path)
    with pytest.raises(ValueError, match=sentence) as raised:
        lw.load_lens(path)
    assert "lens.safetensors" in str(raised.value)


@pytest.mark.parametrize(
    ("tensors", "told", "sentence"),
    [
        (
            {"weight": torch.zeros(3, 8, 8), "bias": torch.zeros(3, 4)},
            {},
            r"the weight is \[3, 8, 8\] where the bias, \[3, 4\]",
        ),
        (
            {"weight": torch.zeros(3, 4, 4), "bias": torch.zeros(3, 4)},
            {"kl": (1.0,)},
            "figures for 1 rows, and the lens moves 3",
        ),
        ({"weight": torch.full((3, 4, 4), torch.nan), "bias": torch.zeros(3, 4)}, {}, "not finite"),
        ({"weight": torch.zeros(3, 4, 4)}, {}, "'bias'"),
        (
            {
                **pack(torch.zeros(3, 4, 4, dtype=torch.int8), torch.ones(3, 4), torch.ones(3, 4)),
                "step_in": torch.ones(3, 5),
                "step_out": torch.ones(3, 5),
                "bias": torch.zeros(3, 5),
            },
            {},
            "its codes are 48, expected 75",
        ),
        (
            {
                **pack(torch.zeros(9, 4, 4, dtype=torch.int8), torch.ones(9, 4), torch.ones(9, 4)),
                "step_in": torch.ones(3, 4),
                "step_out": torch.ones(3, 4),
            },
            {},
            "its codes are 49 or more",
        ),
        (
            {"codes": torch.ones(9, dtype=torch.uint8), "step_in": torch.ones(3, 4), "step_out": torch.ones(3, 4)},
            {},
            "its codes can't be decompressed",
        ),
    ],
)
def test_a_card_that_does_not_match_its_tensors_is_refused(
    tmp_path: Path, tensors: dict[str, Tensor], told: dict[str, Any], sentence: str
) -> None:
    card = Card(model="a", data="b", tokens=1, **told)
    path = write_tensors({"sample": torch.zeros(0), **tensors}, "TunedLens", card, tmp_path / "lens.safetensors")
    with pytest.raises(ValueError, match=rf"The card in .* doesn't match its tensors: .*{sentence}"):
        lw.load_lens(path)


def test_a_packed_lens_is_its_codes_times_its_steps(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)
    codes = torch.randint(-128, 128, (3, 4, 4), generator=generator, dtype=torch.int8)
    step_out, step_in = torch.rand(3, 4, generator=generator), torch.rand(3, 4, generator=generator)
    tensors = {**pack(codes, step_out, step_in), "bias": torch.zeros(3, 4), "sample": torch.zeros(0)}
    path = write_tensors(tensors, "TunedLens", Card("a", "b", 1), tmp_path / "lens.safetensors")
    expected = [
        [[codes[r, i, j] * step_out[r, i] * step_in[r, j] for j in range(4)] for i in range(4)] for r in range(3)
    ]
    torch.testing.assert_close(lw.load_lens(path).weight, torch.tensor(expected))


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("missing.safetensors", "no such file or folder"),
        ("/nowhere/lens", "no such file or folder"),
        ("./lens", "no such file or folder"),
        (".", r"is a folder without a lens: .* config.json and params.pt"),
    ],
)
def test_what_is_not_there_is_named(path: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises((FileNotFoundError, ValueError), match=sentence):
        lw.load_lens(path)


def test_a_lens_can_not_be_saved_where_there_is_a_folder_or_nothing(run: lw.Run, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"Can't write .*directory"):
        random_lens(run).save(tmp_path)
    with pytest.raises(OSError, match=r"Can't write .*No such file"):
        random_lens(run).save(tmp_path / "nowhere" / "lens.safetensors")
    (tmp_path / "notes.txt").touch()
    with pytest.raises(
        ValueError, match=r"holds other files, 'notes.txt' among them. Name a folder that is new or empty"
    ):
        random_lens(run).to_tuned_lens(tmp_path)
    with pytest.raises(TypeError, match="The card's settings can't be written"):
        random_lens(run, settings={"dtype": torch.float32}).save(tmp_path / "lens.safetensors")


# the tuned-lens library


def test_the_librarys_own_folder_moves_as_the_library_does() -> None:
    lens = lw.load_lens(FOLDER)
    expected = json.loads((FOLDER / "expected.json").read_text())
    assert lens.card.model == "a-small-llama" and lens.card.revision == "main" and lens.bias.any()
    for row, (hidden, moved) in enumerate(zip(expected["hidden"], expected["moved"])):
        torch.testing.assert_close(lens.move(torch.tensor(hidden), row), torch.tensor(moved), rtol=1e-6, atol=1e-6)


def test_an_unembedding_has_the_librarys_hash_however_arrays_are_printed_here() -> None:
    theirs = lw.load_lens(FOLDER).card.unembedding
    with np.printoptions(precision=3, threshold=5, suppress=True, linewidth=200, sign="+"):
        assert unembedding_hash(golden.unembedding().T) == theirs
    assert unembedding_hash(golden.unembedding().T + 0.5) != theirs


@pytest.mark.parametrize("shape", [(8, 30), (4, 400), (400, 4), (7, 200), (6, 167), (50, 1000)])
def test_an_unembedding_of_any_shape_has_the_hash_of_its_print(shape: tuple[int, int]) -> None:
    W_U = torch.randn(shape, generator=torch.Generator().manual_seed(0)) * 3
    printed = np.array_str(W_U.T.numpy(), precision=1)
    assert unembedding_hash(W_U) == hashlib.sha256(printed.encode()).hexdigest()


def test_a_folder_comes_back_as_it_was_written(run: lw.Run, tmp_path: Path) -> None:
    lens = random_lens(run, LinearLens, revision="abc")
    for _ in range(2):  # the second time over the first
        lens.to_tuned_lens(tmp_path / "folder")
    config = json.loads((tmp_path / "folder/config.json").read_text())
    golden_config = json.loads((FOLDER / "config.json").read_text())
    assert config.keys() == golden_config.keys() and config["base_model_revision"] == "abc"
    state = torch.load(tmp_path / "folder/params.pt", weights_only=True)
    assert list(state) == [f"{row}.{part}" for row in range(3) for part in ("weight", "bias")]
    assert (tmp_path / "folder/params.pt").stat().st_size < 2 * sum(part.nbytes for part in state.values())
    again = lw.load_lens(tmp_path / "folder")
    assert isinstance(again, TunedLens) and again.card.unembedding == lens.card.unembedding
    torch.testing.assert_close(again.weight, lens.weight, rtol=0, atol=0)
    np.testing.assert_array_equal(lw.read(run, again).candidates.ids, lw.read(run, lens).candidates.ids)
    assert "text that its folder does not name" in lw.read(run, again).notes[0]


def test_a_folder_without_biases_is_read(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "folder")
    state = torch.load(FOLDER / "params.pt", weights_only=True)
    torch.save({k: v.half() for k, v in state.items() if k.endswith("weight")}, tmp_path / "folder/params.pt")
    config = json.loads((FOLDER / "config.json").read_text())
    (tmp_path / "folder/config.json").write_text(json.dumps({**config, "bias": False}))
    lens = lw.load_lens(tmp_path / "folder")
    assert not lens.bias.any() and lens.weight.dtype == torch.float32
    torch.testing.assert_close(lens.weight[2], state["2.weight"].half().float())


class Code:
    def __reduce__(self) -> Any:
        return os.system, ("exit 1",)


def without(name: str) -> dict[str, Tensor]:
    state = torch.load(FOLDER / "params.pt", weights_only=True)
    del state[name]
    return state


@pytest.mark.parametrize(
    ("params", "config", "sentence"),
    [
        ({"0.weight": Code()}, {}, "holds code, so it was not read"),
        ([torch.zeros(1)], {}, "holds list; a tuned lens is a dictionary of tensors"),
        (without("1.weight"), {}, "it lacks '1.weight'"),
        (without("2.bias"), {}, "it lacks '2.bias'"),
        (None, {"num_hidden_layers": 4}, "it lacks '3.bias' and 1 more"),
        (None, {"num_hidden_layers": 2}, "it has '2.bias' and 1 more besides"),
        (None, {"bias": False}, "it has '0.bias' and 2 more besides"),
        (None, {"d_model": 16}, r"'0.weight' is \[8, 8\], expected \[16, 16\]"),
        (None, {"d_model": None}, "doesn't describe a tuned lens"),
        (None, {"lens_type": "mlp_lens"}, "a lens of the type 'mlp_lens'"),
        ({**without("2.bias"), "2.bias": torch.full((8,), torch.nan)}, {}, "values that are not finite"),
    ],
)
def test_a_folder_that_is_wrong_is_refused_by_name(
    tmp_path: Path, params: Any, config: dict[str, Any], sentence: str
) -> None:
    shutil.copytree(FOLDER, tmp_path / "folder")
    if params is not None:
        torch.save(params, tmp_path / "folder/params.pt")
    told = json.loads((FOLDER / "config.json").read_text())
    (tmp_path / "folder/config.json").write_text(json.dumps({**told, **config}))
    with pytest.raises(ValueError, match=sentence):
        lw.load_lens(tmp_path / "folder")


def test_a_folder_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "folder")
    params = tmp_path / "folder/params.pt"
    params.write_bytes(params.read_bytes()[:-500])
    with pytest.raises(ValueError, match=r"params.pt' is no file of a lens, or is cut short"):
        lw.load_lens(tmp_path / "folder")
    params.write_text("not tensors")
    with pytest.raises(ValueError, match=r"params.pt' is no file of tensors, or is damaged"):
        lw.load_lens(params)


def test_a_lens_from_a_folder_is_for_the_model_with_its_unembedding(run: lw.Run, tmp_path: Path) -> None:
    lens = lw.load_lens(random_lens(run).to_tuned_lens(tmp_path / "folder"))
    lens.require(run)

    def with_unembedding(W_U: Tensor) -> lw.Run:
        return dataclasses.replace(run, readout=dataclasses.replace(run.readout, W_U=W_U))

    lens.require(with_unembedding(run.readout.W_U.bfloat16()))
    with pytest.raises(ValueError, match="whose unembedding is not that of"):
        lens.require(with_unembedding(run.readout.W_U.flip(0)))
    # fitted to the model in half precision, used in float32
    half = random_lens(run, unembedding=unembedding_hash(run.readout.W_U.bfloat16()))
    lw.load_lens(half.to_tuned_lens(tmp_path / "half")).require(run)
    # nothing in the folder says which unembedding: read, and said
    nothing = lw.load_lens(random_lens(run, unembedding="").to_tuned_lens(tmp_path / "nothing"))
    assert any("nothing in it can show that" in note for note in lw.read(run, nothing).notes)
