"""What a model does to its last residual stream, found by asking the model, or a refusal that says why there is no such thing.

Architectures differ in ways that their names don't tell: gains stored as `w` or as `w - 1`, means subtracted or not,
logits scaled or capped. So nothing is looked up by name. The final norm and what follows the unembedding are tried on
known inputs, and what they compute is believed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from lenswidget.model.readout import FinalNorm, Readout


def name_of(model: Any) -> str:
    return str(getattr(model.cfg, "model_name", "") or type(model).__name__).rstrip("/").split("/")[-1]


def architecture_of(model: Any) -> str:
    return str(getattr(model.cfg, "architecture", "") or "this architecture")


def readout_of(model: Any) -> Readout:
    """The final norm, unembedding and what follows them, or a refusal that says why there is no such thing."""
    if not hasattr(model, "run_with_cache") or not hasattr(model, "cfg"):
        raise TypeError(
            f"A run needs a TransformerLens model and got {type(model).__name__}; boot one with lw.load(name)."
        )
    _require_readable(model)
    unembed = model.unembed
    W_U, b_U = unembed.W_U.detach(), unembed.b_U
    if W_U.dtype not in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        raise ValueError(
            f"The unembedding of {name_of(model)} is stored as {W_U.dtype}: quantised weights can't be read out. Load the "
            "model in float32, bfloat16 or float16."
        )
    b_U = b_U.detach().float() if b_U is not None and bool(b_U.detach().any()) else None
    scale, cap = _probe_transform(model.adapter.apply_output_logits_transform, model)
    return Readout(_probe_norm(getattr(model, "ln_final", None), model, W_U.device), W_U, b_U, scale, cap)


# Modules that TransformerLens mounts between the last block and the unembedding, apart from the final norm.
_BEFORE_UNEMBEDDING = {
    "mlm_head": "a masked-language-model head of its own",
    "prediction_head": "a prediction head",
    "project_out": "a projection to another width",
    "hc_head": "a head that joins several residual streams",
    "sigma_map": "a norm that depends on the diffusion step",
}


def _require_readable(model: Any) -> None:
    training = [name or type(model).__name__ for name, module in model.named_modules() if module.training]
    original = getattr(model, "original_model", None)
    if training or (original is not None and original.training):
        raise ValueError(
            f"{name_of(model)} is in training mode, where dropout changes every run; call model.eval() first."
        )
    modules = model._modules
    for flag, reads in (("is_audio_model", "sound"), ("is_visual_model", "images")):
        if getattr(model.cfg, flag, False):
            raise ValueError(f"{architecture_of(model)} reads {reads}; a lens needs a model that reads tokens.")
    if "encoder_blocks" in modules or "decoder_blocks" in modules:
        raise ValueError(
            f"{architecture_of(model)} is an encoder-decoder; lenses read models with one stack of blocks."
        )
    if modules.get("unembed") is None:
        raise ValueError(f"{architecture_of(model)} has no unembedding: it gives no logits over a vocabulary to read.")
    between = [what for name, what in _BEFORE_UNEMBEDDING.items() if modules.get(name) is not None]
    if between:
        raise ValueError(
            f"{architecture_of(model)} has {between[0]} between its last block and its unembedding, and no lens here goes "
            "through it."
        )
    blocks = modules.get("blocks")
    if blocks is None or not len(blocks):
        stacks = [name for name, module in modules.items() if isinstance(module, torch.nn.ModuleList)]
        raise ValueError(
            f"{architecture_of(model)} has no single stack of blocks{f' but {stacks}' if stacks else ''}; a lens reads "
            "the outputs of one, in order."
        )
    repeats = int(getattr(model.cfg, "total_ut_steps", 1) or 1)
    if repeats > 1:
        raise ValueError(
            f"{architecture_of(model)} runs its stack of blocks {repeats} times over; TransformerLens caches only the "
            "last time, and a lens needs every row from the embedding on."
        )
    for block in blocks:
        if not getattr(block, "hook_out_is_single_residual_stream", False):
            raise ValueError(
                f"{architecture_of(model)} carries several residual streams side by side ({type(block).__name__}); a lens "
                "reads one."
            )


def _probe_norm(module: Any, model: Any, device: torch.device) -> FinalNorm:
    """The final norm as numbers."""
    inner = module and module.original_component
    if inner is None or isinstance(inner, torch.nn.Identity):
        return FinalNorm(None, None, None, centred=False)
    norm, error = norm_of(inner, int(model.cfg.d_model), device, eps=float(model.cfg.eps))
    if norm is None:
        raise ValueError(
            f"The final norm of {architecture_of(model)} ({type(inner).__name__}) is neither a LayerNorm nor an RMSNorm: the "
            f"nearest of them is off by {error:.2g}. No lens here can read it."
        )
    return norm


def norm_of(
    inner: torch.nn.Module, width: int, device: torch.device, *, eps: float = 1e-6
) -> tuple[FinalNorm | None, float]:
    """A norm as numbers, found by trying: what it computes is believed, not what it is called.

    Whether the mean is subtracted and whether the gain is stored as `w` or as `w - 1` differ from one implementation
    to the next; of the four readings, the one that reproduces the module on random vectors is the norm, and nothing
    where none does. Beside it, how far the nearest is off. `eps` is for a module that doesn't tell its own.
    """
    weight, bias = getattr(inner, "weight", None), getattr(inner, "bias", None)
    weight = None if weight is None else weight.detach().to(device, torch.float32)
    bias = None if bias is None else bias.detach().to(device, torch.float32)
    if any(vector is not None and vector.shape != (width,) for vector in (weight, bias)):
        return None, float("inf")
    names = ("eps", "variance_epsilon", "epsilon", "norm_eps", "layer_norm_epsilon")
    eps = next((float(getattr(inner, n)) for n in names if getattr(inner, n, None) is not None), eps)
    # vectors of three sizes, the smallest near √eps, so that a wrong eps shows too
    generator = torch.Generator().manual_seed(0)
    sizes = torch.tensor([10.0, 0.1, 3e-3]).repeat_interleave(4).unsqueeze(-1)
    x = (torch.randn(12, width, generator=generator) + 0.5) * sizes
    dtype = next(inner.parameters(), x).dtype
    with torch.inference_mode():
        theirs = inner(x.to(device, dtype).unsqueeze(0))[0].float()
    x = x.to(dtype).to(device, torch.float32)
    gains = [weight] if weight is None else [weight, 1 + weight]
    choices = [FinalNorm(gain, bias, eps, centred) for gain in gains for centred in (True, False)]
    errors = [float((choice(x) - theirs).abs().max() / theirs.abs().max().clamp(min=1e-12)) for choice in choices]
    best = min(range(len(choices)), key=lambda i: errors[i])
    close = errors[best] < (1e-4 if dtype == torch.float32 else 2e-2)
    return (choices[best] if close else None), errors[best]


def _probe_transform(transform: Callable[[Tensor], Tensor], model: Any) -> tuple[float, float | None]:
    """A logit scale and a soft-cap, found by trying what the model does to its logits after the unembedding."""
    z = torch.tensor([-1e12, -60.0, -7.0, -0.5, -1e-6, 0.0, 1e-6, 0.5, 7.0, 60.0, 1e12], dtype=torch.float64)
    theirs = transform(z.clone()).double()
    scale = float(theirs[6] / z[6])
    cap = float(theirs[-1]) if float(theirs[-1]) < 0.5 * scale * 1e12 else None
    ours = scale * z if cap is None else cap * torch.tanh(scale * z / cap)
    if not torch.allclose(ours, theirs, rtol=1e-5, atol=1e-9):
        raise ValueError(
            f"{architecture_of(model)} does something to its logits that is neither a scale nor a soft-cap."
        )
    # a scale is a short decimal in the model's config: take back the last bits that the probe lost
    return float(f"{scale:.12g}"), None if cap is None else float(f"{cap:.12g}")
