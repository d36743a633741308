"""Texts that somebody else chose, wherever one can stand: in all that Python writes they are only text."""

from __future__ import annotations

import base64
import io
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from xml.dom import minidom

import pytest
from PIL import Image
from pypdf import PdfReader

import lenswidget as lw
from lenswidget.grids.grid import Grid
from lenswidget.grids.marks import spaced
from lenswidget.view.picture.draw import preview_svg
from tests.grids import HOSTILE, PLAIN, hostile_grid

View = Literal["heatmap", "bars"]
VIEWS: list[View] = ["heatmap", "bars"]
GRIDS = [(start, view) for start in range(0, len(HOSTILE), 16) for view in VIEWS]
DRAWING = {"svg", "title", "metadata", "style", "rect", "text", "polyline", "polygon", "path"}


def nodes(drawn: str) -> Iterator[minidom.Element]:
    yield from minidom.parseString(drawn.encode("utf-8")).getElementsByTagName("*")


def words(node: minidom.Element) -> str:
    return "".join(child.data for child in node.childNodes if isinstance(child, minidom.Text))


def attributes(drawn: str) -> set[str]:
    return {attribute.name for node in nodes(drawn) for attribute in node.attributes.values()}


def unseen(text: str) -> list[str]:
    """Characters that would move others, or that nobody sees. Numbers have a narrow space."""
    return [c for c in text if unicodedata.category(c)[0] in "CZ" and c not in " \u202f"]


@pytest.fixture(scope="module")
def harmless() -> set[str]:
    return {name for view in VIEWS for name in attributes(preview_svg(hostile_grid(0, view, PLAIN)))}


@pytest.mark.parametrize(("start", "view"), GRIDS)
def test_a_picture_holds_words_and_shapes_and_nothing_else(
    start: int, view: View, harmless: set[str], tmp_path: Path
) -> None:
    grid = hostile_grid(start, view)
    for drawn in (preview_svg(grid), grid.to_svg(tmp_path / "a.svg", width=5.0).read_text("utf-8")):
        assert {node.nodeName for node in nodes(drawn)} <= DRAWING
        assert attributes(drawn) <= harmless
        said = {kind: [words(node) for node in nodes(drawn) if node.nodeName == kind] for kind in DRAWING}
        assert not any(map(unseen, said["text"] + said["title"]))
        assert all(text.isascii() and text.isprintable() for text in said["metadata"])
        assert not any("url(" in rules or "@import" in rules for rules in said["style"])
        assert len(drawn) < 60_000


def test_a_pdf_has_text_and_no_actions(tmp_path: Path) -> None:
    for start, view in GRIDS[::3]:
        grid = hostile_grid(start, view)
        reader = PdfReader(grid.to_pdf(tmp_path / "a.pdf"))
        (page,) = reader.pages
        assert set(page) <= {"/Contents", "/MediaBox", "/Parent", "/Resources", "/Rotate", "/Trans", "/Type"}
        assert set(reader.trailer["/Root"]) <= {"/Lang", "/Outlines", "/PageMode", "/Pages", "/Type"}
        assert reader.metadata is not None
        wanted = f"{grid.kind}: {grid.title}".encode("utf-8", "replace").decode()
        assert reader.metadata.title == wanted
        assert spaced(grid.title).encode("utf-8", "replace").decode()[:20] in page.extract_text()


@pytest.mark.parametrize(("start", "view"), GRIDS[::3])
def test_what_a_cell_shows_can_be_sent_printed_and_seen(start: int, view: View) -> None:
    """A terminal obeys control characters, and half of a surrogate pair can't be sent to it, nor to a notebook."""
    for shown in (hostile_grid(start, view), lw.compare(hostile_grid(start), hostile_grid(start + 1))):
        data, _ = shown._repr_mimebundle_()
        assert not unseen(data["text/plain"].replace("\n", "")) and data["text/plain"].encode("utf-8")
        assert Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).width > 200


def test_what_was_saved_is_what_is_loaded_to_the_letter(tmp_path: Path) -> None:
    for start, view in GRIDS:
        assert Grid.load(hostile_grid(start, view).save(tmp_path / "a.npz")) == hostile_grid(start, view)
