"""One tile: what the network reads, what it puts out, what of that is kept."""

from __future__ import annotations

from dataclasses import dataclass

Region = tuple[slice, ...]
"""One slice per spatial axis, in pixels of the image."""


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
