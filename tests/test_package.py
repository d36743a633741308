"""What is installed: a wheel with the front-end in it and nothing that isn't wanted."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import metadata
from pathlib import Path

import pytest

import lenswidget
from tests.grids import make_grid

ROOT = Path(__file__).parents[1]
SHIPPED = "lenswidget/data/smollm2-135m.safetensors"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel and the sdist. The bundle is there already, so the build hook asks for no Node."""
    folder = tmp_path_factory.mktemp("dist")
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--sdist",
        "--no-isolation",
        "--outdir",
        str(folder),
        str(ROOT),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def test_the_wheel_holds_the_front_end_and_only_the_package(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for wanted in (
        "static/widget.js",
        "static/widget.css",
        "static/lessons.js",
        "static/lessons.css",
        "static/loader.js",
        "static/boot.js",
        "py.typed",
        "grids/grid.py",
        "view/picture/colors.json",
        "data/smollm2-135m.logit-lens.json",
        "lessons/course/glossary.md",
    ):
        assert f"lenswidget/{wanted}" in names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"lenswidget"}
    # beside code, lens and texts of lessons: 74 kB of script and style, 79 with the parts
    # of lessons, 4 of what was measured, 15 of what an installer reads
    rest = texts = 0
    for one in zipfile.ZipFile(wheel).infolist():
        kind = Path(one.filename).suffix
        assert kind in {".py", ".json", ".js", ".css", ".safetensors", ".typed", ".md"} or ".dist-info/" in one.filename
        rest += one.compress_size if kind not in (".py", ".md") and one.filename != SHIPPED else 0
        texts += one.compress_size if kind == ".md" else 0
    assert rest < 190_000 and texts < 80_000


def test_the_wheel_brings_the_lens_of_the_embedded_model(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = (
        "import lenswidget as lw; lens = lw.load_lens('smollm2-135m'); print(lw.__file__, lens.name, len(lens.weight))"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.stdout == f"{tmp_path / 'lenswidget/__init__.py'} Tuned lens 30\n"


def test_the_sdist_builds_without_node_and_carries_its_tests(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert {"js/src/host/widget.ts", "lenswidget/static/widget.js", "tests/test_grid.py", "constraints.txt"} <= names
    assert not any("node_modules" in name for name in names)


def test_the_wheel_alone_shows_a_grid_without_node_or_torch(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    bare = tmp_path / "bare"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--target",
        str(bare),
        str(wheel),
    ]
    subprocess.run(pip, check=True)
    make_grid().save(tmp_path / "grid.npz")
    code = """
import sys
sys.modules["torch"] = None  # importing it now fails
import lenswidget as lw
data, _ = lw.Grid.load("grid.npz")._repr_mimebundle_()
assert "application/vnd.jupyter.widget-view+json" in data and "image/png" in data
lw.Grid.load("grid.npz").to_html("grid.html")
print(lw.__file__)
"""
    environment = {**os.environ, "PYTHONPATH": str(bare), "PATH": ""}
    shown = subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, env=environment, capture_output=True)
    assert shown.stdout.decode().startswith(str(bare))


def test_the_bundle_is_small() -> None:
    """Script, style and loader as they travel, gzipped: 60 kB of script, 8 of which are preact and its signals, 7.3 of style, 0.8
    of loader, 2.7 for a prompt that is typed and written, 0.6 for what is known of columns, as bars beneath them, 0.6 for
    groups of columns in the chart, 1.6 for dots of a column quantity by group, and 0.4 for what a lesson covers in a figure
    and draws over it."""
    files = (ROOT / "lenswidget/static" / name for name in ("widget.js", "widget.css", "loader.js"))
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) <= 73_500


def test_the_parts_of_lessons_are_small() -> None:
    """What a kernel that uses lessons loads beyond what shows a grid, gzipped, script and style."""

    def travels(bundle: str) -> int:
        files = (ROOT / "lenswidget/static" / f"{bundle}.{kind}" for kind in ("js", "css"))
        return sum(len(gzip.compress(file.read_bytes())) for file in files)

    assert travels("lessons") - travels("widget") <= 15_500


def test_every_public_name_is_what_it_says() -> None:
    """In any order: a function must not be hidden by a module of its name."""
    code = "import lenswidget as lw; lw.logit_lens; assert callable(lw.run); assert all(getattr(lw, n) for n in lw.__all__)"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert set(lenswidget.__all__) <= set(dir(lenswidget))


def test_the_citation_is_of_this_version() -> None:
    """What GitHub and Zenodo read: the keys that the format asks for, and the version, license and address of the package."""
    import yaml  # comes with huggingface_hub

    said = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= said.keys()
    facts = metadata("lenswidget")
    assert (said["title"], said["version"], said["license"]) == (
        "lenswidget",
        facts["Version"],
        facts["License-Expression"],
    )
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    assert f'version = "{said["version"]}"' in project and f'"{said["repository-code"]}"' in project
