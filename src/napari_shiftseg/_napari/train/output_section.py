"""Where the model will be written."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QFileDialog,
    QGroupBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_shiftseg._napari.sentence import Sentence

SUFFIX = ".safetensors"


class OutputSection(QGroupBox):
    """The path of the model file, beside which the state of the training is kept."""

    changed = Signal()
    settings_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Model file", parent)
        self.path = QLineEdit()
        self.path.setToolTip("The model to write; what is needed to resume is kept beside it")
        self.choose = QPushButton("Choose…")
        self.choose.setToolTip("Choose a name; nothing is replaced before you are asked")
        self.sentence = Sentence()
        self.take = QPushButton("Take its settings")
        self.take.setToolTip("Set the form to the training that is kept, so that it can go on")
        self.take.hide()
        row = QHBoxLayout()
        row.addWidget(self.path, 1)
        row.addWidget(self.choose)
        column = QVBoxLayout(self)
        column.addLayout(row)
        column.addWidget(self.sentence)
        column.addWidget(self.take)
        self.take.clicked.connect(self.settings_requested)
        self.path.textChanged.connect(lambda _: self.changed.emit())
        self.choose.clicked.connect(lambda _: self._ask())

    @property
    def output(self) -> Path:
        """The model file that was named."""
        return Path(self.path.text().strip()).expanduser()

    def say(self, text: str, *, warning: bool = False, offers_settings: bool = False) -> None:
        """Say what is there already, and whether its settings may be taken."""
        self.sentence.say(text, warning=warning)
        self.take.setVisible(offers_settings)

    def _ask(self) -> None:
        # The file is only written by an export, which asks then.
        options = QFileDialog.Option.DontConfirmOverwrite
        path, _ = QFileDialog.getSaveFileName(
            self, "Model file", self.path.text(), f"Models (*{SUFFIX})", options=options
        )
        if path:
            self.path.setText(path if path.endswith(SUFFIX) else path + SUFFIX)
