"""The grid: to be found, or known, with a tile size and a first line for each axis."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QGroupBox, QLabel, QSpinBox, QVBoxLayout, QWidget

from napari_shiftseg._napari.check.job import GivenGrid
from napari_shiftseg._napari.switch import Switch
from napari_shiftseg._napari.wheel import let_wheel_pass

_KINDS = (
    ("auto", "Find it", "Try every tile size and offset, and say if none is there"),
    ("known", "I know it", "Give tile size and first line of each axis"),
)
_LARGEST = 100_000


class GridSection(QGroupBox):
    """Choose between both, and fill in what is known."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Tile grid", parent)
        self.kind = Switch(_KINDS)
        self.sizes: list[QSpinBox] = []
        self.offsets: list[QSpinBox] = []
        self._names: tuple[str, ...] = ()
        self._page = QWidget()
        self._grid = QGridLayout(self._page)
        self._grid.setContentsMargins(0, 2, 0, 0)
        self._grid.setVerticalSpacing(3)
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnStretch(2, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 6)
        column.setSpacing(4)
        column.addWidget(self.kind)
        column.addWidget(self._page)
        self._page.hide()
        self.kind.changed.connect(self._on_kind)

    @property
    def given(self) -> GivenGrid:
        """What the person says."""
        if self.kind.value == "auto":
            return GivenGrid()
        return GivenGrid(
            tuple(box.value() for box in self.sizes), tuple(box.value() for box in self.offsets)
        )

    def set_axes(self, names: Sequence[str]) -> None:
        """Offer a row per axis; what was filled in for an axis of this name stays."""
        if tuple(names) == self._names:
            return
        former = dict(zip(self._names, zip(self.sizes, self.offsets, strict=True), strict=True))
        kept = {name: (s.value(), o.value()) for name, (s, o) in former.items()}
        self._names = tuple(names)
        self._fill([kept.get(name, (128, 0)) for name in names])

    def show_grid(self, tiles: Sequence[int], offsets: Sequence[int]) -> None:
        """Fill in a known grid, and choose it."""
        self.propose(tiles, offsets)
        self.kind.choose("known")

    def propose(self, tiles: Sequence[int], offsets: Sequence[int]) -> None:
        """Fill in a grid for a person who will want to change it."""
        self._fill(list(zip(tiles, offsets, strict=True)))

    def _fill(self, values: Sequence[tuple[int, int]]) -> None:
        while self._grid.count():
            widget = self._grid.takeAt(0).widget()
            widget.hide()
            widget.deleteLater()
        for column, title in enumerate(("Tile size", "First line at"), start=1):
            self._grid.addWidget(QLabel(title), 0, column)
        self.sizes, self.offsets = [], []
        for row, (name, (tile, offset)) in enumerate(zip(self._names, values, strict=True), 1):
            size = self._box(0, tile, "Edge of a tile along this axis; none for an axis without")
            size.setSpecialValueText("none")
            start = self._box(0, offset, "First pixel of the first whole tile; mostly 0")
            self._grid.addWidget(QLabel(f"along {name}"), row, 0)
            self._grid.addWidget(size, row, 1)
            self._grid.addWidget(start, row, 2)
            self.sizes.append(size)
            self.offsets.append(start)
        let_wheel_pass(self)

    def _box(self, low: int, value: int, tip: str) -> QSpinBox:
        box = QSpinBox()
        box.setRange(low, _LARGEST)
        box.setSuffix(" px")
        box.setValue(value)
        box.setToolTip(tip)
        box.valueChanged.connect(lambda _: self.changed.emit())
        return box

    def _on_kind(self) -> None:
        self._page.setVisible(self.kind.value == "known")
        self.changed.emit()
