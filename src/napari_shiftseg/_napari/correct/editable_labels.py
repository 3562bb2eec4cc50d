"""Changing a labels layer of the user's: whether it can be, where the mouse is, and undo."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Labels
from napari.viewer import Viewer
from numpy.typing import NDArray

from napari_shiftseg.errors import ShiftSegError
from napari_shiftseg.labels.edit import Edit


def why_locked(layer: Labels) -> str:
    """Say in a sentence why the labels cannot be changed; nothing if they can."""
    if layer.multiscale:
        return "These labels have several resolutions: only plain ones can be corrected."
    if not isinstance(layer.data, np.ndarray):
        return "These labels are read piece by piece: only those in memory can be corrected."
    if not layer.data.flags.writeable:
        return "These labels are read-only: duplicate the layer to correct it."
    if not layer.visible:
        return "The layer is hidden: show it to correct it."
    return "" if layer.editable else "The layer is locked against editing."


def why_paused(viewer: Viewer, layer: Labels) -> str:
    """Say in a sentence why the mouse does not belong to a tool now; nothing if it does."""
    if viewer.dims.ndisplay != 2:
        return "The tools work in the 2-D view: leave the 3-D view to go on."
    if min(_displayed_axes(viewer, layer)) < 0:
        return "The view shows an axis that these labels do not have."
    # Not "is": napari hands plugins a proxy of what it has.
    if viewer.layers.selection.active != layer:
        return f"Select “{layer.name}” in the layer list to go on."
    if layer.mode != "pan_zoom":
        return "One of napari's own tools is on: choose pan/zoom in the layer controls to go on."
    return ""


def place_of(layer: Labels, point: NDArray[Any]) -> tuple[int, ...] | None:
    """Return the pixel at a point in pixels; None beside the layer."""
    place = tuple(int(v) for v in np.rint(point))
    inside = all(0 <= p < n for p, n in zip(place, layer.data.shape, strict=True))
    return place if inside else None


def object_at(layer: Labels, place: tuple[int, ...]) -> int:
    """Return the object at a pixel.

    Raises
    ------
    ShiftSegError
        If it is background.
    """
    number = int(layer.data[place])
    if number == 0:
        raise ShiftSegError("there is no object here: click inside of one")
    return number


def plane_of(
    viewer: Viewer, layer: Labels, point: NDArray[Any]
) -> tuple[tuple[int, int], NDArray[Any]]:
    """Return the two axes on screen, in the layer's order, and the labels on screen.

    Raises
    ------
    ShiftSegError
        If the view shows a place beside the labels.
    """
    first, second = sorted(_displayed_axes(viewer, layer))
    at = np.rint(point).astype(int).tolist()
    at[first] = at[second] = 0
    if not all(0 <= p < n for p, n in zip(at, layer.data.shape, strict=True)):
        raise ShiftSegError("there are no labels in this view")
    on_screen = (slice(None) if axis in (first, second) else p for axis, p in enumerate(at))
    return (first, second), layer.data[tuple(on_screen)]


def apply_edit(layer: Labels, edit: Edit) -> None:
    """Change the labels, as one step of the layer's own history."""
    layer.data_setitem(edit.indices, edit.values)


def undo(layer: Labels) -> bool:
    """Take back the last change, whichever tool made it; False if there is none."""
    # napari does not tell whether it took something back.
    there = bool(layer._undo_history)
    layer.undo()
    return there


def redo(layer: Labels) -> bool:
    """Make the change again that was taken back last; False if there is none."""
    there = bool(layer._redo_history)
    layer.redo()
    return there


def _displayed_axes(viewer: Viewer, layer: Labels) -> tuple[int, ...]:
    """Return the layer's axes on screen; an axis that it does not have is negative."""
    return tuple(axis - viewer.dims.ndim + layer.ndim for axis in viewer.dims.displayed)
