"""The same image at falling resolution, block by block, so that it need not fit into memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, ...]
Reduction = Literal["mean", "nearest"]

EDGE = 256
"""An axis is halved as long as it is longer than this."""


def halvings(shape: Shape, axes: str) -> list[Shape]:
    """Return by how much each level divides each axis; the first level by 1.

    Parameters
    ----------
    shape
        Of the full resolution.
    axes
        One letter per axis; only z, y and x are halved.
    """
    levels = [(1,) * len(shape)]
    while True:
        last = levels[-1]
        long = [
            axis in "zyx" and math.ceil(size / step) > EDGE
            for axis, size, step in zip(axes, shape, last, strict=True)
        ]
        if not any(long):
            return levels
        levels.append(tuple(s * 2 if halved else s for s, halved in zip(last, long, strict=True)))


def blocks(shape: Shape, block: Shape) -> Iterator[tuple[slice, ...]]:
    """Cut an array into blocks; those at the end may be smaller."""
    starts = (range(0, size, step) for size, step in zip(shape, block, strict=True))
    for start in product(*starts):
        spans = zip(start, block, shape, strict=True)
        yield tuple(slice(s, min(s + b, n)) for s, b, n in spans)


def read_reduced(
    source: Any, block: tuple[slice, ...], steps: Shape, reduction: Reduction
) -> NDArray[Any]:
    """Read a block of a level from the level below it.

    Parameters
    ----------
    source
        Anything that slices like an array.
    block
        Of the level, in its own pixels.
    steps
        Pixels of ``source`` per pixel of the level, 1 or 2 along each axis.
    reduction
        ``"nearest"`` takes the first of these pixels, which leaves labels labels; ``"mean"``
        averages them, and rounds integers.
    """
    region = tuple(slice(b.start * s, b.stop * s) for b, s in zip(block, steps, strict=True))
    pixels = np.asarray(source[region])
    if reduction == "nearest" or pixels.dtype == bool or max(steps) == 1:
        return pixels[tuple(slice(None, None, step) for step in steps)]
    return _mean(pixels, steps)


def _mean(pixels: NDArray[Any], steps: Shape) -> NDArray[Any]:
    """Average blocks; those at an odd border repeat its last pixel."""
    missing = [(0, -size % step) for size, step in zip(pixels.shape, steps, strict=True)]
    padded = np.pad(pixels, missing, mode="edge")
    pairs = zip(padded.shape, steps, strict=True)
    split = padded.reshape([part for size, step in pairs for part in (size // step, step)])
    mean = split.mean(axis=tuple(range(1, split.ndim, 2)), dtype=np.float64)
    rounded = np.rint(mean) if pixels.dtype.kind in "ui" else mean
    return np.asarray(rounded, pixels.dtype)
