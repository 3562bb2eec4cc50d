"""The dock widget "Train"."""

from __future__ import annotations

import napari.viewer
from qtpy.QtWidgets import QWidget

from napari_shiftseg._napari.actions import Command
from napari_shiftseg._napari.dock import Dock
from napari_shiftseg._napari.train.control import TrainControl
from napari_shiftseg._napari.train.view import TrainView


class TrainWidget(Dock):
    """Train a network on layers or a data pack, watch it learn, export it.

    Parameters
    ----------
    viewer
        The viewer that the widget is docked in.
    """

    # napari passes the viewer to a parameter whose annotation reads exactly like this.
    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(viewer, parent)
        self.view = TrainView(viewer)
        self.control = control = TrainControl(viewer, self.view, self)
        commands = [
            Command("train", "Train or resume", control.train),
            Command("stop_training", "Stop the training", control.stop),
            Command("preview_training", "Preview the training", control.previews.ask),
        ]
        self.begin(self.view, control.close, commands)

    def on_theme(self) -> None:
        """Take the colours of napari's theme, in the plot too."""
        super().on_theme()
        self.view.plot.set_theme(self._viewer.theme)
