"""A tile size by slider and by number, in steps that are legal."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QSizePolicy, QSlider, QSpinBox, QWidget

_LARGEST = 16384


class TileSize(QWidget):
    """Slider and spin box that show the same size and snap to the same step."""

    changed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setToolTip("Size of a tile's output; snaps to the period in corrected mode")
        self.spin = QSpinBox()
        self.spin.setSuffix(" px")
        self.spin.setKeyboardTracking(False)
        self.spin.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.spin.setMinimumWidth(110)
        self.set_step(1, _LARGEST)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.slider, 1)
        row.addWidget(self.spin)
        self.slider.valueChanged.connect(lambda steps: self._announce(steps * self._step))
        self.spin.valueChanged.connect(self._announce)

    def set_step(self, step: int, slider_up_to: int) -> None:
        """Make multiples of a step the legal sizes; the slider ends at a useful size."""
        self._step = step
        for box in (self.slider, self.spin):
            box.blockSignals(True)
        self.slider.setRange(1, max(1, -(-slider_up_to // step)))
        self.spin.setRange(step, max(_LARGEST, -(-slider_up_to // step) * step))
        self.spin.setSingleStep(step)
        for box in (self.slider, self.spin):
            box.blockSignals(False)

    def show_size(self, size: int) -> None:
        """Show a size without announcing it."""
        for box, value in ((self.slider, round(size / self._step)), (self.spin, size)):
            box.blockSignals(True)
            box.setValue(value)
            box.blockSignals(False)

    def _announce(self, size: int) -> None:
        snapped = max(self._step, round(size / self._step) * self._step)
        self.show_size(snapped)
        self.changed.emit(snapped)
