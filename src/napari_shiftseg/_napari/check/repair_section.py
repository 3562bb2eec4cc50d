"""Merge what is sure enough, see how much that is, and take it back."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from napari_shiftseg._napari.sentence import Sentence
from napari_shiftseg.seams.repair import CONFIDENT


class RepairSection(QGroupBox):
    """A slider for the confidence, two buttons, two sentences."""

    repair_requested = Signal()
    undo_requested = Signal()
    confidence_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Repair", parent)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, 100)
        self.slider.setValue(round(100 * CONFIDENT))
        self.slider.setToolTip("How sure it must be that two pieces are one object")
        self._number = QLabel()
        self._number.setMinimumWidth(40)
        self._number.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.proposal, self.done = Sentence(), Sentence()
        self.repair = QPushButton("Repair into a new layer")
        self.repair.setToolTip("Merge these pairs in a copy; your layer stays as it is")
        self.undo = QPushButton("Undo")
        self.undo.setToolTip("Take the repair back; if you edited its layer, your edits stay")
        self._lay_out()
        self.slider.valueChanged.connect(self._on_slider)
        self.repair.clicked.connect(self.repair_requested)
        self.undo.clicked.connect(self.undo_requested)
        self._on_slider()
        self.allow(repair=False, undo=False)

    @property
    def confidence(self) -> float:
        """From which on a pair is merged, 0 to 1."""
        return float(self.slider.value()) / 100

    def allow(self, *, repair: bool, undo: bool) -> None:
        """Say what can be done."""
        self.repair.setEnabled(repair)
        self.undo.setEnabled(undo)

    def _on_slider(self) -> None:
        self._number.setText(f"{self.slider.value()} %")
        self.confidence_changed.emit()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(QLabel("Confidence from"))
        row.addWidget(self.slider, 1)
        row.addWidget(self._number)
        buttons = QHBoxLayout()
        buttons.addWidget(self.repair, 2)
        buttons.addWidget(self.undo, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 6)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.proposal)
        column.addLayout(buttons)
        column.addWidget(self.done)
