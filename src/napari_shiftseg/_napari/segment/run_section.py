"""Start, preview, cancel, and see how far it is."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from napari_shiftseg._napari.events import Progress


class RunSection(QWidget):
    """Buttons and a progress bar."""

    run_requested = Signal()
    preview_requested = Signal()
    cancel_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.run = QPushButton("Run")
        self.run.setToolTip("Segment the chosen region with this stitching (Ctrl+Shift+R)")
        self.preview = QPushButton("Preview")
        self.preview.setToolTip("Segment the screen: equal to that part of a run (Ctrl+Shift+V)")
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("End the run; nothing of it is kept")
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        row = QHBoxLayout()
        for button in (self.run, self.preview, self.cancel):
            row.addWidget(button, 1)
        column = QVBoxLayout(self)
        column.addLayout(row)
        column.addWidget(self.bar)
        self.run.clicked.connect(self.run_requested)
        self.preview.clicked.connect(self.preview_requested)
        self.cancel.clicked.connect(self.cancel_requested)
        self.set_running(False)

    def set_running(self, running: bool) -> None:
        """Show whether a run is going on."""
        self.cancel.setEnabled(running)
        self.bar.setValue(0)
        self.bar.setFormat("Starting" if running else "")
        self.bar.setTextVisible(True)

    def set_possible(self, possible: bool) -> None:
        """Allow or forbid to start a run."""
        self.run.setEnabled(possible)
        self.preview.setEnabled(possible)

    def show_progress(self, progress: Progress) -> None:
        """Show how far the run is."""
        self.bar.setValue(round(progress.fraction * self.bar.maximum()))
        self.bar.setFormat(progress.text)
