"""What a plan costs before it runs: arithmetic and memory, from the architecture alone."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import prod
from typing import Literal

import torch
import torch.nn.functional as F

from napari_shiftseg.embeddings.device import emulates_bfloat16
from napari_shiftseg.embeddings.unet import Architecture
from napari_shiftseg.settings import Precision
from napari_shiftseg.tiles.geometry import Kernels, Size
from napari_shiftseg.tiles.plan import TilePlan

FLOAT = 4
"""Bytes of a float32."""

_ACHIEVED = 0.6
"""Share of a convolution's rate that whole networks reach, before a run has told better."""


@dataclass(frozen=True)
class Cost:
    """The price of a run.

    Parameters
    ----------
    flops
        Floating-point operations of all tiles; a multiply-add counts as two.
    tile_bytes
        Peak memory of one tile's activations.
    result_bytes
        Memory of the result: embedding and foreground, and labels three times, which is
        what clustering takes at its height.
    """

    flops: float
    tile_bytes: int
    result_bytes: int

    @property
    def total_bytes(self) -> int:
        """Peak memory that the run adds to the process."""
        return self.tile_bytes + self.result_bytes


def cost_of(architecture: Architecture, plan: TilePlan, frames: int = 1) -> Cost:
    """Count what a plan needs.

    Parameters
    ----------
    architecture
        The network.
    plan
        How each frame is tiled.
    frames
        Frames of the stack.

    Returns
    -------
    Cost
        The arithmetic is exact; the memory is that of the tensors which must be alive at
        once, to which libraries add scratch space of their own.
    """
    axes = [Counter(stop - start for start, stop in strip.outer) for strip in plan.strips]
    passes = [
        (_walk(architecture, tuple(size for size, _ in sizes)), prod(n for _, n in sizes))
        for sizes in product(*(axis.items() for axis in axes))
    ]
    stitched = architecture.out_channels * FLOAT
    return Cost(
        flops=frames * sum(tile.flops * count for tile, count in passes),
        tile_bytes=max((tile.peak for tile, _ in passes), default=0),
        result_bytes=frames * prod(plan.result_size) * (stitched + 3 * FLOAT),
    )


@lru_cache
def convolution_rate(device: str = "cpu", precision: Precision = "float32") -> float:
    """Measure a 3x3 convolution once: floating-point operations per second."""
    where = {"device": torch.device(device), "dtype": getattr(torch, precision)}
    slow = precision == "bfloat16" and emulates_bfloat16(where["device"])
    edge = 64 if slow else 192
    image = torch.rand(1, 32, edge, edge, **where).to(memory_format=torch.channels_last)
    weight = torch.rand(32, 32, 3, 3, **where).to(memory_format=torch.channels_last)
    seconds = []
    with torch.inference_mode():
        for _ in range(3):
            start = time.perf_counter()
            # Reading a value waits for the device.
            float(F.conv2d(image, weight)[0, 0, 0, 0])
            seconds.append(time.perf_counter() - start)
    return _ACHIEVED * 2 * 9 * 32 * 32 * (edge - 2) ** 2 / min(seconds)


@dataclass
class _Pass:
    """One pass of the network, layer by layer."""

    flops: float = 0.0
    peak: int = 0
    kept: int = 0

    def layer(self, flops: float, *alive: int) -> None:
        """Count a layer and the elements that are alive while it runs."""
        self.flops += flops
        self.peak = max(self.peak, FLOAT * (self.kept + sum(alive)))


@lru_cache(maxsize=4096)
def _walk(architecture: Architecture, size: Size) -> _Pass:
    tally = _Pass()
    for layer in layers_of(architecture, size):
        before, after = layer.n_in * prod(layer.before), layer.n_out * prod(layer.after)
        if layer.kind == "pool":
            tally.kept += before
        elif layer.kind == "join":
            # The skip was kept on its own until here.
            tally.layer(0, before, after)
            tally.kept -= layer.skipped
        else:
            tally.layer(layer.flops, before, after)
    return tally


@dataclass(frozen=True)
class Layer:
    """One step of a network on an input of a certain size.

    Parameters
    ----------
    kind
        ``"convolve"``, ``"pool"``, ``"upsample"`` or ``"join"`` (of a skip with what comes
        from below).
    level
        0 is the finest; of a pooling and an upsampling the finer one of its two.
    n_in, n_out
        Channels; of a join those from below and all.
    before, after
        Spatial sizes in pixels of that level.
    kernel
        Of a convolution.
    flops
        A multiply-add counts as two.
    skipped
        Elements of the whole skip that a join crops and takes.
    """

    kind: Literal["convolve", "pool", "upsample", "join"]
    level: int
    n_in: int
    n_out: int
    before: Size
    after: Size
    kernel: Size = ()
    flops: float = 0.0
    skipped: int = 0


def layers_of(architecture: Architecture, size: Size) -> list[Layer]:
    """List what :class:`UNet` does with an input of ``size`` pixels, first to last."""
    geometry = architecture.geometry
    maps = [architecture.maps * architecture.map_growth**i for i in range(geometry.levels + 1)]
    found: list[Layer] = []
    channels, skips = architecture.in_channels, []
    for level, kernels in enumerate(geometry.down):
        size = _convolve(found, architecture, level, size, channels, maps[level], kernels)
        channels = maps[level]
        if level < geometry.levels:
            skips.append(channels * prod(size))
            pooled = tuple(n // f for n, f in zip(size, geometry.factors[level], strict=True))
            found.append(Layer("pool", level, channels, channels, size, pooled))
            size = pooled
    for level in reversed(range(geometry.levels)):
        size = _upsample(found, architecture, level, size, channels)
        joined = channels + maps[level]
        found.append(Layer("join", level, channels, joined, size, size, skipped=skips[level]))
        size = _convolve(found, architecture, level, size, joined, maps[level], geometry.up[level])
        channels = maps[level]
    *hidden, last = geometry.head or ((1,) * geometry.ndim,)
    size = _convolve(found, architecture, 0, size, channels, channels, tuple(hidden))
    _convolve(found, architecture, 0, size, channels, architecture.out_channels, (last,))
    return found


def _convolve(
    found: list[Layer],
    architecture: Architecture,
    level: int,
    size: Size,
    n_in: int,
    n_out: int,
    kernels: Kernels,
) -> Size:
    for kernel in kernels:
        before = size
        if architecture.geometry.padding == "valid":
            size = tuple(n - k + 1 for n, k in zip(size, kernel, strict=True))
        flops = 2.0 * prod(kernel) * n_in * n_out * prod(size)
        found.append(Layer("convolve", level, n_in, n_out, before, size, kernel, flops))
        n_in = n_out
    return size


def _upsample(
    found: list[Layer], architecture: Architecture, level: int, size: Size, maps: int
) -> Size:
    before, factor = size, architecture.geometry.factors[level]
    size = tuple(n * f for n, f in zip(size, factor, strict=True))
    flops = 2.0 * maps * maps * prod(size) if architecture.upsampling == "learnt" else 0.0
    found.append(Layer("upsample", level, maps, maps, before, size, flops=flops))
    return size
