"""Where a network is probed: along one axis of an image that is short on the others."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from napari_shiftseg.network_audit.sizes import AxisSizes
from napari_shiftseg.tiles.geometry import Size

LARGEST = {1: 32768, 2: 8192, 3: 1200}
"""Edge in pixels of the largest image by number of axes, one axis long and the others short;
what is felt across it is not local."""

USUAL = {1: 8192, 2: 2000, 3: 500}
"""The same of images that do for most networks: longer ones are made for those that look far."""


SEEN = {1: 256, 2: 64, 3: 16}
"""Pixels along each axis of an image in which a threshold is passed somewhere, and windows of
medians lie within, so that chance and padding have no say."""


@dataclass(frozen=True)
class Line:
    """One axis of the images that a probe makes.

    Parameters
    ----------
    sizes
        Legal sizes per axis.
    across
        Input size on the other axes in pixels.
    axis
        Which axis.
    largest
        Longest image in pixels.
    """

    sizes: tuple[AxisSizes, ...]
    across: Size
    axis: int
    largest: int

    @property
    def own(self) -> AxisSizes:
        """Legal sizes along the axis."""
        return self.sizes[self.axis]

    @property
    def too_wide(self) -> bool:
        """Whether kernels with gaps span more than the longest image can show."""
        return 2 * (self.own.gaps + self.own.stride) > self.largest

    @property
    def usual(self) -> int:
        """Longest image in pixels that does for most networks."""
        return USUAL[len(self.sizes)]

    @property
    def dim(self) -> int:
        """The axis in a tensor ``(B, C, *spatial)``."""
        return 2 + self.axis

    def image_size(self, length: int) -> Size:
        """Return the size of an image of some length, in pixels."""
        return (*self.across[: self.axis], length, *self.across[self.axis + 1 :])

    def span(self, image: Tensor, start: int, stop: int) -> Tensor:
        """Return a view of the pixels ``start .. stop - 1`` along the axis."""
        return image.narrow(self.dim, start, stop - start)


def line_along(sizes: tuple[AxisSizes, ...], axis: int) -> Line:
    """Return where a network is probed along one axis, whatever its weights."""
    least = SEEN[len(sizes)]
    across = tuple(size.legal(max(least, size.small)) for size in sizes)
    return Line(sizes, across, axis, LARGEST[len(sizes)])


def thin_line_along(sizes: tuple[AxisSizes, ...], axis: int) -> Line:
    """Return where a network of positive weights is probed, which feels the smallest image.

    The other axes of volumes have one pixel in the coarsest layer.
    """
    line = line_along(sizes, axis)
    if len(sizes) < 3:
        return line
    return replace(line, across=tuple(size.legal(1) for size in sizes))
