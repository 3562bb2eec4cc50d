"""Convolutions with their ReLU in one pass, which is faster and the same.

Eager torch writes the output of a convolution to memory, reads it again for the ReLU, and takes
slow paths of its own for small or three-dimensional inputs. oneDNN, which torch's CPU builds
carry, does both at once. It also adds a convolution to what another has written, so that skipped
and upsampled features need not be copied beside each other. Where it is not to be had (other
devices, other number types, training), the same layers run as torch runs them.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_shiftseg.embeddings.device import ONEDNN, emulates_bfloat16
from napari_shiftseg.embeddings.unet import UNet, UpBlock
from napari_shiftseg.tiles.geometry import Size

_CONVOLVE: dict[int, Any] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_TYPES = {torch.float32}
if not emulates_bfloat16(torch.device("cpu")):
    _TYPES.add(torch.bfloat16)


class FusedConvolution(nn.Module):
    """A convolution, and the ReLU behind it if there is one.

    Parameters
    ----------
    layer
        With stride and dilation 1, zero padding or none; its weights are shared.
    relu
        Whether a ReLU follows.
    """

    def __init__(self, layer: Any, *, relu: bool) -> None:
        super().__init__()
        self.weight: Tensor = layer.weight
        self.bias: Tensor = layer.bias
        self._after = "relu" if relu else "none"
        self.kernel: Size = tuple(layer.kernel_size)
        same = layer.padding == "same"
        self.padding: Size = tuple(k // 2 if same else 0 for k in self.kernel)
        self._in_order: dict[tuple[int | None, int | None], Tensor] = {}

    def forward(self, *features: Tensor) -> Tensor:
        """Map ``(B, C, *spatial)`` to ``(B, maps, *spatial)``, padded on every axis.

        Two inputs of the same size are convolved as if their channels were joined.
        """
        return self._convolve(features, self.padding)

    def on_rows(self, *features: Tensor) -> Tensor:
        """Convolve without padding the first spatial axis."""
        return self._convolve(features, (0, *self.padding[1:]))

    def _convolve(self, features: tuple[Tensor, ...], padding: Size) -> Tensor:
        if len(features) == 2 and _fusible(features[0]) and features[0].dtype == torch.float32:
            # Not in bfloat16, which would round the one sum before the other is added.
            return self._sum(*features, padding)
        joined = features[0] if len(features) == 1 else torch.cat(features, dim=1)
        if _fusible(joined):
            weight = self._packed(slice(None), padding, joined)
            return _pointwise(joined, weight, self.bias, padding, self._after)
        done: Tensor = _CONVOLVE[len(padding)](joined, self.weight, self.bias, padding=padding)
        return done.relu_() if self._after == "relu" else done

    def _sum(self, first: Tensor, second: Tensor, padding: Size) -> Tensor:
        """Convolve the second input, and add the convolution of the first in place."""
        maps = first.shape[1]
        weight = self._packed(slice(maps, None), padding, second)
        done = _pointwise(second, weight, self.bias, padding, "none")
        ones = [1] * len(padding)
        weight = self._packed(slice(maps), padding, first)
        torch.ops.mkldnn._convolution_pointwise_.binary(
            done, first, weight, None, padding, ones, ones, 1, "add", 1.0, self._after, [], ""
        )
        return done

    def _packed(self, maps: slice, padding: Size, features: Tensor) -> Tensor:
        """Return the weights of some input maps in the order that oneDNN reads them.

        Small inputs would wait for it each time.
        """
        part = (maps.start, maps.stop)
        if part not in self._in_order:
            ones = [1] * len(padding)
            self._in_order[part] = torch.ops.mkldnn._reorder_convolution_weight(
                self.weight[:, maps], padding, ones, ones, 1, features.shape
            )
        return self._in_order[part]


class FusedUpBlock(UpBlock):
    """Fused convolutions on the way up; the first takes its two inputs where they are."""

    def _taken(self, skipped: Tensor, upsampled: Tensor) -> tuple[Tensor, ...]:
        return skipped, upsampled


class FusedUpsampling(nn.Module):
    """A transposed convolution with kernel = stride, and the ReLU behind it.

    Parameters
    ----------
    upsampler
        Of a :class:`UNet` that learns its upsampling; its weights are shared.
    """

    def __init__(self, upsampler: nn.Sequential) -> None:
        super().__init__()
        layer: Any = upsampler[0]
        self._plain = upsampler
        self.weight: Tensor = layer.weight
        self.bias: Tensor = layer.bias
        self.stride: Size = tuple(layer.stride)

    def forward(self, features: Tensor) -> Tensor:
        """Map ``(B, C, *spatial)`` to ``(B, C, *spatial * stride)``."""
        if not _fusible(features):
            plain: Tensor = self._plain(features)
            return plain
        zeros, ones = [0] * len(self.stride), [1] * len(self.stride)
        done: Tensor = torch.ops.mkldnn._convolution_transpose_pointwise(
            features,
            self.weight,
            self.bias,
            zeros,
            zeros,
            self.stride,
            ones,
            1,
            "relu",
            [],
            "",
        )
        return done


def fused(network: UNet) -> UNet:
    """Return a network of fused layers; it shares the weights, and is for inference only."""
    if isinstance(network.head[0], FusedConvolution):
        return network
    result = copy.copy(network)
    result._modules = dict(network._modules)
    result.down = nn.ModuleList(map(_fused_block, network.down))
    result.up = nn.ModuleList(FusedUpBlock(_fused_block(block)) for block in network.up)
    result.head = nn.Sequential(*_fused_block(network.head))
    if network.architecture.upsampling == "learnt":
        layers: Any = network.upsample  # of sequences, which a ModuleList cannot say
        result.upsample = nn.ModuleList(map(FusedUpsampling, layers))
    return result


def _fused_block(layers: Any) -> nn.Sequential:
    """Join each convolution of a sequence with the ReLU behind it."""
    found: list[nn.Module] = list(layers)
    return nn.Sequential(
        *(
            FusedConvolution(layer, relu=isinstance(after, nn.ReLU))
            for layer, after in zip(found, [*found[1:], None], strict=True)
            if not isinstance(layer, nn.ReLU)
        )
    )


def _pointwise(features: Tensor, weight: Tensor, bias: Tensor, padding: Size, after: str) -> Tensor:
    ones = [1] * len(padding)
    done: Tensor = torch.ops.mkldnn._convolution_pointwise(
        features, weight, bias, padding, ones, ones, 1, after, [], ""
    )
    return done


def _fusible(features: Tensor) -> bool:
    return (
        ONEDNN
        and features.device.type == "cpu"
        and features.dtype in _TYPES
        and features.ndim in (4, 5)
        and not torch.is_grad_enabled()
    )
