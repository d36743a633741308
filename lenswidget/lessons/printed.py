"""Words of a lesson that need no script: Markdown where a notebook draws it, and the same as text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

WAYS_ON = "application/vnd.lenswidget.ways-on+json"
"""That here a lesson leads to others, for pages, which draw them; and what to read."""


@dataclass(frozen=True)
class Printed:
    """Markdown that the end of a cell shows."""

    markdown: str

    def __repr__(self) -> str:
        return re.sub(r"\*\*|\[\[|\]\]|`|^#+ ", "", self.markdown, flags=re.MULTILINE)

    def _repr_markdown_(self) -> str:
        return self.markdown


@dataclass(frozen=True, repr=False)
class WaysOn(Printed):
    """The lessons to go on with, and what to read, which is also apart, as `read_on`."""

    read_on: str

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {
            "text/plain": repr(self),
            "text/markdown": self.markdown,
            WAYS_ON: {"read_on": self.read_on},
        }
