"""The form: what is set up on one page, the course of the training on the other."""

from __future__ import annotations

from napari.viewer import Viewer
from qtpy.QtWidgets import QScrollArea, QSizePolicy, QTabWidget, QVBoxLayout, QWidget

from napari_shiftseg._napari.dock import scrolling
from napari_shiftseg._napari.train.course_plot import CoursePlot
from napari_shiftseg._napari.train.data_section import DataSection
from napari_shiftseg._napari.train.export_section import ExportSection
from napari_shiftseg._napari.train.output_section import OutputSection
from napari_shiftseg._napari.train.preview_section import PreviewSection
from napari_shiftseg._napari.train.run_section import RunSection
from napari_shiftseg._napari.train.settings_section import SettingsSection

SET_UP, COURSE = 0, 1


class TrainView(QWidget):
    """Data, network and file; plot, preview and export; below both, what starts and stops.

    Parameters
    ----------
    viewer
        Whose layers are offered.
    """

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.data = DataSection(viewer)
        self.settings = SettingsSection()
        self.output = OutputSection()
        self.run = RunSection()
        self.plot = CoursePlot()
        self.preview = PreviewSection()
        self.export = ExportSection()
        self.tabs = QTabWidget()
        self.tabs.addTab(_page(self.data, self.settings, self.output, stretch=True), "Set up")
        self.tabs.addTab(_page(self.plot, self.preview, self.export), "Course")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(4)
        column.addWidget(self.tabs, 1)
        column.addWidget(self.run)
        self.run.layout().setContentsMargins(6, 0, 6, 0)
        # Else napari adds room below, and the pages scroll in half of the dock.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)

    def set_running(self, running: bool) -> None:
        """Freeze what a training was started with as long as it runs."""
        for section in (self.data, self.settings, self.output):
            section.setEnabled(not running)
        self.run.show_running(running)


def _page(*sections: QWidget, stretch: bool = False) -> QScrollArea:
    page = QWidget()
    column = QVBoxLayout(page)
    column.setContentsMargins(6, 2, 6, 2)
    column.setSpacing(2)
    for section in sections:
        column.addWidget(section, 1 if isinstance(section, CoursePlot) else 0)
        section.layout().setContentsMargins(6, 2, 6, 4)
    if stretch:
        column.addStretch(1)
    return scrolling(page)
