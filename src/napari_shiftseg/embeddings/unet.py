"""The paper's U-Net family: max pooling, learnt or nearest upsampling, valid or same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Literal

import torch
from torch import Tensor, nn

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.tiles.geometry import Kernels, NetworkGeometry, Size

_CONV: dict[int, Any] = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
_TRANSPOSED: dict[int, Any] = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
_POOL: dict[int, Any] = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}


@dataclass(frozen=True)
class Architecture:
    """Everything needed to build a :class:`UNet` without its weights.

    Parameters
    ----------
    geometry
        Factors, kernels and padding.
    in_channels
        Channels of the image.
    maps
        Feature maps of the finest level; level ``i`` has ``maps * map_growth**i``.
    upsampling
        ``"learnt"`` (transposed convolution with kernel = stride) or ``"nearest"``.
    embedding_dims
        Length of the embedding vector of a pixel.
    coordinate_dims
        How many of the first embedding dimensions have the pixel's own coordinate
        added (semi-convolutional, Novotny et al. 2018): 0 (the paper's plain
        embedding) or the number of spatial axes.
    coordinate_scale
        Pixels per unit of embedding for these dimensions.
    foreground
        Whether the last output channel is a foreground logit. Without it the
        background is one more instance, as in the paper's synthetic experiments.
    """

    geometry: NetworkGeometry
    in_channels: int = 1
    maps: int = 16
    map_growth: int = 2
    upsampling: Literal["learnt", "nearest"] = "learnt"
    embedding_dims: int = 3
    coordinate_dims: int = 0
    coordinate_scale: float = 8.0
    foreground: bool = False

    def __post_init__(self) -> None:
        if self.geometry.ndim not in _CONV:
            raise ShiftSegError(f"networks have 1 to 3 axes, got {self.geometry.ndim}")
        if self.upsampling not in ("learnt", "nearest"):
            raise ShiftSegError(f"upsampling is {self.upsampling!r}; legal: 'learnt' or 'nearest'")
        if self.coordinate_dims not in (0, self.geometry.ndim):
            raise ShiftSegError(
                f"coordinate_dims is {self.coordinate_dims}; legal: 0 or {self.geometry.ndim}"
            )
        if self.embedding_dims < max(1, self.coordinate_dims):
            raise ShiftSegError(
                f"embedding_dims is {self.embedding_dims}; "
                f"legal: at least {max(1, self.coordinate_dims)}"
            )
        if min(self.in_channels, self.maps, self.map_growth) < 1 or self.coordinate_scale <= 0:
            raise ShiftSegError(
                "in_channels, maps, map_growth and coordinate_scale must be positive"
            )

    @property
    def out_channels(self) -> int:
        """Output channels of the network: the embedding, then the foreground logit."""
        return self.embedding_dims + int(self.foreground)


class UNet(nn.Module):
    """U-Net with ReLU after every convolution but the last, and skips cropped centrally.

    Transposed convolutions have kernel = stride = the pooling factor, keep the number of
    maps of the level they come from, and are followed by a ReLU, as in the paper's
    published notebooks.

    Parameters
    ----------
    architecture
        What to build.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        geometry = architecture.geometry
        maps = [architecture.maps * architecture.map_growth**i for i in range(geometry.levels + 1)]
        incoming = [architecture.in_channels, *maps[:-1]]
        self.down = nn.ModuleList(
            self._block(n_in, n_out, kernels)
            for n_in, n_out, kernels in zip(incoming, maps, geometry.down, strict=True)
        )
        self.pool = nn.ModuleList(_POOL[geometry.ndim](f) for f in geometry.factors)
        self.upsample = nn.ModuleList(
            self._upsampler(maps[i + 1], f) for i, f in enumerate(geometry.factors)
        )
        self.up = nn.ModuleList(
            UpBlock(self._block(maps[i] + maps[i + 1], maps[i], kernels))
            for i, kernels in enumerate(geometry.up)
        )
        self.head = self._head(maps[0], geometry.head)

    @property
    def compiled(self) -> bool:
        """Whether calls run what torch.compile makes of the layers."""
        return self._compiled_call_impl is not None

    def forward(self, image: Tensor) -> Tensor:
        """Map ``(B, C, *input)`` to raw ``(B, embedding [+ foreground logit], *output)``."""
        skips: list[Tensor] = []
        features = image
        for block, pool in zip(self.down, self.pool, strict=False):
            features = block(features)
            skips.append(features)
            features = pool(features)
        features = self.down[-1](features)
        for level in reversed(range(len(skips))):
            features = self.upsample[level](features)
            features = self.up[level](centre_crop(skips.pop(), features.shape[2:]), features)
        return self.head(features)  # type: ignore[no-any-return]

    def _convolution(self, n_in: int, n_out: int, kernel: Size) -> Any:
        padding = "same" if self.architecture.geometry.padding == "same" else 0
        layer = _CONV[len(kernel)](n_in, n_out, kernel, padding=padding)
        if not layer.weight.is_meta:  # there torch would load its compiler to draw nothing
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
        return layer

    def _block(self, n_in: int, n_out: int, kernels: Kernels) -> nn.Sequential:
        layers: list[nn.Module] = []
        for kernel in kernels:
            layers += [self._convolution(n_in, n_out, kernel), nn.ReLU(inplace=True)]
            n_in = n_out
        return nn.Sequential(*layers)

    def _upsampler(self, maps: int, factor: Size) -> nn.Module:
        if self.architecture.upsampling == "nearest":
            return nn.Upsample(scale_factor=tuple(float(f) for f in factor), mode="nearest")
        layer = _TRANSPOSED[len(factor)](maps, maps, factor, stride=factor)
        # Each output pixel of a transposed convolution with kernel = stride has one tap, so
        # its fan-in is the number of maps; torch's default would count the whole kernel.
        if not layer.weight.is_meta:
            nn.init.normal_(layer.weight, std=(2.0 / maps) ** 0.5)
            nn.init.zeros_(layer.bias)
        return nn.Sequential(layer, nn.ReLU(inplace=True))

    def _head(self, maps: int, kernels: Kernels) -> nn.Sequential:
        *hidden, last = kernels or (((1,) * self.architecture.geometry.ndim),)
        final = self._convolution(maps, self.architecture.out_channels, last)
        if not final.weight.is_meta:
            nn.init.normal_(final.weight, std=(1.0 / (maps * prod(last))) ** 0.5)
        return nn.Sequential(*self._block(maps, maps, tuple(hidden)), final)


class UpBlock(nn.ModuleList):
    """Layers on the way up; they begin with what was skipped, before what was upsampled."""

    def forward(self, skipped: Tensor, upsampled: Tensor) -> Tensor:
        """Map two of ``(B, C, *spatial)`` of the same size to ``(B, maps, *spatial)``."""
        first, *others = self
        features: Tensor = first(*self._taken(skipped, upsampled))
        for layer in others:
            features = layer(features)
        return features

    def _taken(self, skipped: Tensor, upsampled: Tensor) -> tuple[Tensor, ...]:
        """Return what the first layer takes."""
        return (torch.cat([skipped, upsampled], dim=1),)


def centre_crop(features: Tensor, size: Sequence[int]) -> Tensor:
    """Cut the central ``size`` out of ``(B, C, *spatial)``."""
    window = [slice(None), slice(None)]
    for have, want in zip(features.shape[2:], size, strict=True):
        start = (have - want) // 2
        window.append(slice(start, start + want))
    return features[tuple(window)]
