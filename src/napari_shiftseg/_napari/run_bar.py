"""A button that starts, a button that cancels, and how far it is."""

from __future__ import annotations

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from napari_shiftseg._napari.events import Progress

_PAUSE = 100
"""Milliseconds between two changes of the bar."""


class RunBar(QWidget):
    """Start and cancel one thing.

    Parameters
    ----------
    text, tip
        Of the button that starts.
    """

    run_requested = Signal()
    cancel_requested = Signal()

    def __init__(self, text: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.run = QPushButton(text)
        self.run.setToolTip(tip)
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("End the run; nothing of it is kept")
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.buttons = QHBoxLayout()
        self.buttons.addWidget(self.run, 1)
        self.buttons.addWidget(self.cancel)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(self.buttons)
        column.addWidget(self.bar)
        self.run.clicked.connect(self.run_requested)
        self.cancel.clicked.connect(self.cancel_requested)
        self._latest: Progress | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE)
        self._timer.timeout.connect(self._draw)
        self.set_running(False)

    def set_running(self, running: bool) -> None:
        """Show whether it is running."""
        self._latest = None
        self._timer.stop()
        was_at_cancel = self.cancel.hasFocus()
        self.cancel.setEnabled(running)
        if was_at_cancel and not running:
            self.run.setFocus()
        self.bar.setValue(0)
        self.bar.setFormat("Starting" if running else "")

    def show_progress(self, progress: Progress) -> None:
        """Show how far it is, a few times a second."""
        # Qt draws a bar at once whose value is set, and all of napari's window with it.
        self._latest = progress
        if not self._timer.isActive():
            self._timer.start()

    def _draw(self) -> None:
        if self._latest is not None:
            self.bar.setFormat(self._latest.text)
            self.bar.setValue(round(self._latest.fraction * self.bar.maximum()))
