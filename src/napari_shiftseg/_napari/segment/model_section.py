"""Choose a model and read what it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QGroupBox,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_shiftseg._napari.remembered import Remembered
from napari_shiftseg._napari.segment.model_card import GLOSSARY, card
from napari_shiftseg._napari.sentence import Sentence
from napari_shiftseg.embeddings.model import Model, bundled_models, load_model
from napari_shiftseg.errors import ShiftSegError, hearing
from napari_shiftseg.settings import DEFAULT_MODEL, Precision


class ModelSection(QGroupBox):
    """Combo of bundled models and of those that were opened lately, and a card."""

    model_changed = Signal(object)
    warned = Signal(str)
    failed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Model", parent)
        self.model: Model | None = None
        self._loaded: dict[str, tuple[_State, Model, str]] = {}
        self._remembered = Remembered()
        self.combo = QComboBox()
        self.combo.setToolTip("Models of this package, and those that you opened")
        self.combo.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for name, path in bundled_models().items():
            self.combo.addItem(name, str(path))
        self._offer_recent()
        self.open_button = QPushButton("Open file…")
        self.open_button.setToolTip("Open a .safetensors model, or a checkpoint with its .json")
        self.rounded = QCheckBox("bfloat16")
        self.rounded.setToolTip(
            "Compute with 8 significant bits: faster on processors that have them; labels at the "
            "rims of objects may then depend on the tile size"
        )
        self.rounded.setChecked(self._remembered.get("rounded", False))
        self.card = Sentence()
        self.card.setToolTip(GLOSSARY)
        self.warning = Sentence()
        self._lay_out()
        self.combo.currentIndexChanged.connect(self._load_current)
        self.rounded.toggled.connect(self._round)
        self.open_button.clicked.connect(self._ask)

    def load_first(self) -> None:
        """Load the model of the last time, or the one to begin with."""
        last = self._remembered.get("model", DEFAULT_MODEL)
        found = (self.combo.findData(last), self.combo.findText(last))
        index = next((i for i in found if i >= 0), max(self.combo.findText(DEFAULT_MODEL), 0))
        if index == self.combo.currentIndex():
            self._load_current()
        else:
            self.combo.setCurrentIndex(index)

    def choose(self, name: str) -> None:
        """Choose a model by its name in the combo, if it is there."""
        index = self.combo.findText(name)
        if index >= 0:
            self.combo.setCurrentIndex(index)

    def open_model(self, path: str | Path) -> None:
        """Open a model file; what is no model changes nothing."""
        try:
            self._load(str(path))
        except ShiftSegError as error:
            self.failed.emit(str(error))
            return
        index = self.combo.findData(str(path))
        if index < 0:
            self.combo.addItem(Path(path).stem, str(path))
            index = self.combo.count() - 1
            self.combo.setItemData(index, str(path), Qt.ItemDataRole.ToolTipRole)
        self._remembered.keep_recent(str(path))
        if index == self.combo.currentIndex():
            self._load_current()
        else:
            self.combo.setCurrentIndex(index)

    def offer(self, path: Path) -> None:
        """Offer a model file that was just written, without choosing it."""
        self._loaded.pop(str(path), None)
        index = self.combo.findData(str(path))
        if index < 0:
            self.combo.addItem(path.stem, str(path))
        elif index == self.combo.currentIndex():
            self._load_current()

    def _ask(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self, "Open model", "", "Models (*.safetensors *.pt *.pth);;All files (*)"
        )
        if path:
            self.open_model(path)

    def _round(self, rounded: bool) -> None:
        self._remembered.keep("rounded", rounded)
        self._load_current()

    @property
    def _precision(self) -> Precision:
        return "bfloat16" if self.rounded.isChecked() else "float32"

    def _load_current(self) -> None:
        if self.combo.currentIndex() < 0:
            return
        try:
            loaded, warning = self._load(self.combo.currentData())
            self.model, slower = _heard(partial(loaded.in_precision, self._precision))
            warning = " ".join(filter(None, (warning, slower)))
        except ShiftSegError as error:
            self.model, warning = None, str(error)
            self.failed.emit(warning)
        else:
            if warning:
                self.warned.emit(warning)
            self._remembered.keep("model", self._name_to_keep())
        self.card.say(card(self.model.description) if self.model else "", rich=True)
        self.warning.say(warning, warning=True)
        self.warning.setVisible(bool(warning))
        self.model_changed.emit(self.model)

    def _name_to_keep(self) -> str:
        """Return a bundled model's name, and the path of any other: it may have any name."""
        name, path = self.combo.currentText(), str(self.combo.currentData())
        return name if path == str(bundled_models().get(name)) else path

    def _offer_recent(self) -> None:
        recent = [path for path in self._remembered.recent_models() if Path(path).is_file()]
        if recent:
            self.combo.insertSeparator(self.combo.count())
        for path in recent:
            self.combo.addItem(Path(path).stem, path)
            self.combo.setItemData(self.combo.count() - 1, path, Qt.ItemDataRole.ToolTipRole)

    def _load(self, path: str) -> tuple[Model, str]:
        state = _state_of(path)
        if path not in self._loaded or self._loaded[path][0] != state:
            self._loaded[path] = state, *_heard(partial(load_model, path))
        return self._loaded[path][1:]

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self.combo, 1)
        row.addWidget(self.rounded)
        row.addWidget(self.open_button)
        column = QVBoxLayout(self)
        column.addLayout(row)
        column.addWidget(self.card)
        column.addWidget(self.warning)
        self.warning.hide()


_State = tuple[int, int] | None
"""What changes with a file's content, as when it is trained on or copied over; None for no file."""


def _heard(make: Callable[[], Model]) -> tuple[Model, str]:
    """Make a model, and return what is warned of meanwhile."""
    with hearing() as warned:
        model = make()
    return model, " ".join(warned)


def _state_of(path: str) -> _State:
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
