"""Packs the tuned lens that comes with lenswidget: `python -m scripts.pack_lens FOLDER`.

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

The file goes to lenswidget/data/, with what it reads on a page of each style that no fit has seen.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

import lenswidget as lw
from bench.styles import held_out_pages
from lenswidget.lenses.files.lens_file import write_tensors
from lenswidget.lenses.files.packing import pack, unpack
from lenswidget.lenses.load_lens import SHIPPED
from lenswidget.model.readout import Readout
from scripts.fit_shipped_lens import texts_of

WINDOW = 256
DAMP = 1e-3
"""Added to every direction of a matrix, as a share of the mean: text that never goes one way says little of other text."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Pack a fitted lens of the embedded model.")
    parser.add_argument("folder", type=Path, help="what scripts.fit_shipped_lens wrote to")
    parser.add_argument("--step", type=float, default=5e-4, help="the size of all steps: larger is smaller and worse")
    parser.add_argument("--tokens", type=int, default=8_000, help="tokens to measure the rows on")
    parser.add_argument("-o", "--output", type=Path, default=SHIPPED)
    options = parser.parse_args()

    model, lens = lw.load(device="cpu"), lw.load_lens(options.folder / "full.safetensors")
    covariance, mean, some = measure(runs(model, texts_of(options.folder), options.tokens))
    readout = lw.run(model, "The").readout
    fisher = torch.stack([fisher_of(lens.move(row, i), readout) for i, row in enumerate(some)])
    print(f"measured on {options.tokens:,} tokens", flush=True)
    size = options.step * torch.tensor(lens.card.kl).double().sqrt()
    packed = rounded(lens.weight.double(), covariance, fisher, size)
    weight = unpack(packed)
    bias = lens.bias + ((lens.weight - weight).double() @ mean.unsqueeze(-1)).squeeze(-1).float()
    pages = held_out_pages(model.tokenizer)
    measured = lw.fidelity(model, type(lens)(weight, bias, lens.card, lens.sample), pages, tokens=2_000)
    card = dataclasses.replace(
        lens.card,
        kl=rounded_kl(measured),
        kl_by_style={style: rounded_kl(part) for style, part in measured.styles.items()},
        blind=round(measured.blind, 4),
        held_out=measured.tokens,
        settings={**lens.card.settings, "packed": {"step": options.step}},
    )
    options.output.parent.mkdir(exist_ok=True)
    write_tensors({**packed, "bias": bias, "sample": lens.sample}, type(lens).__name__, card, options.output)
    for style, kl in {"all": card.kl, **card.kl_by_style}.items():
        rows = " ".join(f"{kl[row]:5.2f}" for row in range(0, 30, 3))
        print(f"  {style:6} {sum(kl[:30:3]) / 10:5.2f} bits, rows 0, 3, … 27: {rows}")
    print(f"  {options.output}: {options.output.stat().st_size / 1e6:.2f} MB")


def rounded_kl(measured: lw.Fidelity) -> tuple[float, ...]:
    """For every row but the last."""
    return tuple(round(float(kl), 4) for kl in measured.kl[:-1, 0])


def runs(model: Any, texts: list[str], tokens: int) -> Iterator[lw.Run]:
    """Runs of whole windows of text, of about so many tokens in all."""
    ids = model.tokenizer("\n\n".join(texts))["input_ids"]
    # from all over: texts come by turns, and a few of them fill so many tokens
    windows = range(0, len(ids) - WINDOW + 1, WINDOW)
    for start in windows[:: max(1, len(windows) * WINDOW // tokens)]:
        yield lw.run(model, ids[start : start + WINDOW])


def measure(runs: Iterator[lw.Run]) -> tuple[Float[Tensor, "L d d"], Float[Tensor, "L d"], Float[Tensor, "L some d"]]:
    """Covariance and mean of every row but the last, in float64, and some of what they were measured on."""
    count, total, square, first, some = 0, 0.0, 0.0, [], []
    for run in runs:
        rows = run.residual[:-1, 1:]
        count += rows.shape[1]
        total = total + rows.sum(1).double()
        square = square + (rows.mT @ rows).double()
        some.append(rows[:, ::16])
        first.append(run.residual[:-1, :1])
    mean = torch.as_tensor(total) / count
    covariance = damped(torch.as_tensor(square) / count - mean.unsqueeze(2) * mean.unsqueeze(1))
    # no fit sees position 0 and its norm is hundreds of times the rest, but a lens reads it, too
    away = torch.cat(first, 1).double() - mean.unsqueeze(1)
    return covariance + away.mT @ away / count, mean, torch.cat(some, 1)


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
    step_in = size.sqrt().unsqueeze(1) / root_in
    # a code is a byte, and needs some room for what it is to make up for
    widest = (weight.abs() / step_out.double().unsqueeze(2)).amax(1)
    step_in = step_in.maximum(widest / 100).bfloat16()
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


if __name__ == "__main__":
    main()
