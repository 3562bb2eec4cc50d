"""The dock widget "Check labels"."""

from __future__ import annotations

import napari.viewer
from napari.layers import Labels, Layer
from napari.utils.notifications import show_info
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from napari_shiftseg._napari.actions import Actions, Command
from napari_shiftseg._napari.alive import while_alive
from napari_shiftseg._napari.check.control import CheckControl
from napari_shiftseg._napari.check.view import CheckView
from napari_shiftseg._napari.palette import warning_text
from napari_shiftseg._napari.sentence import warning_style


class CheckWidget(QWidget):
    """Find the tile grid that cut labels of any program, and put together what it cut.

    Parameters
    ----------
    viewer
        The viewer that the widget is docked in.
    """

    # napari passes the viewer to a parameter whose annotation reads exactly like this.
    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.view = CheckView(viewer)
        self.control = CheckControl(viewer, self.view, self)
        self.actions_of_widget = Actions(viewer, self._commands(), self)
        area = QScrollArea()
        area.setWidget(self.view)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(area)
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

    def check_layer(self, layer: Layer | None) -> None:
        """Choose a layer and check it."""
        if not isinstance(layer, Labels):
            show_info("Select a labels layer first: it is checked for cuts along tile borders.")
            return
        self.view.layers.choose(layer)
        if self.view.layers.layer == layer:
            self.control.check()

    def _commands(self) -> list[Command]:
        control = self.control
        return [
            Command("check_labels", "Check the chosen labels", control.check),
            Command("next_cut", "Next cut of the label check", control.next_cut),
            Command("previous_cut", "Previous cut of the label check", control.previous_cut),
            Command("repair", "Repair the checked labels", control.repair),
            Command("undo_repair", "Undo the repair", control.undo),
        ]

    def _on_theme(self) -> None:
        self.setStyleSheet(warning_style(warning_text(self._viewer.theme)))
