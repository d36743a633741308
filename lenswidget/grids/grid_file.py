"""Files of Grids, alone or compared: a header for all that JSON can hold and named arrays for the rest, in one .npz."""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile

import numpy as np

from lenswidget.grids.parts import (
    Candidates,
    Check,
    ColumnQuantity,
    Jumps,
    Quantity,
    RowQuantity,
    Sides,
    Sweep,
    Target,
    Trajectories,
)
from lenswidget.grids.whole_file import write_whole

FILE_VERSION = 3
Kind = Literal["Grid", "Comparison"]


def write(
    path: str | os.PathLike[str], kind: Kind, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> Path:
    """Write one file, whole or not at all, without pickle."""
    packed = {name.replace("/", "."): array for name, array in arrays.items()}
    text = json.dumps({"file_version": FILE_VERSION, "holds": kind, **header}, ensure_ascii=True)
    packed["header"] = np.frombuffer(text.encode(), dtype=np.uint8)
    return write_whole(path, lambda stream: np.savez_compressed(stream, **packed))  # type: ignore[arg-type]


def read(path: str | os.PathLike[str], kind: Kind) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The header and the arrays of a file. Raises ValueError where it is damaged, newer, or holds something else."""
    with whole(path, kind):
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name.replace(".", "/"): stored[name] for name in stored.files}
        header = json.loads(arrays.pop("header").tobytes())
        version, holds = header.get("file_version", 0), header.get("holds", "Grid")
        is_newer = version > FILE_VERSION
        if version < 2:
            arrays = _from_version_1(header, arrays)
        if version < 3:
            _from_version_2(header)
    if is_newer:
        raise ValueError(
            f"{os.fspath(path)!r} is a {kind} file of version {version}; this lenswidget reads up to {FILE_VERSION}. "
            "Upgrade with `pip install -U lenswidget`."
        )
    if holds != kind:
        raise ValueError(f"{os.fspath(path)!r} holds a {holds}; read it with lw.{holds}.load(path).")
    return header, arrays


def _from_version_1(header: dict[str, Any], arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Give a header and its arrays the names of today: row quantities were strips, excluded positions stood aside."""

    def renamed(name: str) -> str:
        return re.sub(r"(^|/)strip/", r"\1row_quantity/", name)

    for part in _grids_of(header):
        part["row_quantities"], part["excluded"] = part.pop("strips"), part.pop("aside")
        part["arrays"] = [renamed(name) for name in part["arrays"]]
    return {renamed(name): array for name, array in arrays.items()}


def _from_version_2(header: dict[str, Any]) -> None:
    """Give the center of a scale, which was written in British English, the name of today."""
    for part in _grids_of(header):
        for quantity in part["quantities"]:
            quantity["center"] = quantity.pop("centre")


def _grids_of(header: dict[str, Any]) -> list[dict[str, Any]]:
    """The headers of all Grids in a file."""
    return [part for part in header.get("parts", {"": header}).values() if part]


@contextmanager
def whole(path: str | os.PathLike[str], kind: Kind) -> Iterator[None]:
    """Whatever goes wrong with what a file holds is a ValueError that names it; one that isn't there stays that."""
    try:
        yield
    except DAMAGE as reason:
        if isinstance(reason, OSError) and not Path(path).is_file():
            raise
        lacks = f"{reason} is missing" if isinstance(reason, KeyError) else reason
        raise ValueError(
            f"{os.fspath(path)!r} is not a whole {kind} file ({lacks}). It may be truncated, damaged or edited: save it "
            f"again with {kind.lower()}.save(path)."
        ) from reason


DAMAGE = (
    AttributeError, BadZipFile, EOFError, LookupError, NotImplementedError, OSError, RuntimeError, TypeError, ValueError,
    zlib.error,
)  # fmt: skip
"""What zipfile, NumPy and JSON raise for bytes that nobody wrote so, and what comes of a header that somebody changed."""


def flatten(grid: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The fields of a Grid, by name, as what JSON can hold, and named arrays for the rest."""
    quantities, row_quantities = grid["quantities"].values(), grid["row_quantities"]
    jumps, check, sweep = grid["jumps"], grid["check"], grid["sweep"]
    arrays: dict[str, np.ndarray] = {f"quantity/{i}": one.values for i, one in enumerate(quantities)}
    for i, one in enumerate(row_quantities):
        arrays |= {f"row_quantity/{i}": one.values}
        arrays |= {f"row_quantity/{i}/{j}": values for j, values in enumerate(one.parts.values())}
    below = grid["column_quantities"]
    for i, one in enumerate(below):
        arrays |= {f"column_quantity/{i}": one.values}
        arrays |= {f"column_quantity/{i}/{j}": values for j, values in enumerate(one.elsewhere.values())}
    if jumps is not None:
        arrays |= {f"jumps/{name}": getattr(jumps, name) for name in ("columns", "tokens", "values")}
    if sweep is not None:
        arrays |= {f"sweep/{name}": getattr(sweep, name) for name in ("columns", "tokens", "said")}
    for name in ("columns", "positions", "following", "decision"):
        if grid[name] is not None:
            arrays[name] = grid[name]
    for name in ("candidates", "trajectories"):
        if grid[name] is not None:
            arrays |= {f"{name}/{f.name}": getattr(grid[name], f.name) for f in fields(grid[name])}
    sides = grid["sides"]
    if sides is not None:
        arrays |= {f"sides/{f.name}": getattr(sides.leaders, f.name) for f in fields(sides.leaders)}
    header = {
        "sides": sides and [list(sides.names), list(sides.equal), sides.why],
        **{name: grid[name] for name in ("title", "kind", "model", "view")},
        **{name: list(grid[name]) for name in ("rows", "excluded", "special", "notes")},
        "column_labels": grid["column_labels"] and list(grid["column_labels"]),
        "groups": grid["groups"] and list(grid["groups"]),
        "quantities": [_facts(one) for one in quantities],
        "row_quantities": [{**_facts(one), "parts": list(one.parts)} for one in row_quantities],
        "column_quantities": [{**_facts(one), "elsewhere": list(one.elsewhere)} for one in below],
        "jumps": jumps and [list(jumps.parts), _check(jumps.check)],
        "sweep": sweep and _sweep(sweep),
        "texts": sorted((int(i), text) for i, text in grid["texts"].items()),
        "targets": [[target.label, list(target.ids)] for target in grid["targets"]],
        "check": check and _check(check),
        "provenance": dict(grid["provenance"]),
        "arrays": sorted(arrays),
    }
    return header, arrays


def _check(check: Check) -> list[Any]:
    # NaN, where no position was finite, is no JSON and equals nothing: null stands for it
    return [check.error if np.isfinite(check.error) else None, check.tolerance, check.claim]


def _sweep(sweep: Sweep) -> dict[str, Any]:
    facts = {f.name: getattr(sweep, f.name) for f in fields(sweep) if f.name not in ("columns", "tokens", "said")}
    return {**facts, "target": facts["target"] if np.isfinite(facts["target"]) else None}


def _swept(facts: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> Sweep:
    known: dict[str, Any] = {name: arrays[f"sweep/{name}"] for name in ("columns", "tokens", "said")}
    return Sweep(**{**facts, "target": np.nan if facts["target"] is None else facts["target"]}, **known)


def _facts(part: Quantity | RowQuantity | ColumnQuantity) -> dict[str, Any]:
    return {f.name: getattr(part, f.name) for f in fields(part) if f.name not in ("values", "parts", "elsewhere")}


def unflatten(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The fields of the Grid that `flatten` took apart. What raises for a header that was changed is among DAMAGE."""
    missing = set(header["arrays"]) - set(arrays)
    if missing:
        raise KeyError(sorted(missing)[0])
    # those that came later stand in no older file
    lists = (header.get(name) or () for name in ("rows", "notes", "column_labels", "groups"))
    words = [*(header[name] for name in ("title", "kind", "model")), *(word for words in lists for word in words)]
    odd = [word for word in [*words, *(text for _, text in header["texts"])] if not isinstance(word, str)]
    if odd:
        raise TypeError(f"{odd[0]!r} stands where a text should")
    if header["view"] not in ("heatmap", "bars", "overview"):
        raise ValueError(f"its view is {header['view']!r}")

    def figures(kind: type, name: str, facts: list[dict[str, Any]]) -> list[Any]:
        ends = [{"domain": one["domain"] and tuple(one["domain"])} if "domain" in one else {} for one in facts]
        return [
            kind(**{**one, **domain}, values=arrays[f"{name}/{i}"]) for i, (one, domain) in enumerate(zip(facts, ends))
        ]

    def with_more(kind: type, name: str, more: str, facts: list[dict[str, Any]]) -> list[Any]:
        """Those that have further arrays, by name; older files name none."""
        made = [
            {word: arrays[f"{name}/{i}/{j}"] for j, word in enumerate(one.get(more, ()))} for i, one in enumerate(facts)
        ]
        return figures(kind, name, [{**one, more: found} for one, found in zip(facts, made)])

    def check(written: list[Any]) -> Check:
        return Check(np.nan if written[0] is None else written[0], *written[1:])

    def part(kind: type, name: str) -> Any:
        names = [f.name for f in fields(kind)]
        return kind(*(arrays[f"{name}/{n}"] for n in names)) if f"{name}/{names[0]}" in arrays else None

    jumps = header["jumps"]
    return {
        **{name: header[name] for name in ("title", "kind", "model", "view", "provenance")},
        **{name: tuple(header[name]) for name in ("rows", "excluded", "special", "notes")},
        **{name: arrays[name] for name in ("columns", "positions")},
        **{name: arrays.get(name) for name in ("following", "decision")},
        "column_labels": header["column_labels"] and tuple(header["column_labels"]),
        "quantities": {q.name: q for q in figures(Quantity, "quantity", header["quantities"])},
        "row_quantities": tuple(with_more(RowQuantity, "row_quantity", "parts", header["row_quantities"])),
        "column_quantities": tuple(
            with_more(ColumnQuantity, "column_quantity", "elsewhere", header.get("column_quantities") or [])
        ),
        "groups": header.get("groups") and tuple(header["groups"]),
        "candidates": part(Candidates, "candidates"),
        "trajectories": part(Trajectories, "trajectories"),
        "jumps": jumps
        and Jumps(
            arrays["jumps/columns"], arrays["jumps/tokens"], tuple(jumps[0]), arrays["jumps/values"], check(jumps[1])
        ),
        "sweep": header.get("sweep") and _swept(header["sweep"], arrays),
        "sides": header.get("sides")
        and Sides(tuple(header["sides"][0]), part(Candidates, "sides"), tuple(header["sides"][1]), header["sides"][2]),
        "texts": {int(i): text for i, text in header["texts"]},
        "targets": tuple(Target(label, tuple(ids)) for label, ids in header["targets"]),
        "check": header["check"] and check(header["check"]),
    }
