"""Clicks and drawn lines on a labels layer, told from moving the view."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from napari.layers import Labels
from napari.viewer import Viewer
from qtpy.QtCore import QObject, Signal

from napari_shiftseg._napari.correct.cut_line import CutLine
from napari_shiftseg._napari.correct.editable_labels import place_of, why_paused
from napari_shiftseg._napari.view_units import pixel_at

_STILL = 4
"""Screen pixels within which a press and its release are a click."""


class CanvasMouse(QObject):
    """The mouse on one layer at a time.

    Parameters
    ----------
    viewer
        Where the layer lives.
    """

    clicked = Signal(tuple, bool)
    """A pixel, and whether shift was held."""

    line_drawn = Signal(object)
    """``(n, d)`` corners in pixels."""

    def __init__(self, viewer: Viewer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._line = CutLine(viewer)
        self._layer: Labels | None = None
        self._gesture: Callable[[Labels, Any], Iterator[None]] = self._click

    def take(self, layer: Labels, *, draw: bool) -> None:
        """Watch a layer for lines or for clicks, and no other layer."""
        self._gesture = self._draw if draw else self._click
        if layer is not self._layer:
            self.release()
            self._layer = layer
            layer.mouse_drag_callbacks.append(self._on_press)

    def release(self) -> None:
        """Leave the mouse to napari."""
        layer, self._layer = self._layer, None
        if layer is not None:
            layer.mouse_drag_callbacks.remove(self._on_press)
            self._line.remove()

    def _on_press(self, layer: Labels, event: Any) -> Iterator[None]:
        if event.button == 1 and not why_paused(self._viewer, layer):
            yield from self._gesture(layer, event)

    def _click(self, layer: Labels, event: Any) -> Iterator[None]:
        start, shift, still = np.array(event.pos), "Shift" in event.modifiers, True
        yield
        while event.type == "mouse_move":
            still = still and bool(np.abs(event.pos - start).max() <= _STILL)
            yield
        place = place_of(layer, pixel_at(self._viewer, layer, event.position))
        if still and place is not None:
            self.clicked.emit(place, shift)

    def _draw(self, layer: Labels, event: Any) -> Iterator[None]:
        path = [pixel_at(self._viewer, layer, event.position)]
        layer.mouse_pan = False
        try:
            yield
            while event.type == "mouse_move":
                path.append(pixel_at(self._viewer, layer, event.position))
                self._line.show(layer, path)
                yield
        finally:
            layer.mouse_pan = layer.mode == "pan_zoom"
            self._line.hide()
        if len(path) > 1:
            self.line_drawn.emit(np.array(path))
