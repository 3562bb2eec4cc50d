"""How an image is cut into blocks: the unit of work, of storage and of resuming."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from napari_shiftseg.tiles.geometry import Size
from napari_shiftseg.tiles.tile import Region

BLOCK_PIXELS = 2**22
"""Pixels of a block, about: what bounds the memory of a run of any size."""


@dataclass(frozen=True)
class BlockGrid:
    """Blocks of one frame, in raster order.

    Parameters
    ----------
    image_size
        Pixels per axis.
    block
        Edge lengths of a block in pixels; those at the end may be smaller.
    """

    image_size: Size
    block: Size

    @classmethod
    def of(cls, image_size: Size, period: Size, pixels: int = BLOCK_PIXELS) -> BlockGrid:
        """Cut an image into blocks of about ``pixels``, whole periods along each axis."""
        edge = pixels ** (1 / len(image_size))
        block = tuple(
            min(max(1, round(edge / p)) * p, -(-n // p) * p)
            for n, p in zip(image_size, period, strict=True)
        )
        return cls(tuple(image_size), block)

    @property
    def grid(self) -> Size:
        """Number of blocks per axis."""
        return tuple(-(-n // b) for n, b in zip(self.image_size, self.block, strict=True))

    def __len__(self) -> int:
        return prod(self.grid)

    def region(self, index: int) -> Region:
        """Return where a block lies in the frame."""
        spans = zip(self._place(index), self.block, self.image_size, strict=True)
        return tuple(slice(at * b, min((at + 1) * b, n)) for at, b, n in spans)

    def touching(self, region: Region) -> Iterator[int]:
        """Yield the blocks that have pixels in a region."""
        spans = (
            range(part.start // b, -(-part.stop // b))
            for part, b in zip(region, self.block, strict=True)
        )
        return (self._index(place) for place in product(*spans))

    def faces(self) -> Iterator[tuple[int, int, int]]:
        """Yield each border of two blocks: its axis, the block before it, the one behind."""
        for index in range(len(self)):
            place = self._place(index)
            for axis, (at, count) in enumerate(zip(place, self.grid, strict=True)):
                if at + 1 < count:
                    yield axis, index, self._index((*place[:axis], at + 1, *place[axis + 1 :]))

    def _place(self, index: int) -> Size:
        return tuple(int(at) for at in np.unravel_index(index, self.grid))

    def _index(self, place: Size) -> int:
        return int(np.ravel_multi_index(place, self.grid))
