"""The line under the mouse while a person cuts an object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from napari.layers import Labels
from napari.viewer import Viewer
from numpy.typing import NDArray

from napari_shiftseg._napari.camera import camera_of
from napari_shiftseg._napari.layers import CUT_LINE, set_visible
from napari_shiftseg._napari.palette import CUT
from napari_shiftseg._napari.tags import own_layers, tag
from napari_shiftseg._napari.view_units import from_view

_WIDTH = 2.5
"""Thickness on screen in pixels."""


class CutLine:
    """A layer that is seen as long as the mouse button is down.

    It waits, hidden, for the next line: the window would stand still for every new one.

    Parameters
    ----------
    viewer
        Where to draw.
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer

    def show(self, labels: Labels, path: Sequence[NDArray[Any]]) -> None:
        """Draw a path, given in pixels of the labels."""
        corners = np.array([labels.data_to_world(point) for point in path])
        strokes = np.stack([corners[:-1], np.diff(corners, axis=0)], axis=1)
        there = own_layers(self._viewer, kind=CUT_LINE)
        if there and there[0].ndim == strokes.shape[-1]:
            there[0].data = strokes
            there[0].edge_width = self._width(labels)
            if hasattr(labels, "units"):
                there[0].units = labels.units
            set_visible(there[0], True)
        else:
            self.remove()
            self._add(labels, strokes)

    def hide(self) -> None:
        """Let the line wait for the next one."""
        for layer in own_layers(self._viewer, kind=CUT_LINE):
            set_visible(layer, False)

    def remove(self) -> None:
        """Remove the line, as when the tool is put away."""
        for layer in own_layers(self._viewer, kind=CUT_LINE):
            self._viewer.layers.remove(layer)

    def _width(self, labels: Labels) -> float:
        """Return the thickness in units of the labels, in which the line is drawn."""
        width = _WIDTH / float(camera_of(self._viewer).zoom)
        return from_view(self._viewer, (width,), getattr(labels, "units", ()))[0]

    def _add(self, labels: Labels, strokes: NDArray[Any]) -> None:
        units = getattr(labels, "units", None)
        self._viewer.add_vectors(
            strokes,
            name="Cut",
            vector_style="line",
            edge_color=CUT,
            edge_width=self._width(labels),
            opacity=1,
            metadata=tag(kind=CUT_LINE),
            **({} if units is None else {"units": units}),
        )
        # A new layer takes the selection, and with it the mouse.
        self._viewer.layers.selection.active = labels
