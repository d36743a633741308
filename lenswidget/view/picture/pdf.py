"""A scene as a PDF of one page, whose text stays text."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from lenswidget.view.picture.colors import Theme, colors
from lenswidget.view.picture.png import font
from lenswidget.view.picture.scene import FAINT, SIZE, Area, Box, Dots, Line, Scene, Words


def pdf(scene: Scene, title: str, theme: Theme, zoom: float, provenance: str) -> bytes:
    """A scene as a PDF, `zoom` points to its unit, whose subject is where it came from. Raises ImportError without reportlab."""
    try:
        from reportlab.pdfbase import pdfmetrics
        from reportlab.pdfbase.ttfonts import TTFont
        from reportlab.pdfgen.canvas import Canvas
    except ImportError as reason:
        raise ImportError(
            "A PDF needs reportlab: pip install 'lenswidget[pdf]', or choose grid.to_svg(path)."
        ) from reason
    named = colors(theme)
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=(scene.width * zoom, scene.height * zoom), invariant=True)
    canvas.setTitle(_encodable(title))
    canvas.setCreator("lenswidget")
    canvas.setSubject(provenance)
    canvas.scale(zoom, zoom)
    face, draws = font(SIZE)
    name = "Helvetica"
    if draws:
        name = "lenswidget"
        pdfmetrics.registerFont(TTFont(name, face.path))
    write: dict[str, Callable[..., Any]] = {
        "start": canvas.drawString, "middle": canvas.drawCentredString, "end": canvas.drawRightString,
    }  # fmt: skip
    for shape in scene.shapes:
        if isinstance(shape, Words):
            canvas.setFont(name, shape.size)
            canvas.setFillColor(named[shape.ink])
            text = _encodable(shape.text) if draws else shape.text.encode("latin-1", "replace").decode("latin-1")
            write[shape.anchor](shape.x, scene.height - shape.y, text)
        elif isinstance(shape, (Line, Area)):
            path = canvas.beginPath()
            for i, (x, y) in enumerate(shape.points):
                (path.lineTo if i else path.moveTo)(x, scene.height - y)
            if isinstance(shape, Area):
                canvas.setFillColor(named[shape.ink], alpha=FAINT)
                canvas.drawPath(path, stroke=0, fill=1)
                canvas.setFillAlpha(1)
                continue
            canvas.setStrokeColor(named[shape.ink])
            canvas.setLineWidth(shape.weight)
            canvas.setDash(*([shape.dash, shape.dash] if shape.dash else []))
            canvas.drawPath(path)
        elif isinstance(shape, Dots):
            canvas.setFillColor(named[shape.ink])
            for x, y in shape.points:
                canvas.circle(x, scene.height - y, shape.radius, stroke=0, fill=1)
        else:
            low = scene.height - shape.y - shape.height
            if isinstance(shape, Box):
                canvas.setFillColor(named[shape.fill])
                canvas.rect(shape.x, low, shape.width, shape.height, stroke=0, fill=1)
            else:
                canvas.setStrokeColor(named[shape.ink])
                canvas.setLineWidth(2)
                canvas.setDash()
                canvas.roundRect(shape.x, low, shape.width, shape.height, 2)
    canvas.showPage()
    canvas.save()
    return stream.getvalue()


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
