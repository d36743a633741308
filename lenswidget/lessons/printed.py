"""Words of a lesson that need no script: Markdown where a notebook draws it, and the same as text."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Printed:
    """Markdown that the end of a cell shows."""

    markdown: str

    def __repr__(self) -> str:
        return re.sub(r"\*\*|\[\[|\]\]|`|^#+ ", "", self.markdown, flags=re.MULTILINE)

    def _repr_markdown_(self) -> str:
        return self.markdown
