"""A wider network that computes what a narrower one does, to be trained on from there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from napari_shiftseg.embeddings.unet import Architecture, UNet


def is_wider(wide: Architecture, narrow: Architecture) -> bool:
    """Whether a network is another one with all its feature maps several times."""
    several = wide.maps > narrow.maps and wide.maps % narrow.maps == 0
    return several and replace(wide, maps=narrow.maps) == narrow


def widened(narrow: UNet, architecture: Architecture) -> UNet:
    """Give a network more feature maps without changing its output.

    Each map is there several times, and whatever takes it up shares its weight out among the
    copies, at random (from torch's generator). So their gradients differ, and they grow apart
    in training.

    Parameters
    ----------
    narrow
        The network to widen.
    architecture
        Of the wide one, see :func:`is_wider`.

    References
    ----------
    Chen et al., Net2Net: Accelerating Learning via Knowledge Transfer, ICLR 2016.
    """
    wide = UNet(architecture)
    for few, many in zip(_layers(narrow), _layers(wide), strict=True):
        # A transposed convolution has its inputs first.
        inputs = 0 if few.transposed else 1
        copies = many.out_channels // few.out_channels
        weight = _shared_out(few.weight.detach(), inputs, many.in_channels // few.in_channels)
        with torch.no_grad():
            many.weight.copy_(weight.repeat_interleave(copies, dim=1 - inputs))
            many.bias.copy_(few.bias.repeat_interleave(copies))
    return wide


def _layers(network: UNet) -> list[Any]:
    return [layer for layer in network.modules() if hasattr(layer, "out_channels")]


def _shared_out(weight: Tensor, axis: int, copies: int) -> Tensor:
    """Repeat each input along an axis; the weights of its copies add up to its own."""
    inputs = weight.movedim(axis, 0)
    share = torch.rand(len(inputs), copies, *inputs.shape[1:], dtype=weight.dtype) + 0.5
    share /= share.sum(1, keepdim=True)
    many: Tensor = (share * inputs[:, None]).flatten(0, 1)
    return many.movedim(0, axis)
