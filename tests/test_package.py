"""What is installed: a wheel with the front-end in it and nothing that isn't wanted."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import lenswidget

ROOT = Path(__file__).parents[1]
SHIPPED = "lenswidget/data/smollm2-135m.safetensors"


def test_the_wheel_holds_the_front_end_and_only_the_package(tmp_path: Path) -> None:
    # the bundle is there already, so the build hook asks for no Node
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)],
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for wanted in ("static/widget.js", "static/widget.css", "static/page.js", "py.typed", "grid.py"):
        assert f"lenswidget/{wanted}" in names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"lenswidget"}
    shipped = zipfile.ZipFile(wheel).getinfo(SHIPPED)
    assert wheel.stat().st_size - shipped.compress_size < 300_000
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    code = "import lenswidget as lw; lens = lw.load_lens(); print(lw.__file__, lens.name, len(lens.weight))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path / "installed", check=True, capture_output=True, text=True
    )
    assert done.stdout.split(maxsplit=1) == [str(tmp_path / "installed/lenswidget/__init__.py"), "Tuned lens 30\n"]


def test_the_bundle_is_small() -> None:
    """It is stored with every saved widget."""
    assert (ROOT / "lenswidget/static/widget.js").stat().st_size <= 90_000


def test_every_public_name_is_what_it_says() -> None:
    """In any order: a function must not be hidden by a module of its name."""
    code = "import lenswidget as lw; lw.logit_lens; assert callable(lw.run); assert all(getattr(lw, n) for n in lw.__all__)"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert set(lenswidget.__all__) <= set(dir(lenswidget))
