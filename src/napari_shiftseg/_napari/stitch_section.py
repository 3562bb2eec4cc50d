"""Choose how tiles are cut, and read at once what that will do."""

from __future__ import annotations

from typing import cast

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_shiftseg._napari.sentence import Sentence
from napari_shiftseg._napari.switch import Switch
from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.pipeline import plan_for
from napari_shiftseg.settings import StitchMode
from napari_shiftseg.tiles.geometry import Size
from napari_shiftseg.tiles.plan import TilePlan, corrected_tile

_MODES = (
    ("naive", "Naive", "Windows side by side, as most programs do: seams can cut objects"),
    ("corrected", "Corrected", "Tiles of a multiple of the period: equal to one whole pass"),
    ("whole", "Whole", "One pass over the whole image: no seams, but much memory"),
    ("blended", "Blended", "Overlapping windows, averaged: seams are blurred, not removed"),
)
_LARGEST = 16384


class StitchSection(QGroupBox):
    """Stitch mode, tile size, a sentence in numbers, and whether to show the grid.

    Each mode keeps the tile size that a person gave it; without one it is the model's.
    """

    changed = Signal()
    grid_toggled = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Stitching", parent)
        self._given: dict[str, int] = {}
        self._model: Model | None = None
        self.switch = Switch(_MODES)
        self.tile = QSpinBox()
        self.tile.setRange(1, _LARGEST)
        self.tile.setSuffix(" px")
        self.tile.setKeyboardTracking(False)
        self.tile.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.sentence = Sentence()
        self.grid = QCheckBox("Show grid")
        self.grid.setChecked(True)
        self.grid.setToolTip("Tile boundaries bold, the period's lines thin (when zoomed in)")
        self._lay_out()
        self.switch.changed.connect(self._on_mode)
        self.tile.valueChanged.connect(self._on_tile)
        self.grid.toggled.connect(self.grid_toggled)

    @property
    def mode(self) -> StitchMode:
        """The chosen stitch mode."""
        return cast("StitchMode", self.switch.value)

    def tile_for(self, mode: StitchMode) -> int | Size | None:
        """Return the tile size to ask the engine for; None is the model's own."""
        if self._model is None or mode == "whole":
            return None
        geometry = self._model.geometry
        if mode != "corrected":
            return self._given.get(mode)
        size = self._given.get("corrected", self._given.get("naive"))
        return None if size is None else corrected_tile(geometry, (size,) * geometry.ndim)

    def set_model(self, model: Model | None) -> None:
        """Take another model; its tile sizes start from its own again."""
        if model is not self._model:
            self._model = model
            self._given.clear()

    def plan(self, size: Size) -> TilePlan | None:
        """Return the plan for an image of this size, and show its tile size."""
        if self._model is None:
            return None
        plan = plan_for(self._model, size, self.mode, self.tile_for(self.mode))
        self._show_tile(plan)
        return plan

    def _show_tile(self, plan: TilePlan) -> None:
        step = max(plan.geometry.period) if plan.mode == "corrected" else 1
        self.tile.blockSignals(True)
        self.tile.setEnabled(plan.mode != "whole")
        self.tile.setSingleStep(step)
        self.tile.setMinimum(step)
        self.tile.setValue(max(plan.tile_size))
        self.tile.blockSignals(False)

    def _on_mode(self) -> None:
        self.changed.emit()

    def _on_tile(self, value: int) -> None:
        step = self.tile.singleStep()
        self._given[self.mode] = max(step, round(value / step) * step)
        self.changed.emit()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(QLabel("Tile size"))
        row.addWidget(self.tile, 1)
        row.addWidget(self.grid)
        column = QVBoxLayout(self)
        column.addWidget(self.switch)
        column.addLayout(row)
        column.addWidget(self.sentence)
