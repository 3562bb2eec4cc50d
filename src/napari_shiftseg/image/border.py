"""Pixels beyond the image's border, by reflection."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def reflected_indices(start: int, stop: int, size: int) -> NDArray[np.intp]:
    """Map positions ``start..stop-1`` of an endlessly mirrored axis to ``0..size-1``.

    The border pixel itself is not repeated (numpy's ``"reflect"``). Any distance from the
    image is legal, so an image may be smaller than the network's context.
    """
    if size == 1:
        return np.zeros(stop - start, np.intp)
    turn = 2 * (size - 1)
    phase = np.arange(start, stop) % turn
    return np.minimum(phase, turn - phase).astype(np.intp)


def read_reflected(channels_first: Any, region: tuple[slice, ...]) -> NDArray[Any]:
    """Read a region of a ``(C, *spatial)`` array that may reach beyond the border.

    Parameters
    ----------
    channels_first
        Anything that slices like an array; only the needed range is read.
    region
        One slice per spatial axis, in pixels of the image; may start below 0.

    Returns
    -------
    ndarray
        ``(C, *region size)``.
    """
    indices = [
        reflected_indices(s.start, s.stop, n)
        for s, n in zip(region, channels_first.shape[1:], strict=True)
    ]
    needed = tuple(slice(int(i.min()), int(i.max()) + 1) for i in indices)
    pixels = np.asarray(channels_first[(slice(None), *needed)])
    for axis, (index, read) in enumerate(zip(indices, needed, strict=True), start=1):
        if index.size != read.stop - read.start or index[0] != read.start or index[-1] < index[0]:
            pixels = np.take(pixels, index - read.start, axis=axis)
    return pixels
