"""Train or resume, stop, start afresh, and see how far it is."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QApplication, QPushButton, QWidget

from napari_shiftseg._napari.events import Progress
from napari_shiftseg._napari.run_bar import RunBar
from napari_shiftseg._napari.sentence import Sentence


class RunSection(RunBar):
    """Buttons, a progress bar and a sentence."""

    afresh_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Train", "Train with these settings (stop and resume at any time)", parent)
        self._gave_focus = False
        self._focus_then: QWidget | None = None
        self.afresh = QPushButton("Start afresh…")
        self.afresh.setToolTip("Forget the training that was begun, and begin again")
        self.buttons.insertWidget(1, self.afresh)
        self.sentence = Sentence()
        self.layout().addWidget(self.sentence)
        self.cancel.setText("Stop")
        self.cancel.setToolTip("Stop after this step or validation image; it can be resumed")
        self.afresh.clicked.connect(self.afresh_requested)
        self.offer(None)

    def offer(self, step: int | None) -> None:
        """Offer to resume after a step, or to begin if there is none."""
        self.run.setText("Train" if step is None else f"Resume at step {step}")
        self.afresh.setVisible(step is not None)

    def show_running(self, running: bool) -> None:
        """Show whether it is running; there is one training at a time."""
        self.run.setEnabled(not running)
        self.afresh.setEnabled(not running)
        self.set_running(running)
        if not running:
            if self._gave_focus and QApplication.focusWidget() is self._focus_then:
                self.run.setFocus()  # nobody has gone elsewhere meanwhile
            self._gave_focus, self._focus_then = False, None

    def show_stopping(self) -> None:
        """Show that the training will stop soon, and nothing else until it has."""
        self._gave_focus = self.cancel.hasFocus()
        self.cancel.setEnabled(False)
        self._focus_then = QApplication.focusWidget()
        self._latest = None
        self.bar.setFormat("Stopping after this step or image")

    def show_progress(self, progress: Progress) -> None:
        """Show how far it is, unless it is to stop."""
        if self.cancel.isEnabled():
            super().show_progress(progress)
