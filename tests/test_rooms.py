"""Every file lies in a room, and a room imports only what the map says. Imports inside functions count."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "lenswidget"
ROOF = {"lenswidget", "lenswidget.__main__"}
"""The package itself, which names everything that is public, and its command."""
MODEL_LIBRARIES = {
    "transformer_lens",
    "transformers",
    "nnsight",
    "peft",
    "accelerate",
    "bitsandbytes",
    "torchao",
    "vllm",
}


def table(map_text: str) -> dict[str, set[str]]:
    """Room → the rooms that it may import, as docs/architecture.md says in its table of rooms."""
    rows = re.findall(r"^\| `([\w/]+)/` \|[^|]*\|([^|]*)\|$", map_text, re.MULTILINE)
    return {room: set(re.findall(r"`([\w/]+)/`", allowed)) | {room} for room, allowed in rows}


ROOMS = table((ROOT / "docs/architecture.md").read_text())


def sources(package: Path = PACKAGE) -> dict[str, str]:
    """The text of every module, by its dotted name."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text()
    return found


SOURCES = sources()


def imports_of(module: str, known: dict[str, str]) -> set[str]:
    """What a module imports: modules of ours by their whole names, of others by their first."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(known[module])):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{module} imports relatively; write the whole name"
            whole = {f"{node.module}.{name.name}" for name in node.names}
            found |= whole & known.keys() or {node.module}
    return {name if name.startswith("lenswidget") else name.split(".")[0] for name in found}


def room_of(module: str) -> str:
    """The innermost room that a module lies in: `model/backends` for `lenswidget.model.backends.hooked`."""
    folders = module.split(".")[1:]
    inside = ["/".join(folders[:end]) for end in range(len(folders), 0, -1)]
    return next((room for room in inside if room in ROOMS), "")


def complaints(known: dict[str, str]) -> list[str]:
    """Every import that the map doesn't allow, and which rule it breaks."""
    found = []
    for module in known.keys() - ROOF:
        room = room_of(module)
        if not room:
            found.append(
                f"{module} lies in no room; put it into one of {', '.join(ROOMS)}, or name its folder in the map"
            )
            continue
        for name in sorted(imports_of(module, known)):
            if name in ROOF:
                found.append(f"{module} imports {name}: import from the module that defines a thing, not from the roof")
            elif name.startswith("lenswidget.") and room_of(name) not in ROOMS[room]:
                found.append(
                    f"{module} imports {name}: {room}/ may import {', '.join(sorted(ROOMS[room]))}, and not {room_of(name)}/"
                )
            elif name in MODEL_LIBRARIES and room != "model/backends":
                found.append(f"{module} imports {name}: only model/backends/ touches a library of models")
            elif name == "torch" and room.split("/")[0] in ("grids", "view", "lessons"):
                found.append(f"{module} imports torch: what is shown must work where there is none")
            elif name == "anywidget" and room.split("/")[0] not in ("view", "interactive"):
                found.append(f"{module} imports anywidget: only view/ knows the notebook")
    return sorted(found)


def cycles(known: dict[str, str]) -> list[list[str]]:
    """Every set of modules that import each other, directly or not."""
    edges = {module: imports_of(module, known) & known.keys() - ROOF - {module} for module in known.keys() - ROOF}

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        ahead = [start]
        while ahead:
            for name in edges.get(ahead.pop(), set()) - seen:
                seen.add(name)
                ahead.append(name)
        return seen

    far = {module: reached(module) for module in edges}
    rings = {tuple(sorted(other for other in far[m] if m in far[other])) for m in edges if m in far[m]}
    return sorted(list(ring) for ring in rings)


def test_every_import_is_one_that_the_map_allows() -> None:
    assert complaints(SOURCES) == []


def test_no_modules_import_each_other() -> None:
    assert cycles(SOURCES) == []


def test_only_backends_name_a_hook_or_read_a_config() -> None:
    for module, text in SOURCES.items():
        if room_of(module) != "model/backends":
            said = re.search(r"\bhook_\w+|\.cfg\b", text)
            assert said is None, (
                f"{module} says {said and said[0]}: what a library calls things is for model/backends/ to know"
            )


def test_each_room_says_what_may_be_in_it() -> None:
    for room in ROOMS:
        text = (PACKAGE / room / "__init__.py").read_text()
        assert ast.get_docstring(ast.parse(text)), (
            f"lenswidget/{room}/__init__.py needs a sentence that says what is in it"
        )


def test_no_room_hides_a_public_function() -> None:
    import lenswidget

    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert not folders & set(lenswidget.__all__)
    assert {room.split("/")[0] for room in ROOMS} == folders


@pytest.mark.parametrize(
    ("module", "text", "says"),
    [
        (
            "lenswidget.grids.odd",
            "def f():\n    from lenswidget.view.page import write_page",
            "may import grids, and not view/",
        ),
        ("lenswidget.lenses.odd", "import transformer_lens", "only model/backends/ touches a library of models"),
        ("lenswidget.view.odd", "import torch", "must work where there is none"),
        ("lenswidget.odd", "", "lies in no room"),
        ("lenswidget.lenses.odd", "from lenswidget import Grid", "not from the roof"),
    ],
)
def test_a_file_in_the_wrong_room_is_told_which_rule_it_breaks(module: str, text: str, says: str) -> None:
    (complaint,) = complaints({**SOURCES, module: text})
    assert complaint.startswith(module) and says in complaint


def test_a_ring_of_imports_is_found() -> None:
    ring = {
        "lenswidget.grids.one": "import lenswidget.grids.other",
        "lenswidget.grids.other": "import lenswidget.grids.one",
    }
    assert cycles({**SOURCES, **ring}) == [sorted(ring)]


def test_the_roof_imports_no_torch() -> None:
    code = "import sys, lenswidget; lenswidget.Grid, lenswidget.LensWidget; sys.exit('torch' in sys.modules)"
    import subprocess

    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
