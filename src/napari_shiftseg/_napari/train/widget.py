"""The dock widget "Train"."""

from __future__ import annotations

import napari.viewer
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_shiftseg._napari.actions import Actions, Command
from napari_shiftseg._napari.alive import while_alive
from napari_shiftseg._napari.palette import warning_text
from napari_shiftseg._napari.sentence import warning_style
from napari_shiftseg._napari.train.control import TrainControl
from napari_shiftseg._napari.train.view import TrainView


class TrainWidget(QWidget):
    """Train a network on layers or a data pack, watch it learn, export it.

    Parameters
    ----------
    viewer
        The viewer that the widget is docked in.
    """

    # napari passes the viewer to a parameter whose annotation reads exactly like this.
    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.view = TrainView(viewer)
        self.control = TrainControl(viewer, self.view, self)
        self.actions_of_widget = Actions(viewer, self._commands(), self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.view)
        self.setMinimumWidth(370)
        while_alive(self, viewer.events.theme, self._on_theme)
        self.actions_of_widget.register()
        self._on_theme()

    def changeEvent(self, event: QEvent) -> None:
        """Let go of the viewer when napari closes the dock."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.control.close()
            self.actions_of_widget.unregister()

    def _commands(self) -> list[Command]:
        control = self.control
        return [
            Command("train", "Train or resume", control.train),
            Command("stop_training", "Stop the training", control.stop),
            Command("preview_training", "Preview the training", control.previews.ask),
        ]

    def _on_theme(self) -> None:
        theme = self._viewer.theme
        self.setStyleSheet(warning_style(warning_text(theme)))
        self.view.plot.set_theme(theme)
