"""Which part of the image is meant: all of it, what is on screen, or a drawn rectangle."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, prod

import numpy as np
from napari.layers import Image, Shapes
from napari.viewer import Viewer

from napari_shiftseg._napari.placement import Placement
from napari_shiftseg._napari.view_units import converted, from_view
from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.tiles.geometry import Size
from napari_shiftseg.tiles.tile import Region, size_of

_EXACT = 1e-6
"""Part of a pixel by which a corner may be off."""


def on_screen(viewer: Viewer, layer: Image, axes: Sequence[int], size: Size) -> Region:
    """Return the part of a layer that the canvas shows, as napari last drew it.

    Parameters
    ----------
    viewer
        Whose canvas.
    layer
        The layer.
    axes
        Its spatial axes; those that are not on screen are taken whole, and in the 3-D view all.
    size
        Pixels of these axes at full resolution.

    Raises
    ------
    ShiftSegError
        If the layer is out of sight.
    """
    if viewer.dims.ndisplay > 2:  # of a volume on screen napari knows the last slice alone
        return tuple(slice(0, n) for n in size)
    corners = np.asarray(layer.corner_pixels, float)
    if layer.multiscale:
        corners = corners * layer.downsample_factors[layer.data_level]
    displayed = {axis - viewer.dims.ndim + layer.ndim for axis in viewer.dims.displayed}
    parts = []
    for axis, n in zip(axes, size, strict=True):
        if axis not in displayed:
            parts.append(slice(0, n))
            continue
        low, high = max(0, int(corners[0, axis])), min(n, int(np.ceil(corners[1, axis])) + 1)
        # Of what is out of sight napari says that its nearest border is on screen.
        beyond = n > 1 and high - low == 1 and (low == 0 or high == n)
        parts.append(slice(low, low if beyond else high))
    if any(part.start >= part.stop for part in parts):
        raise ShiftSegError(f"nothing of the image {layer.name!r} is on screen; bring it into view")
    return tuple(parts)


def drawn(viewer: Viewer, shapes: Shapes | None, space: Placement) -> Region:
    """Return the bounding box of the last shape that was drawn.

    It goes through all of the axes that it has no extent along, if these are not on screen.

    Raises
    ------
    ShiftSegError
        If there is none, or it lies outside of the image.
    """
    if shapes is None or len(shapes.data) == 0:
        raise ShiftSegError("draw a rectangle in the layer 'Region' first")
    # A rectangle that was drawn on an image of fewer axes goes through all of the others.
    before = space.translate[: max(0, len(space.size) - shapes.ndim)]
    units = getattr(shapes, "units", ())
    corners = [
        space.to_pixels((*before, *converted(shapes.data_to_world(corner), units, space.units)))
        for corner in shapes.data[-1]
    ]
    low, high = np.min(corners, axis=0), np.max(corners, axis=0)
    planar, ndim = len(space.size) > 2, len(space.size)
    shown = {axis - viewer.dims.ndim + ndim for axis in viewer.dims.displayed}
    parts = []
    for axis, n in enumerate(space.size):
        whole = (planar or axis not in shown) and np.isclose(low[axis], high[axis])
        start, stop = (0, n) if whole else _pixels_between(low[axis], high[axis])
        parts.append(slice(max(0, start), min(n, stop)))
    if any(part.start >= part.stop for part in parts):
        raise ShiftSegError("the rectangle lies outside of the image; draw it on the image")
    return tuple(parts)


def _pixels_between(low: float, high: float) -> tuple[int, int]:
    """Round to whole pixels, of which the first reaches from -0.5 to 0.5; at least to one."""
    start, stop = ceil(low - _EXACT), floor(high + 1 + _EXACT)
    if start >= stop:
        start = floor((low + high) / 2 + 0.5)
    return start, max(start + 1, stop)


def centre_of(region: Region, at_most: int, around: Sequence[int | None] | None = None) -> Region:
    """Return the middle of a region, of at most so many pixels.

    Parameters
    ----------
    region
        Of which it is a part.
    at_most
        Pixels.
    around
        Per axis the pixel that is to be in its middle, as far as the region goes; where it is
        None, the middle of the region.
    """
    sizes = size_of(region)
    shrink = min(1.0, (at_most / prod(sizes)) ** (1 / len(sizes)))
    wanted = around or [None] * len(sizes)
    return tuple(
        _middle(part, max(1, int(n * shrink)), centre)
        for part, n, centre in zip(region, sizes, wanted, strict=True)
    )


def _middle(part: slice, size: int, centre: int | None) -> slice:
    start = part.start + (part.stop - part.start - size) // 2
    if centre is not None:
        start = min(max(part.start, centre - size // 2), part.stop - size)
    return slice(start, start + size)


def current_frame(
    viewer: Viewer, layer: Image, axes: Sequence[int], loops: Size
) -> tuple[int, ...]:
    """Return the index of the frame that the viewer's sliders show.

    Parameters
    ----------
    viewer
        The viewer.
    layer
        The layer, whose axes are the viewer's last ones.
    axes
        The layer's loop axes.
    loops
        Frames along each.
    """
    point = from_view(viewer, viewer.dims.point, getattr(layer, "units", ()))
    own = np.asarray(point)[-layer.ndim :]
    pixels = (own - layer.translate) / layer.scale
    return tuple(
        int(np.clip(round(pixels[axis]), 0, n - 1)) for axis, n in zip(axes, loops, strict=True)
    )
