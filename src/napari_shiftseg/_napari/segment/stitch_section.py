"""Choose how tiles are cut, and read at once what that will do and cost."""

from __future__ import annotations

from typing import cast

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QGroupBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_shiftseg._napari.segment.tile_size import TileSize
from napari_shiftseg._napari.sentence import Sentence
from napari_shiftseg._napari.switch import Switch
from napari_shiftseg.embeddings.model import Model
from napari_shiftseg.pipeline import plan_for
from napari_shiftseg.settings import Stitching, StitchMode
from napari_shiftseg.tiles.geometry import Size
from napari_shiftseg.tiles.plan import TilePlan, corrected_tile
from napari_shiftseg.tiles.tile import Region

MODES = (
    ("naive", "Naive", "Windows side by side, as most programs do: seams can cut objects"),
    ("corrected", "Corrected", "Tiles of a multiple of the period: equal to one whole pass"),
    ("whole", "Whole", "One pass over the whole image: no seams, but much memory"),
    ("blended", "Blended", "Overlapping windows, averaged: seams are blurred, not removed"),
)

_USEFUL = 1024
"""Tile size up to which the slider goes."""


class StitchSection(QGroupBox):
    """Stitch mode, tile size, a sentence in numbers, and whether to show the grid.

    Each mode keeps the tile size that a person gave it; without one it is the model's.
    """

    changed = Signal()
    grid_toggled = Signal(bool)
    grid_clicked = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Stitching", parent)
        self._given: dict[str, int] = {}
        self._model: Model | None = None
        self.switch = Switch(MODES, chosen="corrected")
        self.size = TileSize()
        self.tile = self.size.spin
        self.sentence = Sentence()
        self.estimate = Sentence(wrap=False)
        self.estimate.setToolTip(
            "Estimated from the network's arithmetic and this machine's speed. An image that takes "
            "more than half of the free memory is segmented block by block into a file"
        )
        self.grid = QCheckBox("Grid")
        self.grid.setChecked(True)
        self.grid.setToolTip("Tile boundaries bold, the period's lines thin (when zoomed in)")
        self._lay_out()
        self.switch.changed.connect(lambda _: self.changed.emit())
        self.size.changed.connect(self._on_tile)
        self.grid.toggled.connect(self.grid_toggled)
        self.grid.clicked.connect(self.grid_clicked)

    @property
    def mode(self) -> StitchMode:
        """The chosen stitch mode."""
        return cast("StitchMode", self.switch.value)

    @property
    def stitching(self) -> Stitching:
        """What the form says."""
        return Stitching(self.mode, self.tile_for(self.mode))

    def tile_for(self, mode: StitchMode) -> int | Size | None:
        """Return the tile size to ask the engine for; None is the model's own."""
        if self._model is None or mode == "whole":
            return None
        geometry = self._model.geometry
        if mode != "corrected":
            return self._given.get(mode)
        size = self._given.get("corrected", self._given.get("naive"))
        return None if size is None else corrected_tile(geometry, (size,) * geometry.ndim)

    def set_model(self, model: Model | None, given: dict[str, int]) -> None:
        """Take another model, and the tile sizes that a person gave it before, by mode."""
        if model is not self._model:
            self._model = model
            self._given = dict(given)

    @property
    def given(self) -> dict[str, int]:
        """The tile sizes that a person gave the model, by mode."""
        return dict(self._given)

    def plan(self, size: Size, region: Region | None = None) -> TilePlan | None:
        """Return the plan for an image of this size, and show its tile size."""
        if self._model is None:
            return None
        plan = plan_for(self._model, size, self.mode, self.tile_for(self.mode), region)
        self._show_tile(plan)
        return plan

    def _show_tile(self, plan: TilePlan) -> None:
        step = max(plan.geometry.period) if plan.mode == "corrected" else 1
        size = max(plan.tile_size)
        self.size.setEnabled(plan.mode != "whole")
        self.size.set_step(step, max(_USEFUL, size))
        self.size.show_size(size)

    def _on_tile(self, size: int) -> None:
        self._given[self.mode] = size
        self.changed.emit()

    def _lay_out(self) -> None:
        label = QLabel("Tile")
        label.setBuddy(self.tile)
        row = QHBoxLayout()
        row.addWidget(label)
        row.addWidget(self.size, 1)
        row.addWidget(self.grid)
        column = QVBoxLayout(self)
        column.addWidget(self.switch)
        column.addLayout(row)
        column.addWidget(self.sentence)
        column.addWidget(self.estimate)
