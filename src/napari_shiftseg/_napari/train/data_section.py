"""What to learn from: layers of the viewer, or a data pack on disk."""

from __future__ import annotations

from itertools import pairwise

from napari.layers import Image, Labels
from napari.viewer import Viewer
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
from napari_shiftseg._napari.switch import Switch
from napari_shiftseg._napari.tags import tag_of
from napari_shiftseg._napari.train.pair_row import PairRow
from napari_shiftseg._napari.wheel import let_wheel_pass

_KINDS = (
    ("layers", "Layers", "Train on images and labels that are in the viewer"),
    ("pack", "Data pack", "Train on a ZIP or folder with images/ and masks/ of equal names"),
)


class DataSection(QGroupBox):
    """Rows of layers, or the path of a pack.

    Parameters
    ----------
    viewer
        Whose layers.
    """

    changed = Signal()

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__("Data", parent)
        self._viewer = viewer
        self.rows: list[PairRow] = []
        self.kind = Switch(_KINDS)
        self.add = QPushButton("Add image")
        self.add.setToolTip("Add a pair of image and labels; of two or more, some are held out")
        self.pack = QLineEdit()
        self.pack.setPlaceholderText("ZIP or folder with images/ and masks/")
        self.pack.setToolTip("A data pack, or discs:13 for the paper's discs at spacing 13")
        self.zip_button, self.folder_button = QPushButton("ZIP…"), QPushButton("Folder…")
        self.sentence = Sentence()
        self._lay_out()
        self._connect()
        self.add_row()
        self._show_kind()

    @property
    def pairs(self) -> list[tuple[Image, Labels]]:
        """The chosen layers, rows without image or labels left out."""
        return [row.layers for row in self.rows if row.layers is not None]

    def add_row(self) -> PairRow:
        """Add a row of layers."""
        row = PairRow(self._viewer, self._labels_besides)
        let_wheel_pass(row)
        before = [self.rows[-1].remove] if self.rows else []
        stops = [*before, row.image, row.labels, row.remove, self.add]
        self.rows.append(row)
        self._rows.addWidget(row)
        for one, following in pairwise(stops):  # Tab goes through the form as it is seen
            QWidget.setTabOrder(one, following)
        row.fill(self._unused())
        row.changed.connect(self.changed)
        row.layer_inserted.connect(lambda: row.fill(self._unused()))
        row.remove_requested.connect(lambda: self._remove(row))
        self._allow_removal()
        self.changed.emit()
        return row

    def show_pack(self, path: str) -> None:
        """Choose a data pack."""
        self.pack.setText(path)
        self.kind.choose("pack")

    def say(self, text: str, *, warning: bool = False) -> None:
        """Say what the data are, or what is wrong with them."""
        self.sentence.say(text, warning=warning)

    def _labels_besides(self, row: PairRow) -> list[Labels]:
        others = (other.labels.layer for other in self.rows if other is not row)
        return [labels for labels in others if labels is not None]

    def _unused(self) -> list[Image]:
        used = [row.image.layer for row in self.rows]
        return [
            layer
            for layer in self._viewer.layers
            if isinstance(layer, Image) and not tag_of(layer).get("kind") and layer not in used
        ]

    def _remove(self, row: PairRow) -> None:
        self.rows.remove(row)
        self._rows.removeWidget(row)
        row.hide()
        row.deleteLater()
        self._allow_removal()
        self.changed.emit()

    def _allow_removal(self) -> None:
        for row in self.rows:
            row.remove.setEnabled(len(self.rows) > 1)

    def _show_kind(self) -> None:
        layers = self.kind.value == "layers"
        self._layers_page.setVisible(layers)
        self._pack_page.setVisible(not layers)
        self.changed.emit()

    def _connect(self) -> None:
        self.kind.changed.connect(lambda _: self._show_kind())
        self.add.clicked.connect(lambda _: self.add_row())
        self.pack.textChanged.connect(lambda _: self.changed.emit())
        self.zip_button.clicked.connect(lambda _: self._ask_zip())
        self.folder_button.clicked.connect(lambda _: self._ask_folder())

    def _ask_zip(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Data pack", "", "Data packs (*.zip)")
        if path:
            self.pack.setText(path)

    def _ask_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Folder with images/ and masks/")
        if path:
            self.pack.setText(path)

    def _lay_out(self) -> None:
        self._layers_page, self._pack_page = QWidget(), QWidget()
        rows = QVBoxLayout(self._layers_page)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(3)
        self._rows = QVBoxLayout()
        rows.addLayout(self._rows)
        rows.addWidget(self.add)
        pack = QHBoxLayout(self._pack_page)
        pack.setContentsMargins(0, 0, 0, 0)
        pack.addWidget(self.pack, 1)
        pack.addWidget(self.zip_button)
        pack.addWidget(self.folder_button)
        column = QVBoxLayout(self)
        for part in (self.kind, self._layers_page, self._pack_page, self.sentence):
            column.addWidget(part)
