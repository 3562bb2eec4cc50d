"""Layers of rings, whose thickness and place follow what is on screen."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Points
from napari.viewer import Viewer
from numpy.typing import NDArray

from napari_shiftseg._napari.camera import camera_of, pixel_size
from napari_shiftseg._napari.palette import CUT
from napari_shiftseg._napari.rings import Rings
from napari_shiftseg._napari.tags import own_layers, tag_of
from napari_shiftseg._napari.view_units import pixel_at
from napari_shiftseg.tiles.plan import TilePlan

CUTS, CHECKED = "cuts", "checked"
"""Kinds of layers: around what the seams of a run cut, and what a check of any labels found."""

_RING = 3
"""Thickness of rings on screen in pixels."""


def new_rings(
    centres: NDArray[np.float64],
    diameters: NDArray[np.float64],
    name: str,
    common: dict[str, Any],
) -> Points:
    """Make circles in pixels."""
    return Points(
        centres,
        size=diameters,
        name=name,
        symbol="disc",
        face_color="transparent",
        border_color=CUT,
        border_width=1,
        border_width_is_relative=False,
        **common,
    )


def refill_rings(layer: Points, rings: Rings) -> None:
    """Draw other rings with the same layer."""
    _draw(layer, rings)
    layer.face_color, layer.border_color = "transparent", CUT


def show_some_rings(rings: Points, shown: NDArray[np.bool_]) -> None:
    """Show some rings of a layer, and not the others."""
    # Not Points.shown, which napari heeds only where some axis has a slider.
    colours = rings.border_color.copy()
    colours[:, 3] = shown
    if not np.array_equal(colours, rings.border_color):
        rings.border_color = colours


def keep_rings_thin(viewer: Viewer) -> None:
    """Keep the thickness of the rings on screen, whatever the zoom."""
    for layer in own_layers(viewer, kind=CUTS) + own_layers(viewer, kind=CHECKED):
        layer.border_width = _RING / (camera_of(viewer).zoom * pixel_size(viewer, layer))


def know_balls(layer: Points, rings: Rings, plan: TilePlan) -> None:
    """Note the rings of a volume, which a slice cuts."""
    if len(plan.image_size) > 2:
        tag_of(layer)["balls"] = rings


def keep_rings_in_slice(viewer: Viewer) -> None:
    """Move the rings of volumes into the slice on screen, as far as they reach it."""
    for layer in own_layers(viewer, kind=CUTS):
        balls = tag_of(layer).get("balls")
        if balls is None:
            continue
        shown = {axis - viewer.dims.ndim + layer.ndim for axis in viewer.dims.displayed}
        scale = np.abs(layer.scale)
        scale /= min(scale[axis] for axis in (shown & set(range(layer.ndim)) or range(layer.ndim)))
        at = np.round(pixel_at(viewer, layer, viewer.dims.point))
        discs = balls.in_slice(at, scale, set(range(layer.ndim - 3, layer.ndim)) - shown)
        if not np.array_equal(discs.centres, layer.data):
            _draw(layer, discs)


def ring_centres(layer: Points) -> NDArray[np.float64]:
    """Return the centres of rings in pixels, wherever the slice on screen cuts them."""
    balls = tag_of(layer).get("balls")
    centres: NDArray[np.float64] = layer.data if balls is None else balls.centres
    return centres


def _draw(layer: Points, rings: Rings) -> None:
    layer.data = rings.centres
    layer.size = rings.diameters
    layer.set_view_slice()  # napari does not for a hidden layer, and would look for rings of before
