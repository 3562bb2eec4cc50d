"""The dock widget: its tabs, and what they share."""

from __future__ import annotations

import napari.viewer
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QTabWidget, QVBoxLayout, QWidget

from napari_shiftseg._napari.model_section import ModelSection
from napari_shiftseg._napari.palette import warning_text
from napari_shiftseg._napari.result_control import ResultControl
from napari_shiftseg._napari.results import Results
from napari_shiftseg._napari.segment_control import SegmentControl
from napari_shiftseg._napari.segment_tab import SegmentTab
from napari_shiftseg._napari.sentence import warning_style
from napari_shiftseg._napari.worker import Runner


class SegmentWidget(QWidget):
    """Segment, compare, correct: the order in which a person works.

    Parameters
    ----------
    viewer
        The viewer that the widget is docked in.
    """

    # napari passes the viewer to a parameter whose annotation reads exactly like this.
    def __init__(self, viewer: napari.viewer.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.runner = Runner(self)
        self.results = Results(viewer, self)
        self.segment = SegmentTab(viewer)
        self.control = SegmentControl(viewer, self.segment, self.runner, self.results, self)
        self.result_control = ResultControl(
            self.segment.result,
            self.results,
            self.control,
            self.segment.clusters.show_settings,
            self,
        )
        self.tabs = QTabWidget()
        self.tabs.addTab(scrolled(self.segment), "Segment")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.tabs)
        self.setMinimumWidth(360)
        viewer.events.theme.connect(self._on_theme)
        self._on_theme()
        self.control.begin()

    @property
    def model(self) -> ModelSection:
        """The section that chooses the model."""
        return self.segment.model

    def changeEvent(self, event: QEvent) -> None:
        """End the run and take the grid away when napari closes the dock."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.control.close()

    def _on_theme(self) -> None:
        self.setStyleSheet(warning_style(warning_text(self._viewer.theme)))


def scrolled(tab: QWidget) -> QScrollArea:
    """Let a tab scroll where the window is too low for it."""
    area = QScrollArea()
    area.setWidget(tab)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area
