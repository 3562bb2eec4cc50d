"""Commands of napari's menus; they open the widget if it is not there."""

from __future__ import annotations

import napari.viewer


def check_active_layer(viewer: napari.viewer.Viewer) -> None:
    """Look for the tile grid that cut the active labels layer."""
    active = viewer.layers.selection.active
    _, dock = viewer.window.add_plugin_dock_widget("napari-shiftseg", "Check labels")
    dock.when_open(lambda form: form.check_layer(active))
