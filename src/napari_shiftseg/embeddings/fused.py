"""Convolutions with their ReLU in one pass, which is faster and the same.

Eager torch writes the output of a convolution to memory, reads it again for the ReLU, and takes
slow paths of its own for small or three-dimensional inputs. oneDNN, which torch's CPU builds
carry, does both at once. Where it is not to be had (other devices, other number types,
training), the same layers run as torch runs them.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from napari_shiftseg.embeddings.unet import UNet
from napari_shiftseg.tiles.geometry import Size

_CONVOLVE: dict[int, Any] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
_ONEDNN = all(
    hasattr(torch.ops.mkldnn, name)
    for name in (
        "_convolution_pointwise",
        "_convolution_transpose_pointwise",
        "_reorder_convolution_weight",
    )
)
_TYPES = {torch.float32}
if _ONEDNN and torch.ops.mkldnn._is_mkldnn_bf16_supported():
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
        self.relu = relu
        self.kernel: Size = tuple(layer.kernel_size)
        same = layer.padding == "same"
        self.padding: Size = tuple(k // 2 if same else 0 for k in self.kernel)
        self._packed: Tensor | None = None

    def forward(self, features: Tensor) -> Tensor:
        """Map ``(B, C, *spatial)`` to ``(B, maps, *spatial)``, padded on every axis."""
        return self._convolve(features, self.padding)

    def on_rows(self, features: Tensor) -> Tensor:
        """Convolve without padding the first spatial axis."""
        return self._convolve(features, (0, *self.padding[1:]))

    def _convolve(self, features: Tensor, padding: Size) -> Tensor:
        if _fusible(features):
            ones = [1] * len(padding)
            if self._packed is None:
                # In the order that oneDNN reads them: small inputs would wait for it each time.
                self._packed = torch.ops.mkldnn._reorder_convolution_weight(
                    self.weight, padding, ones, ones, 1, features.shape
                )
            after = "relu" if self.relu else "none"
            fast: Tensor = torch.ops.mkldnn._convolution_pointwise(
                features, self._packed, self.bias, padding, ones, ones, 1, after, [], ""
            )
            return fast
        done: Tensor = _CONVOLVE[len(padding)](features, self.weight, self.bias, padding=padding)
        return done.relu_() if self.relu else done


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
    result.up = nn.ModuleList(map(_fused_block, network.up))
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


def _fusible(features: Tensor) -> bool:
    return (
        _ONEDNN
        and features.device.type == "cpu"
        and features.dtype in _TYPES
        and features.ndim in (4, 5)
        and not torch.is_grad_enabled()
    )
