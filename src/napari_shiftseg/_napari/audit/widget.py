"""The dock widget "Audit model"."""

from __future__ import annotations

import napari.viewer
from qtpy.QtWidgets import QWidget

from napari_shiftseg._napari.actions import Command
from napari_shiftseg._napari.audit.control import AuditControl
from napari_shiftseg._napari.audit.view import AuditView
from napari_shiftseg._napari.dock import Dock, scrolling


class AuditWidget(Dock):
    """Find out whether a network can be tiled without seams, and what tilers make of it.

    Parameters
    ----------
    viewer
        The viewer that the widget is docked in.
    """

    # napari passes the viewer to a parameter whose annotation reads exactly like this.
    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(viewer, parent)
        self.view = AuditView(viewer)
        self.control = AuditControl(viewer, self.view, self)
        commands = [
            Command("audit_model", "Audit the chosen model", self.control.audit),
            Command("tile_every_way", "Tile the chosen image every way", self.control.tile),
            Command(
                "predict_output", "Show the audited network's output", self.control.output.predict
            ),
        ]
        self.begin(scrolling(self.view), self.control.close, commands)

    def on_theme(self) -> None:
        """Take the colours of napari's theme, in the plots too."""
        super().on_theme()
        self.view.plots.set_theme(self._viewer.theme)
