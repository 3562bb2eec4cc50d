"""The edge of the curtain: a line that is taken with the mouse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from napari.layers import Vectors
from napari.viewer import Viewer
from qtpy.QtCore import QObject, Signal

from napari_shiftseg._napari.camera import camera_of
from napari_shiftseg._napari.compare.clicks import is_free
from napari_shiftseg._napari.layers import (
    CURTAIN_LINE,
    add_on_top,
    move_to,
    remove,
    set_visible,
)
from napari_shiftseg._napari.placement import Placement
from napari_shiftseg._napari.tags import tag
from napari_shiftseg._napari.turns import Steps
from napari_shiftseg._napari.view_units import pixel_at, scale_in_view

_COLOUR = "#fff34d"
_WIDTH = 4
"""Thickness on screen in pixels."""

_REACH = 9
"""Distance on screen in pixels from which the line can be taken."""


class CurtainLine(QObject):
    """A vertical line across the image.

    Parameters
    ----------
    viewer
        Where to draw it.
    """

    dragged = Signal(float)

    def __init__(self, viewer: Viewer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._placement: Placement | None = None
        self._cursor: Any = None
        self.layer: Vectors | None = None

    def enter(self, placement: Placement) -> Steps:
        """Draw the line and listen to the mouse."""
        self._placement = placement
        camera_of(self._viewer).events.zoom.connect(self._on_zoom)
        self._viewer.dims.events.order.connect(self._on_order)
        self._viewer.mouse_drag_callbacks.append(self._on_press)
        self._viewer.mouse_move_callbacks.append(self._on_move)
        plane = placement.last(2)
        stroke = np.array([[[-0.5, 0], [plane.size[0], 0]]])
        if self.layer is not None and self.layer in self._viewer.layers:
            set_visible(self.layer, True)
            self.layer.data = stroke
            move_to(self.layer, plane)
            self._on_zoom()
            self._on_order()
            return
        # Two axes suffice: napari repeats the line in every slice of a stack.
        layer = self.layer = Vectors(
            stroke,
            name="Curtain line",
            edge_color=_COLOUR,
            vector_style="line",
            opacity=1,
            metadata=tag(kind=CURTAIN_LINE),
            **plane.keywords,
        )
        yield
        if layer is self.layer and self._placement is not None:
            self._on_zoom()
            add_on_top(self._viewer, layer)
            self._on_order()
            yield

    def leave(self) -> None:
        """Hide the line and leave the mouse alone."""
        if self._placement is None:
            return
        camera_of(self._viewer).events.zoom.disconnect(self._on_zoom)
        self._viewer.dims.events.order.disconnect(self._on_order)
        self._viewer.mouse_drag_callbacks.remove(self._on_press)
        self._viewer.mouse_move_callbacks.remove(self._on_move)
        self._point(False)
        self._placement = None
        if self.layer is not None and self.layer in self._viewer.layers:
            set_visible(self.layer, False)

    def forget(self) -> Steps:
        """Remove the line."""
        layer, self.layer = self.layer, None
        yield from remove(self._viewer, layer)

    def move(self, column: float) -> None:
        """Put the line between the pixels ``column - 1`` and ``column``."""
        if self._placement is not None and self.layer is not None:
            self.layer.translate = (self.layer.translate[0], self._world(column - 0.5))

    def _world(self, column: float) -> float:
        assert self._placement is not None
        return column * self._placement.scale[-1] + self._placement.translate[-1]

    def _column(self, world: float) -> float:
        assert self._placement is not None
        return (world - self._placement.translate[-1]) / self._placement.scale[-1] + 0.5

    def _near(self, event: Any) -> bool:
        """Tell whether the mouse is where it can take the line."""
        if self.layer is None or self._viewer.dims.ndisplay != 2 or not self._in_plane:
            return False
        distance = abs(pixel_at(self._viewer, self.layer, event.position)[-1])
        return bool(distance * self._pixel_on_screen < _REACH)

    @property
    def _pixel_on_screen(self) -> float:
        """Pixels of the screen that one of the image takes."""
        width = abs(scale_in_view(self._viewer, self.layer)[-1])
        return float(width * camera_of(self._viewer).zoom)

    def _on_press(self, viewer: Any, event: Any) -> Iterator[None]:
        if not (is_free(self._viewer, event) and self._near(event)):
            return
        camera = camera_of(self._viewer)
        panned, camera.mouse_pan, event.handled = camera.mouse_pan, False, True
        try:
            yield
            while event.type == "mouse_move" and self._placement is not None:
                assert self.layer is not None
                moved = pixel_at(self._viewer, self.layer, event.position)[-1]
                self.dragged.emit(self._column(self.layer.translate[-1]) + moved)
                event.handled = True
                yield
        finally:
            camera.mouse_pan = panned

    def _on_move(self, viewer: Any, event: Any) -> None:
        self._point(self._near(event))

    def _point(self, near: bool) -> None:
        """Show by the cursor that the line can be taken."""
        cursor = self._viewer.cursor
        if near and self._cursor is None:
            self._cursor, cursor.style = cursor.style, "pointing"
        elif not near and self._cursor is not None:
            cursor.style, self._cursor = self._cursor, None

    @property
    def _in_plane(self) -> bool:
        """Whether y and x are on screen; in other views of a volume there is no line to draw."""
        ndim = self._viewer.dims.ndim
        return set(self._viewer.dims.order[-2:]) == {ndim - 2, ndim - 1}

    def _on_order(self) -> None:
        if self.layer is not None and self._placement is not None:
            set_visible(self.layer, self._in_plane)

    def _on_zoom(self) -> None:
        if self.layer is not None:
            self.layer.edge_width = _WIDTH / self._pixel_on_screen
