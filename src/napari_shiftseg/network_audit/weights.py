"""Weights that show what an architecture can do, whatever it was trained to."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from napari_shiftseg.network_audit.freeze import FrozenNorm
from napari_shiftseg.network_audit.subject import Subject


def positive(subject: Subject) -> Subject:
    """Return a copy through which every pixel that is seen is felt.

    Positive weights and no biases: nothing cancels, no ReLU is dead, the maximum of a pool
    is what was raised, and an image of zeros gives what it gives without any neighbour.
    """
    return _redrawn(subject, torch.float32, _positive, bias=0.0)


def random(subject: Subject, dtype: torch.dtype, seed: int) -> Subject:
    """Return a copy with random weights, which keep the signal's scale (He et al. 2015).

    They lean to the positive, so that few ReLUs are dead.
    """
    return _redrawn(subject, dtype, _random, bias=0.1, seed=seed)


def _positive(weight: Tensor, generator: torch.Generator) -> Tensor:
    """Draw weights whose gain is one per input channel and pixel of the kernel."""
    return (torch.rand(weight.shape, generator=generator) + 0.5) / weight.shape[1]


def _random(weight: Tensor, generator: torch.Generator) -> Tensor:
    gain: float = (2 / weight[0].numel()) ** 0.5
    return (_normal(weight, generator) + 0.3) * gain


def _normal(weight: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(weight.shape, generator=generator, dtype=weight.dtype)


def _redrawn(
    subject: Subject,
    dtype: torch.dtype,
    draw: Callable[[Tensor, torch.Generator], Tensor],
    bias: float,
    seed: int = 0,
) -> Subject:
    copy = subject.copy(dtype)
    generator = torch.Generator().manual_seed(seed)  # other threads may draw from torch's own
    with torch.no_grad():
        for module in copy.module.modules():
            if isinstance(module, FrozenNorm):
                module.forget()
            elif isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.reset_running_stats()
            for name, weight in module.named_parameters(recurse=False):
                if weight.ndim > 1:
                    weight.copy_(draw(weight, generator))
                elif name.endswith("bias"):
                    weight.copy_(_normal(weight, generator) * bias)
                elif not weight.any():  # a branch that training has yet to open
                    weight.fill_(1.0)
    return copy
