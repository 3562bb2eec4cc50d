"""Positions in the units of a layer and in those of the viewer, which may show several units.

Since version 0.9 napari shows all layers in the smallest unit among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pint
from napari.layers import Layer
from napari.viewer import Viewer
from numpy.typing import NDArray

Point = tuple[float, ...]


def from_view(viewer: Viewer, point: Sequence[float], units: Sequence[Any]) -> Point:
    """Return a position of the viewer in units of a layer."""
    return converted(point, _units_of(viewer.layers), units)


def to_view(viewer: Viewer, point: Sequence[float], units: Sequence[Any]) -> Point:
    """Return a position in units of a layer as the viewer has it."""
    return converted(point, units, _units_of(viewer.layers))


def scale_in_view(viewer: Viewer, placed: Any) -> Point:
    """Return what a pixel of a layer, or of a placement, measures in units of the viewer."""
    return to_view(viewer, placed.scale, _units_of(placed))


def pixel_at(viewer: Viewer, layer: Layer, point: Sequence[float]) -> NDArray[np.float64]:
    """Return a position of the viewer in pixels of a layer, which need not be whole."""
    return np.asarray(layer.world_to_data(from_view(viewer, point, _units_of(layer))))


def converted(point: Sequence[float], before: Sequence[Any], after: Sequence[Any]) -> Point:
    """Return a position in other units; those of its last axes, as far as there are any.

    Axes whose units cannot be converted stay as they are: nor does napari convert them.
    """
    count = min(len(point), len(before), len(after))
    rest = len(point) - count
    triples = zip(point[rest:], before[-count:], after[-count:], strict=True) if count else ()
    return (*point[:rest], *(_converted(*each) for each in triples))


def _converted(value: float, before: Any, after: Any) -> float:
    if before == after:
        return value
    try:
        return value * float((1 * before).to(after).magnitude)
    except pint.DimensionalityError:
        return value


def _units_of(placed: Any) -> tuple[Any, ...]:
    return tuple(getattr(placed, "units", None) or ())
