"""Start, preview, cancel, and see how far it is."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QPushButton, QWidget

from napari_shiftseg._napari.run_bar import RunBar


class RunSection(RunBar):
    """Buttons and a progress bar."""

    preview_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        tip = "Segment the chosen region with this stitching (Ctrl+Shift+R)"
        super().__init__("Run", tip, parent)
        self.preview = QPushButton("Preview")
        self.preview.setToolTip("Segment what is on screen, as a whole run would (Ctrl+Shift+V)")
        self.preview.clicked.connect(self.preview_requested)
        self.buttons.insertWidget(1, self.preview, 1)
        self.buttons.setStretch(2, 1)

    def set_possible(self, possible: bool) -> None:
        """Allow or forbid to start a run."""
        self.run.setEnabled(possible)
        self.preview.setEnabled(possible)
