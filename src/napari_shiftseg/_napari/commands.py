"""Commands of napari's menus; they open the widget if it is not there."""

from __future__ import annotations

from typing import Any

import napari.viewer


def open_dock(viewer: napari.viewer.Viewer, name: str) -> Any:
    """Open a dock, or bring up the one that is there; beside others it is a tab, not a strip."""
    frame, dock = viewer.window.add_plugin_dock_widget("napari-shiftseg", name, tabify=True)
    frame.show()
    frame.raise_()
    return dock


def check_active_layer(viewer: napari.viewer.Viewer) -> None:
    """Look for the tile grid that cut the active labels layer."""
    active = viewer.layers.selection.active
    open_dock(viewer, "Check labels").when_open(lambda form: form.check_layer(active))
