"""Commands of napari's menus; they open the widget if it is not there."""

from __future__ import annotations

import napari.viewer


def check_active_layer(viewer: napari.viewer.Viewer) -> None:
    """Look for straight cuts in the active labels layer."""
    _, widget = viewer.window.add_plugin_dock_widget("napari-shiftseg", "Segment")
    widget.check_layer()
