"""The dock widget "Check labels"."""

from __future__ import annotations

import napari.viewer
from napari.layers import Labels, Layer
from napari.utils.notifications import show_info
from qtpy.QtWidgets import QWidget

from napari_shiftseg._napari.actions import Command
from napari_shiftseg._napari.check.control import CheckControl
from napari_shiftseg._napari.check.view import CheckView
from napari_shiftseg._napari.dock import Dock, scrolling


class CheckWidget(Dock):
    """Find the tile grid that cut labels of any program, and put together what it cut.

    Parameters
    ----------
    viewer
        The viewer that the widget is docked in.
    """

    # napari passes the viewer to a parameter whose annotation reads exactly like this.
    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(viewer, parent)
        self.view = CheckView(viewer)
        self.control = control = CheckControl(viewer, self.view, self)
        commands = [
            Command("check_labels", "Check the chosen labels", control.check),
            Command("next_cut", "Next cut of the label check", control.next_cut),
            Command("previous_cut", "Previous cut of the label check", control.previous_cut),
            Command("repair", "Repair the checked labels", control.repair),
            Command("undo_repair", "Undo the repair", control.undo),
        ]
        self.begin(scrolling(self.view), control.close, commands)

    def check_layer(self, layer: Layer | None) -> None:
        """Choose a layer and check it."""
        if not isinstance(layer, Labels):
            show_info("Select a labels layer first: it is checked for cuts along tile borders.")
            return
        self.view.layers.choose(layer)
        if self.view.layers.layer == layer:
            self.control.check()
        else:
            show_info(f"“{layer.name}” cannot be checked: ShiftSeg shows it only in passing.")
