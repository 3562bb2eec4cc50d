"""The dock widget "Audit model"."""

from __future__ import annotations

import napari.viewer
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from napari_shiftseg._napari.actions import Actions, Command
from napari_shiftseg._napari.alive import while_alive
from napari_shiftseg._napari.audit.control import AuditControl
from napari_shiftseg._napari.audit.view import AuditView
from napari_shiftseg._napari.palette import warning_text
from napari_shiftseg._napari.sentence import warning_style


class AuditWidget(QWidget):
    """Find out whether a network can be tiled without seams, and what tilers make of it.

    Parameters
    ----------
    viewer
        The viewer that the widget is docked in.
    """

    # napari passes the viewer to a parameter whose annotation reads exactly like this.
    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.view = AuditView(viewer)
        self.control = AuditControl(viewer, self.view, self)
        self.actions_of_widget = Actions(viewer, self._commands(), self)
        area = QScrollArea()
        area.setWidget(self.view)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(area)
        self.setMinimumWidth(430)
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
        return [
            Command("audit_model", "Audit the chosen model", self.control.audit),
            Command("tile_every_way", "Tile the chosen image every way", self.control.tile),
        ]

    def _on_theme(self) -> None:
        self.setStyleSheet(warning_style(warning_text(self._viewer.theme)))
        self.view.plots.set_theme(self._viewer.theme)
