"""Packs the tuned lens that comes with lenswidget: `python -m scripts.pack_lens full.safetensors`.

The full lens takes 40 MB; the packed one must fit into a wheel and say the same. Its matrices are rounded so that what the
rounding does to the *reading* is least. Near a lens, KL(output ‖ row) changes by `½ eᵀ F e` when the moved row changes by
`e`, with `F` the Fisher information of the readout; and `e = ΔW (h - mean h)`, once the bias takes up the mean. So, with `H`
the covariance of the row that is read, rounding should keep

    ½ tr(F ΔW H ΔWᵀ)

small. With `H = Lₕ Dₕ Lₕᵀ` and `F = Lf Df Lfᵀ` this is `½ Σ Df[i] Dₕ[j] (Lfᵀ ΔW Lₕ)[i, j]²`. Both triangles have ones on the
diagonal, so entries rounded one after another, last row and last column first, can each make up for what the earlier roundings
did to their term of the sum, and only their own rounding is left in it (GPTQ, Frantar et al. 2022, arXiv 2210.17323, on one
side; YAQA, Tseng et al. 2025, arXiv 2505.22988, on both). Every term then costs the same if the step at `i, j` is proportional to
`1 / √(Df[i] Dₕ[j])`, and small codes are left to zlib. A row's steps are also proportional to the root of its KL, so
that rounding adds the same share to each.

The file and what it was measured to lose go to lenswidget/data/.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

import lenswidget as lw
from bench.text import prose
from lenswidget.lenses.fitted import unembedding_hash
from lenswidget.lenses.fitting import Residuals, kl_by_row, specimen
from lenswidget.lenses.lens_file import write_tensors
from lenswidget.lenses.linear import Moments
from lenswidget.lenses.load import SHIPPED
from lenswidget.lenses.packing import pack, unpack
from lenswidget.lenses.text import Text
from lenswidget.readout import Readout

BATCH = 8
"""Windows in a forward pass."""
DAMP = 1e-3
"""Added to every direction of a covariance, as a share of the mean: no direction is taken for one that never occurs."""
FIRST = 1 / 256
"""The weight of position 0, which no fit sees, in the covariance: a lens still reads it."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Pack a fitted lens of the embedded model.")
    parser.add_argument("lens", help="what lens.save wrote")
    parser.add_argument("--step", type=float, default=3e-4, help="the size of all steps: larger is smaller and worse")
    parser.add_argument("--tokens", type=int, default=16_000, help="tokens to measure the rows on")
    parser.add_argument("--held-out", type=int, default=4_000, help="tokens to compare the two lenses on")
    parser.add_argument("-o", "--output", type=Path, default=SHIPPED)
    options = parser.parse_args()

    model, lens = lw.load(device="cpu"), lw.load_lens(options.lens)
    text = Text(model, prose(options.tokens), held_out=0)
    held_out = next(
        Text(model, prose(2 * options.held_out, held_out=True), held_out=0).batches(options.held_out // text.window)
    )
    run = specimen(model, held_out)
    lens.require(run)
    covariance, mean, some = measure(model, text)
    residual = Residuals(model)(held_out)
    before = kl_by_row(run, lens, residual)
    print(
        f"measured on {len(some[0]):,} tokens a row; the full lens is {sum(before) / len(before):.3f} bits from the output"
    )

    fisher = torch.stack([fisher_of(lens.move(row, i), run.readout) for i, row in enumerate(some)])
    size = options.step * torch.tensor(before, dtype=torch.float64).sqrt()
    packed = rounded(lens.weight.double(), covariance, fisher, size)
    weight = unpack(packed)
    bias = lens.bias + ((lens.weight - weight).double() @ mean.unsqueeze(-1)).squeeze(-1).float()
    after = kl_by_row(run, type(lens)(weight, bias, lens.card, lens.sample), residual)
    card = dataclasses.replace(
        lens.card,
        kl=tuple(round(kl, 4) for kl in after),
        held_out=residual.shape[1],
        unembedding=unembedding_hash(run.readout.W_U),
        settings={
            **lens.card.settings,
            "packed": {"step": options.step, "kl of the full lens": [round(kl, 4) for kl in before]},
        },
    )
    options.output.parent.mkdir(exist_ok=True)
    write_tensors({**packed, "bias": bias, "sample": lens.sample}, type(lens).__name__, card, options.output)
    report(before, after, options.output)


def measure(model: Any, text: Text) -> tuple[Float[Tensor, "L d d"], Float[Tensor, "L d"], Float[Tensor, "L some d"]]:
    """Covariance and mean of every row but the last, in float64, and some of what they were measured on."""
    residuals, moments, some, first = Residuals(model), None, [], []
    for windows in text.batches(BATCH):
        residual = residuals(windows)
        moments = moments or Moments(residual)
        moments.add(residual)
        some.append(residual[:-1, ::8].clone())
        first.append(lw.run(model, windows[0, :1]).residual[:-1, 0])
    assert moments is not None
    mean = moments.mean[:-1]
    covariance = torch.stack([moments.covariance(row) for row in range(len(mean))])
    away = torch.stack(first, 1).double() - mean.unsqueeze(1)
    covariance += FIRST * away.mT @ away / away.shape[1]
    return damped(covariance), mean, torch.cat(some, 1)


def fisher_of(moved: Float[Tensor, "n d"], readout: Readout, draws: int = 16, seed: int = 0) -> Float[Tensor, "d d"]:
    """E[g gᵀ], g the gradient of the log-probability of a drawn token with respect to the moved row. In float64."""
    generator = torch.Generator().manual_seed(seed)
    total = torch.zeros(moved.shape[-1], moved.shape[-1], dtype=torch.float64)
    for batch in moved.split(256):
        part = batch.detach().requires_grad_()
        normed = readout.norm(part)
        with torch.no_grad():
            probability = readout.logits(part).softmax(-1)
            expected = probability @ readout.W_U.T
            drawn = torch.multinomial(probability, draws, replacement=True, generator=generator)
        for token in drawn.T:
            (gradient,) = torch.autograd.grad(normed, part, readout.W_U.T[token] - expected, retain_graph=True)
            total += (gradient.T @ gradient).double()
    return damped(total / (len(moved) * draws))


def damped(matrix: Float[Tensor, "*rows d d"]) -> Float[Tensor, "*rows d d"]:
    level = DAMP * matrix.diagonal(dim1=-2, dim2=-1).mean(-1)
    return matrix + level[..., None, None] * torch.eye(matrix.shape[-1]).to(matrix)


def triangle(matrix: Float[Tensor, "L d d"]) -> tuple[Float[Tensor, "L d d"], Float[Tensor, "L d"]]:
    """`Lᵀ` and `√D` of `matrix = L D Lᵀ`."""
    lower = torch.linalg.cholesky(matrix)
    root = lower.diagonal(dim1=1, dim2=2)
    return (lower / root.unsqueeze(1)).mT.contiguous(), root


def rounded(
    weight: Float[Tensor, "L d d"],
    covariance: Float[Tensor, "L d d"],
    fisher: Float[Tensor, "L d d"],
    size: Float[Tensor, "L"],
) -> dict[str, Tensor]:
    """Codes and steps of the weight, all rows at once, column after column from the last, and up each column."""
    d = weight.shape[-1]
    right, root_in = triangle(covariance)
    left, root_out = triangle(fisher)
    # what unpack will multiply by: rounded before anything is rounded to it
    step_out = (size.sqrt().unsqueeze(1) / root_out).bfloat16()
    step_in = (size.sqrt().unsqueeze(1) / root_in).bfloat16()
    error = torch.zeros_like(weight)
    codes = torch.zeros(weight.shape, dtype=torch.int8)
    block = 32
    for j in reversed(range(d)):
        step = step_out.double() * step_in[:, j : j + 1].double()
        # what the columns before this one, and then the entries below, have done to each entry's term
        done = torch.einsum("lic,lc->li", error[:, :, j + 1 :], right[:, j, j + 1 :])
        target = weight[:, :, j] - torch.einsum("lik,lk->li", left, done)
        column = error[:, :, j]
        for stop in range(d, 0, -block):
            start = max(0, stop - block)
            goal = target[:, start:stop] - torch.einsum("lik,lk->li", left[:, start:stop, stop:], column[:, stop:])
            for i in reversed(range(start, stop)):
                code = (goal[:, i - start] / step[:, i]).round().clamp(-128, 127)
                codes[:, i, j] = code
                column[:, i] = code * step[:, i] - weight[:, i, j]
                goal[:, : i - start] -= left[:, start:i, i] * column[:, i : i + 1]
    return pack(codes, step_out, step_in)


def report(before: tuple[float, ...], after: tuple[float, ...], path: Path) -> None:
    rows = [*enumerate(zip(before, after)), ("mean", (sum(before) / len(before), sum(after) / len(after)))]
    for row, (full, packed) in rows:
        print(f"  row {row!s:4}   {full:7.3f} bits   packed {packed:7.3f}   × {packed / full:.3f}")
    print(f"  {path}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
