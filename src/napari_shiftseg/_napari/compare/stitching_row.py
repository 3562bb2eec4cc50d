"""One stitching in one line: its letter, mode and tile size."""

from __future__ import annotations

from typing import cast

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSpinBox, QWidget

from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.pipeline import plan_for
from napari_shiftseg.settings import STITCH_MODES, Stitching, StitchMode
from napari_shiftseg.tiles.geometry import Size
from napari_shiftseg.tiles.plan import corrected_tile

_LARGEST = 16384


class StitchingRow(QWidget):
    """Choose a stitch mode and its tile size.

    Corrected tiles snap to the period; without a size from a person it is the model's own.

    Parameters
    ----------
    letter
        What the result is called.
    mode
        Chosen at first.
    """

    def __init__(self, letter: str, mode: StitchMode, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model: Model | None = None
        self._given: int | None = None
        self.mode = QComboBox()
        for name in STITCH_MODES:
            self.mode.addItem(name.capitalize(), name)
        self.mode.setCurrentIndex(STITCH_MODES.index(mode))
        self.mode.setToolTip(f"Stitch mode of result {letter}")
        self.tile = QSpinBox()
        self.tile.setSuffix(" px")
        self.tile.setKeyboardTracking(False)
        self.tile.setToolTip(f"Tile size of result {letter}; corrected tiles snap to the period")
        self._lay_out(letter)
        self.mode.currentIndexChanged.connect(self._show_tile)
        self.tile.valueChanged.connect(self._on_tile)
        self._show_tile()

    @property
    def stitching(self) -> Stitching:
        """What is chosen."""
        mode = cast("StitchMode", self.mode.currentData())
        return Stitching(mode, self._size(mode))

    def set_model(self, model: Model | None) -> None:
        """Take another model, and its own tile size."""
        if model is not self._model:
            self._model, self._given = model, None
            self._show_tile()

    def _size(self, mode: StitchMode) -> int | Size | None:
        if self._model is None or self._given is None or mode == "whole":
            return None
        geometry = self._model.geometry
        if mode == "corrected":
            return corrected_tile(geometry, (self._given,) * geometry.ndim)
        return self._given

    def _show_tile(self) -> None:
        chosen, model = self.stitching, self._model
        self.tile.setEnabled(model is not None and chosen.mode != "whole")
        if model is None or chosen.mode == "whole":
            return
        period = model.geometry.period
        step = max(period) if chosen.mode == "corrected" else 1
        # The tile size does not depend on the image's.
        plan = plan_for(model, (1,) * len(period), chosen.mode, chosen.tile)
        self.tile.blockSignals(True)
        self.tile.setRange(step, _LARGEST)
        self.tile.setSingleStep(step)
        self.tile.setValue(max(plan.tile_size))
        self.tile.blockSignals(False)

    def _on_tile(self, size: int) -> None:
        step = self.tile.singleStep()
        self._given = max(step, round(size / step) * step)
        self._show_tile()

    def _lay_out(self, letter: str) -> None:
        label = QLabel(f"<b>{letter}</b>")
        label.setFixedWidth(16)
        label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(label)
        row.addWidget(self.mode, 1)
        row.addWidget(self.tile, 1)
