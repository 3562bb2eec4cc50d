"""Look at what the network finds so far."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QGroupBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_shiftseg._napari.sentence import Sentence


class PreviewSection(QGroupBox):
    """A button, and a box to tick for a preview after each validation."""

    preview_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Preview on the image in view", parent)
        self.now = QPushButton("Preview now")
        self.now.setToolTip("Segment what is on screen with the network as it is now")
        self.each = QCheckBox("After each validation")
        self.each.setToolTip("Segment what is on screen after each validation, in one layer")
        self.sentence = Sentence()
        row = QHBoxLayout()
        row.addWidget(self.now, 1)
        row.addWidget(self.each)
        column = QVBoxLayout(self)
        column.addLayout(row)
        column.addWidget(self.sentence)
        # Its room is kept: the plot below would be drawn anew for another size.
        policy = self.sentence.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.sentence.setSizePolicy(policy)
        self.sentence.hide()
        self.now.clicked.connect(self.preview_requested)

    def say(self, text: str) -> None:
        """Say what is shown."""
        self.sentence.say(text)
        self.sentence.setVisible(bool(text))
