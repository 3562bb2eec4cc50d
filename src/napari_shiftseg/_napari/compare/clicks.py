"""Clicks into the image, told from drags and from what napari's tools do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from napari.viewer import Viewer
from qtpy.QtCore import QObject, Signal

_STILL = 4
"""Distance on screen in pixels up to which a click may tremble."""


def is_free(viewer: Viewer, event: Any) -> bool:
    """Tell whether a press is neither a tool's of the active layer nor napari's own."""
    active = viewer.layers.selection.active
    tool_in_hand = active is not None and str(active.mode) != "pan_zoom"
    return event.button == 1 and not (event.modifiers or event.handled or tool_in_hand)


class Clicks(QObject):
    """Announces where the image was clicked, in world coordinates.

    Parameters
    ----------
    viewer
        Whose canvas.
    """

    clicked = Signal(tuple)

    def __init__(self, viewer: Viewer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        viewer.mouse_drag_callbacks.append(self._on_press)

    def stop(self) -> None:
        """Listen no more."""
        if self._on_press in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._on_press)

    def _on_press(self, viewer: Any, event: Any) -> Iterator[None]:
        if not is_free(self._viewer, event):
            return
        start, place = np.array(event.pos), tuple(event.position)
        yield
        while event.type == "mouse_move":
            yield
        if np.abs(np.array(event.pos) - start).max() <= _STILL:
            self.clicked.emit(place)
