"""Choose the network to audit."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QAction
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_shiftseg._napari.audit.job import Asked
from napari_shiftseg._napari.audit.python_network import PythonNetworkDialog
from napari_shiftseg._napari.remembered import Remembered
from napari_shiftseg._napari.switch import Switch
from napari_shiftseg.embeddings.model import bundled_models
from napari_shiftseg.settings import DEFAULT_MODEL

_KINDS = "Networks (*.safetensors *.pt *.pth *.ts *.pt2 *.zip);;All files (*)"
_WEIGHTS = Qt.ItemDataRole.UserRole + 1
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
        self.combo.setCurrentIndex(max(self.combo.findText(DEFAULT_MODEL), 0))
        self.open_button = QPushButton("Open")
        self.open_button.setToolTip("A network of any origin: a file, a package or Python code")
        self.openings = self._offer_openings()
        self.axes = Switch(_AXES)
        self.channels = QSpinBox()
        self.channels.setRange(1, 999)
        self.channels.setToolTip("Channels of the network's input")
        self.input = QWidget()
        self._lay_out()
        self._on_choice()
        self.combo.currentIndexChanged.connect(self._on_choice)
        self.axes.changed.connect(lambda _: self.changed.emit())
        self.channels.valueChanged.connect(lambda _: self.changed.emit())

    @property
    def asked(self) -> Asked:
        """What is chosen."""
        return Asked(
            str(self.combo.currentData()),
            self.combo.currentText(),
            int(self.axes.value),
            self.channels.value(),
            str(self.combo.currentData(_WEIGHTS) or ""),
        )

    def open_file(self, path: str | Path) -> None:
        """Choose a file; whether it is a network shows when it is audited."""
        self._offer(str(path), Path(path).name)

    def open_code(self, code: str, weights: str = "") -> None:
        """Choose Python code; it is run when it is audited, if a person says that it may."""
        self._offer(code, Path(code).name, weights)

    def _offer(self, source: str, name: str, weights: str = "") -> None:
        index = self.combo.findData(source)
        if index < 0:
            self.combo.addItem(name, source)
            index = self.combo.count() - 1
            self.combo.setItemData(index, source, Qt.ItemDataRole.ToolTipRole)
        self.combo.setItemData(index, weights, _WEIGHTS)
        if index == self.combo.currentIndex():
            self._on_choice()  # the same name, but maybe another network by now
        else:
            self.combo.setCurrentIndex(index)

    def _offer_openings(self) -> dict[str, QAction]:
        menu = QMenu(self.open_button)
        self.open_button.setMenu(menu)
        return {
            name: menu.addAction(text, ask)
            for name, text, ask in (
                ("file", "File…", self._ask_file),
                ("folder", "Folder of a BioImage Model Zoo package…", self._ask_folder),
                ("code", "Python code…", self._ask_code),
            )
        }

    def _ask_file(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Open network", "", _KINDS)
        if path:
            self.open_file(path)

    def _ask_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Open package")
        if path:
            self.open_file(path)

    def _ask_code(self) -> None:
        dialog = PythonNetworkDialog(self)
        if dialog.exec():
            self.open_code(dialog.code.text.strip(), dialog.weights.text.strip())

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
