"""A scene as a PNG, small enough to ride along with every widget of a notebook.

A pixel is a fill, and on it so much of an ink. The palette holds the fills in turn, each with LEVELS steps towards its ink, so a
word has the same steps whatever it stands on; and a line of pixels is stored as what it has more than the one above, where
one color over another is nothing but a few edges. Together that takes a third of the bytes off.
"""

from __future__ import annotations

import struct
import zlib
from functools import cache
from typing import Any

import numpy as np
from jaxtyping import UInt8

from lenswidget.view.picture.colors import Theme, colors
from lenswidget.view.picture.scene import FAINT, Area, Box, Dots, Number, Ring, Scene, Words, dashes

LEVELS = 6
"""Of an ink on a fill: none to all of it, between which the edges of letters lie."""
MOST_FILLS = 48
"""Of a picture, from which on a thin ink covers others instead of mixing with them: 256 places must do for all their levels."""
PROVENANCE = "lenswidget"
"""The keyword under which a PNG says where it came from, as JSON; js/src/export/png-text.ts writes the same."""
ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}
"""Where on its baseline a text is held, as Pillow says it."""


def png(scene: Scene, theme: Theme, zoom: float, dpi: float | None = None, provenance: str = "") -> bytes:
    """A scene in pixels, `zoom` of them to its unit, which says where it came from in a text of its own, if given."""
    from PIL import Image, ImageDraw

    named, size = dict(colors(theme)), (round(scene.width * zoom), round(scene.height * zoom))
    fills, ground = {"page": 0}, Image.new("L", size)
    words: dict[str, list[Words]] = {}
    draw = ImageDraw.Draw(ground)
    for shape in scene.shapes:
        if isinstance(shape, Words):
            words.setdefault(named[shape.ink], []).append(shape)
            continue
        if isinstance(shape, Area):
            mask = Image.new("1", size)
            ImageDraw.Draw(mask).polygon([(x * zoom, y * zoom) for x, y in shape.points], fill=1)
            _tint(ground, np.asarray(mask), shape.ink, fills, named)
            continue
        fill = fills.setdefault(shape.fill if isinstance(shape, Box) else shape.ink, len(fills))
        if isinstance(shape, (Box, Ring)):
            x, y = shape.x * zoom, shape.y * zoom
            # what is thinner than a pixel is one
            box = [x, y, x + max(0, shape.width * zoom - 1), y + max(0, shape.height * zoom - 1)]
            if isinstance(shape, Box):
                draw.rectangle(box, fill=fill)
            else:
                draw.rounded_rectangle(box, 2 * zoom, outline=fill, width=max(1, round(2 * zoom)))
        elif isinstance(shape, Dots):
            for x, y in shape.points:
                draw.ellipse([zoom * (at + by * shape.radius) for by in (-1, 1) for at in (x, y)], fill=fill)
        else:
            for points in dashes(shape) if shape.dash else [shape.points]:
                pixels = [(x * zoom, y * zoom) for x, y in points]
                draw.line(pixels, fill=fill, width=max(1, round(shape.weight * zoom)), joint="curve")
    cover, ink = np.zeros(size[::-1], dtype=np.uint8), np.zeros(size[::-1], dtype=np.uint8)
    for place, written in enumerate(words.values()):
        layer = Image.new("L", size)
        draw = ImageDraw.Draw(layer)
        for word in written:
            face, draws = font(word.size * zoom)
            text = word.text if draws else word.text.encode("latin-1", "replace").decode("latin-1")
            draw.text((word.x * zoom, word.y * zoom), text, font=face, fill=255, anchor=ANCHORS[word.anchor])
        more = np.asarray(layer) > cover
        ink[more] = place
        np.maximum(cover, np.asarray(layer), out=cover)
    inks = list(words) or [named["ink"]]
    planes, palette = _mixed(np.asarray(ground), ink, cover, [named[fill] for fill in fills], inks)
    return _file(planes, palette, dpi, provenance)


def _tint(ground: Any, mask: np.ndarray, ink: str, fills: dict[str, int], named: dict[str, str]) -> None:
    """Lay a thin ink over part of the ground: each fill beneath it becomes another."""
    from PIL import Image

    under, names = np.array(ground), list(fills)
    for place in np.unique(under[mask]).tolist():
        beneath = names[place] if len(fills) < MOST_FILLS else "page"
        tinted = f"{ink} over {beneath}"
        start, end = (np.frombuffer(bytes.fromhex(named[name][1:]), np.uint8) for name in (beneath, ink))
        mixed = np.rint((1 - FAINT) * start + FAINT * end).astype(np.uint8)
        named[tinted] = f"#{mixed.tobytes().hex()}"
        under[mask & (np.asarray(ground) == place)] = fills.setdefault(tinted, len(fills))
    ground.paste(Image.fromarray(under))


Plane = UInt8[np.ndarray, "height width"]


def _mixed(fill: Plane, ink: Plane, cover: Plane, fills: list[str], inks: list[str]) -> tuple[Plane, bytes]:
    """Places in a palette, and the palette: for each ink on a fill, the steps from none of it to all."""
    pair = fill.astype(np.int32) * len(inks) + ink
    counts = np.bincount(pair[cover > 0], minlength=len(fills) * len(inks)).reshape(len(fills), -1)
    # where nothing is written, a fill is that of its commonest ink
    common = counts.argmax(axis=1)
    used = np.flatnonzero((counts > 0) | (np.arange(len(inks)) == common[:, None]))
    levels = min(LEVELS, 256 // len(used))
    level = np.rint(np.linspace(0, levels - 1, 256)).astype(np.uint8)[cover]
    pair = np.where(level > 0, pair, (np.arange(len(fills)) * len(inks) + common)[fill])
    order = np.zeros(counts.size, dtype=np.uint8)
    order[used] = np.arange(len(used)) * levels
    palette = bytearray()
    for on, of in zip(*np.divmod(used, len(inks)), strict=True):
        start, end = (list(bytes.fromhex(color[1:])) for color in (fills[on], inks[of]))
        palette += np.rint(np.linspace(start, end, levels)).astype(np.uint8).tobytes()
    return np.add(order[pair], level, dtype=np.uint8), bytes(palette)


def _file(pixels: Plane, palette: bytes, dpi: float | None, provenance: str) -> bytes:
    """A PNG that says what made it right after its header, where the stylesheet looks for it: see js/src/style/style.css."""
    height, width = pixels.shape
    up = np.full((height, 1), 2, dtype=np.uint8)
    lines = np.hstack([up, np.diff(pixels, axis=0, prepend=np.zeros_like(pixels[:1]))])
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"tEXt", b"Software\0lenswidget"),
        *([(b"tEXt", f"{PROVENANCE}\0{provenance}".encode("latin-1"))] if provenance else []),
        (b"PLTE", palette),
        *([(b"pHYs", struct.pack(">IIB", *[round(dpi / 0.0254)] * 2, 1))] if dpi else []),
        (b"IDAT", zlib.compress(lines.tobytes(), 9)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


@cache
def font(size: Number) -> tuple[Any, bool]:
    """A font of the machine's, and whether it draws more than Latin letters; Pillow's own where there is none."""
    from PIL import ImageFont

    for name in ("DejaVuSans.ttf", "Arial Unicode.ttf", "arial.ttf", "LiberationSans-Regular.ttf"):
        try:
            return ImageFont.truetype(name, size), True
        except OSError:
            continue
    return ImageFont.load_default(size), False
