"""One tile: what the network reads, what it puts out, what of that is kept."""

from __future__ import annotations

from dataclasses import dataclass
from operator import index
from typing import Any

import numpy as np

from napari_shiftseg.errors import ShiftSegError

Region = tuple[slice, ...]
"""One slice per spatial axis, in pixels of the image."""


def whole_numbers(values: Any, count: int, what: str) -> tuple[int, ...]:
    """Return one whole number per axis of one for all, or of one for each.

    Raises
    ------
    ShiftSegError
        If they are no whole numbers, or as many as there are axes.
    """
    try:
        every = (values,) * count if np.ndim(values) == 0 else tuple(values)
        found = tuple(index(value) for value in every)
    except TypeError:
        found = ()
    if len(found) != count:
        raise ShiftSegError(
            f"{what} is {values}; legal: a whole number, or {count}, one for each axis"
        )
    return found


def size_of(region: Region) -> tuple[int, ...]:
    """Return the pixels of a region per axis."""
    return tuple(part.stop - part.start for part in region)


@dataclass(frozen=True)
class Tile:
    """Where a tile lies in the image, in pixels; regions may reach beyond the border.

    ::

        outer ┌───────────────────────┐  read by the network,
              │   window ┌─────────┐  │  mirrored where it leaves the image
              │          │ inner ┌─┼──┼─ kept: the part that this tile contributes
              │          │       │ │  │
              │          └───────┴─┘  │  window: all that the network puts out
              └───────────────────────┘

    Parameters
    ----------
    index
        Number of the tile in its plan, raster order.
    outer, window, inner
        See the drawing. Only ``inner`` always lies inside of the image.
    """

    index: int
    outer: Region
    window: Region
    inner: Region

    @property
    def local(self) -> Region:
        """``inner`` in pixels of the network's output."""
        return tuple(
            slice(i.start - w.start, i.stop - w.start)
            for i, w in zip(self.inner, self.window, strict=True)
        )
