"""Take the camera to a place in an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from napari.layers import Layer
from napari.viewer import Viewer

from napari_shiftseg._napari.placement import Placement
from napari_shiftseg._napari.view_units import from_view, scale_in_view, to_view

_CLOSE = 6
"""Screen pixels per image pixel at which the pieces of one object can be told apart."""


def camera_of(viewer: Viewer) -> Any:
    """Return the camera, which moved in napari 0.9."""
    scene = getattr(viewer, "scene", None)
    return viewer.camera if scene is None else scene.camera


def pixel_size(viewer: Viewer, placed: Layer | Placement) -> float:
    """Return the smallest edge of a pixel in the plane on screen, in units of the viewer.

    Parameters
    ----------
    viewer
        Knows which axes are on screen.
    placed
        Has a scale, negative where it is mirrored, whose last axes are the viewer's.
    """
    scale = scale_in_view(viewer, placed)
    extra = viewer.dims.ndim - len(scale)
    shown = [scale[axis - extra] for axis in viewer.dims.displayed if axis >= extra]
    return min(abs(edge) for edge in shown or scale)


def stand_on_pixels(viewer: Viewer, placement: Placement) -> None:
    """Move what is sliced onto pixels: between two napari shows nothing that is drawn there."""
    point = from_view(viewer, viewer.dims.point, placement.units)
    nearest = np.clip(np.round(placement.to_pixels(point)), 0, np.subtract(placement.size, 1))
    _slice_at(viewer, to_view(viewer, placement.to_world(nearest), placement.units))


def _slice_at(viewer: Viewer, world: Sequence[float]) -> None:
    """Bring a position of the last axes on show, as far as they are sliced."""
    extra = viewer.dims.ndim - len(world)
    for axis, value in enumerate(world):
        if axis + extra not in viewer.dims.displayed:
            viewer.dims.set_point(axis + extra, value)


def go_to(viewer: Viewer, placement: Placement, position: tuple[float, ...]) -> None:
    """Centre the camera on a position in pixels, on its slice, and zoom in."""
    world = to_view(viewer, placement.to_world(position), placement.units)
    _slice_at(viewer, world)
    extra = viewer.dims.ndim - len(world)
    centre = [world[axis - extra] if axis >= extra else 0.0 for axis in viewer.dims.displayed]
    camera = camera_of(viewer)
    camera.center = (0.0,) * (3 - len(centre)) + tuple(centre)
    camera.zoom = max(camera.zoom, _CLOSE / pixel_size(viewer, placement))
