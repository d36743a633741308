"""Site: where in a model an activation is, whatever library the model comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Site:
    """What enters or leaves a module, an attention pattern, or a row of the residual stream.

    `block` is the block's number, None outside the blocks. `module` is the path of a module within the block
    (`"attn"`, `"attn.o"`), `""` for the block itself. The row that enters block `l` is `Site(l, "", "row")`; the row that
    leaves the last of `L` blocks is `Site(L, "", "row")`.
    """

    block: int | None
    module: str
    end: Literal["in", "out", "pattern", "row"]

    def beside(self, end: Literal["in", "out", "pattern"]) -> Site:
        """Another end of the same module."""
        return Site(self.block, self.module, end)
