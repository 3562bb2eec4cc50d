"""Choose the network to audit."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_shiftseg._napari.audit.job import Asked
from napari_shiftseg._napari.remembered import Remembered
from napari_shiftseg._napari.switch import Switch
from napari_shiftseg.embeddings.model import bundled_models

_FIRST = "nuclei-2d"
_KINDS = "Networks (*.safetensors *.pt *.pth *.ts *.pt2);;All files (*)"
_AXES = (
    ("2", "2-D", "The network takes images"),
    ("3", "3-D", "The network takes volumes"),
    ("1", "1-D", "The network takes signals"),
)


class NetworkSection(QGroupBox):
    """Combo of bundled models and of files; axes and channels where a file does not say."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Network", parent)
        self._remembered = Remembered()
        self.combo = QComboBox()
        self.combo.setToolTip("Models of this package, and files that you opened")
        self.combo.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for name in bundled_models():
            self.combo.addItem(name, name)
        self._offer_recent()
        self.combo.setCurrentIndex(max(self.combo.findText(_FIRST), 0))
        self.open_button = QPushButton("Open file…")
        self.open_button.setToolTip(
            "A shiftseg model (.safetensors), TorchScript (.pt, .pth, .ts) or torch.export (.pt2)"
        )
        self.axes = Switch(_AXES)
        self.channels = QSpinBox()
        self.channels.setRange(1, 999)
        self.channels.setToolTip("Channels of the network's input")
        self.input = QWidget()
        self._lay_out()
        self._on_choice()
        self.combo.currentIndexChanged.connect(self._on_choice)
        self.open_button.clicked.connect(self._ask)

    @property
    def asked(self) -> Asked:
        """What is chosen."""
        return Asked(
            str(self.combo.currentData()),
            self.combo.currentText(),
            int(self.axes.value),
            self.channels.value(),
        )

    def open_file(self, path: str | Path) -> None:
        """Choose a file; whether it is a network shows when it is audited."""
        index = self.combo.findData(str(path))
        if index < 0:
            self.combo.addItem(Path(path).name, str(path))
            index = self.combo.count() - 1
            self.combo.setItemData(index, str(path), Qt.ItemDataRole.ToolTipRole)
        self.combo.setCurrentIndex(index)

    def _ask(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Open network", "", _KINDS)
        if path:
            self.open_file(path)

    def _on_choice(self) -> None:
        source = str(self.combo.currentData())
        known = source in bundled_models() or source.endswith(".safetensors")
        self.input.setVisible(not known)
        self.changed.emit()

    def _offer_recent(self) -> None:
        for path in self._remembered.recent_models():
            if Path(path).is_file() and path.endswith(".safetensors"):
                self.combo.addItem(Path(path).stem, path)
                self.combo.setItemData(self.combo.count() - 1, path, Qt.ItemDataRole.ToolTipRole)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self.combo, 1)
        row.addWidget(self.open_button)
        asks = QHBoxLayout(self.input)
        asks.setContentsMargins(0, 0, 0, 0)
        asks.addWidget(QLabel("Input"))
        asks.addWidget(self.axes, 1)
        asks.addWidget(QLabel("Channels"))
        asks.addWidget(self.channels)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 6)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.input)
