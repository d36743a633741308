"""Place: where the activation of a label lies that Grids show: `embed`, `L12`, `L12.attn`, `L12.mlp`, `L23H3`, `L5N1024`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lenswidget.model.backend import Backend
from lenswidget.model.components import Components, Part
from lenswidget.model.find_components import components_of
from lenswidget.model.site import Site

_LABEL = re.compile(r"L(\d+)(?:\.([\w ]+)|H(\d+)|N(\d+))?")


@dataclass(frozen=True)
class Place:
    """Where an activation is, and in which of the numbers that are kept there.

    `row` is the row of the stream below which nothing can be changed from here: the block that it enters computes this.
    What is written to the stream is `scale` times what is at the site; of heads and neurons it is what enters the map that
    writes them.
    """

    label: str
    site: Site
    row: int
    begin: int = 0
    end: int | None = None
    scale: float = 1.0

    @property
    def columns(self) -> slice:
        """Which of the numbers at the site."""
        return slice(self.begin, self.end)


def row_place(backend: Backend, row: int) -> Place:
    """A row of the residual stream, by its index, counted from the embedding."""
    return Place("embed" if row == 0 else f"L{row - 1}", backend.rows[row], row)


def part_place(part: Part, layer: int) -> Place:
    """What a part of a block adds to the stream: attention or an MLP, after any norm of its own."""
    return Place(f"L{layer}.{part.name}", part.site, layer, scale=part.scale)


def head_place(part: Part, layer: int, head: int, width: int) -> Place:
    """What a head mixed from its values, before `W_O` writes it: `width` numbers."""
    assert part.projection is not None
    return Place(f"L{layer}H{head}", part.projection.site, layer, head * width, (head + 1) * width)


def neuron_place(part: Part, layer: int, neuron: int) -> Place:
    """The activation of a neuron, one number, before `W_out` writes it."""
    assert part.projection is not None
    return Place(f"L{layer}N{neuron}", part.projection.site, layer, neuron, neuron + 1)


def place_of(backend: Backend, label: str | int) -> Place:
    """The place of a label; 12 stands for "L12".

    Raises ValueError, with what the model has, for one that it hasn't.
    """
    layers, name = backend.facts.layers, backend.facts.name
    label = label if isinstance(label, str) else f"L{label}"
    if label == "embed":
        return row_place(backend, 0)
    found = _LABEL.fullmatch(label)
    if found is None or int(found[1]) >= layers:
        raise ValueError(
            f"{name} has no site {label!r}; sites are rows, 'embed' and 'L0' to 'L{layers - 1}', and what the blocks consist "
            f"of, {_examples(components_of(backend), layers - 1)}."
        )
    layer = int(found[1])
    if found[0] == f"L{found[1]}":
        return row_place(backend, layer + 1)
    parts = components_of(backend).blocks[layer].parts
    for part in parts:
        if found[2] == part.name:
            return part_place(part, layer)
        if found[3] and int(found[3]) < part.heads and part.projection:
            return head_place(part, layer, int(found[3]), part.projection.n // part.heads)
        if found[4] and part.projection and has_neurons(part) and int(found[4]) < part.projection.n:
            return neuron_place(part, layer, int(found[4]))
    raise ValueError(f"{name} has no site {label!r}: {_of_block(parts, layer)}.")


def has_neurons(part: Part) -> bool:
    """Whether a part is an MLP whose neurons can be told apart."""
    return part.projection is not None and part.name.endswith("mlp")


def _of_block(parts: tuple[Part, ...], layer: int) -> str:
    """What a block has, in words."""
    if not parts:
        return f"block {layer} could not be taken apart, so it has its row alone, 'L{layer}'"
    words = [f"'L{layer}.{part.name}'" for part in parts]
    for part in parts:
        if part.heads:
            words.append(f"'L{layer}H0' to 'L{layer}H{part.heads - 1}'")
        if has_neurons(part) and part.projection:
            words.append(f"'L{layer}N0' to 'L{layer}N{part.projection.n - 1}'")
    return f"block {layer} has {', '.join(words)} and its row 'L{layer}'"


def _examples(components: Components, layer: int) -> str:
    block = components.blocks[layer]
    return _of_block(block.parts, layer).replace(f"block {layer}", "as the last one", 1)
