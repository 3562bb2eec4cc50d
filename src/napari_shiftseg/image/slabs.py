"""Arrays of any size, read as slabs along their first axis."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_shiftseg.image.lazy import transposable

_PIXELS = 2**23
"""Of a slab, about: what bounds the memory of who goes through an array."""

_MOST = 2**26
"""Pixels up to which a slab has whole chunks, so that each is decoded once."""


@dataclass(frozen=True)
class Slabs:
    """An array cut into slabs.

    Parameters
    ----------
    array
        A numpy or a dask array of at least one axis and one pixel.
    thick
        Planes of a slab; the last one may have fewer.
    """

    array: Any
    thick: int

    @classmethod
    def of(cls, array: Any) -> Slabs:
        """Cut an array, or what slices like one, into slabs that fit into memory."""
        array = transposable(array)
        plane = math.prod(array.shape[1:])
        planes = max(1, _PIXELS // plane)
        if not isinstance(array, np.ndarray):
            chunk = int(max(array.chunks[0]))
            whole = math.ceil(planes / chunk) * chunk
            if whole * plane <= _MOST:
                planes = whole
        return cls(array, min(planes, array.shape[0]))

    def __len__(self) -> int:
        return len(range(0, self.array.shape[0], self.thick))

    def __iter__(self) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield the first plane and the pixels of each slab."""
        for start in range(0, self.array.shape[0], self.thick):
            yield start, self.read(start, start + self.thick)

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Read planes."""
        return np.asarray(self.array[start:stop])


class Boxes:
    """Boxes of an array, asked for in the order of their first planes: each plane is read once.

    Files are written in that order, from what has a shape and a type and slices like this.

    Parameters
    ----------
    slabs
        Of the array.
    """

    def __init__(self, slabs: Slabs) -> None:
        self._slabs, self._start = slabs, 0
        self.shape, self.ndim = slabs.array.shape, slabs.array.ndim
        self.dtype = slabs.array.dtype
        self._held = np.empty((0, *slabs.array.shape[1:]), slabs.array.dtype)

    def __getitem__(self, box: tuple[slice, ...]) -> NDArray[Any]:
        planes, *rest = box
        if isinstance(self._slabs.array, np.ndarray):
            return self._slabs.array[box]
        self._hold(planes.start, planes.stop)
        held: NDArray[Any] = self._held[planes.start - self._start :][: planes.stop - planes.start]
        return held[(slice(None), *rest)]

    def _hold(self, start: int, stop: int) -> None:
        end, thick = self._start + len(self._held), self._slabs.thick
        if start >= end:
            self._start = end = start // thick * thick
            self._held = self._held[:0]
        if stop > end and end < self._slabs.array.shape[0]:
            rest = self._held[start - self._start :] if start < end else self._held
            self._start = min(start, end)
            more = self._slabs.read(end, math.ceil(stop / thick) * thick)
            self._held = np.concatenate([rest, more])
