"""How A and B are shown, with what each way has to set."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QSlider,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from napari_shiftseg._napari.compare.arrangement import BLINK, CURTAIN, SIDE_BY_SIDE
from napari_shiftseg._napari.switch import Switch

_WAYS = (
    ("A", "A", "Show A alone"),
    ("B", "B", "Show B alone"),
    (SIDE_BY_SIDE, "Side by side", "Show B to the right of A"),
    (CURTAIN, "Curtain", "A left of a line, B right of it; drag the line over the image"),
    (BLINK, "Blink", "A and B in turns"),
)
_STEPS = 1000


class ShowSection(QWidget):
    """Choose how to look at two results."""

    way_requested = Signal(str)
    curtain_moved = Signal(float)
    interval_changed = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._titles: Sequence[str] = ("", "")
        self.switch = Switch(_WAYS)
        for button in self.switch.buttons.values():
            button.setStyleSheet("padding-left: 4px; padding-right: 4px")
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, _STEPS)
        self.slider.setValue(_STEPS // 2)
        self.slider.setToolTip("Where A ends and B begins")
        self.interval = QDoubleSpinBox()
        self.interval.setRange(0.1, 5)
        self.interval.setSingleStep(0.1)
        self.interval.setValue(0.6)
        self.interval.setSuffix(" s")
        self.interval.setToolTip("How long each of the two is shown")
        self.options = QStackedWidget()
        self.caption = QLabel()
        self._pages = {
            "": self.caption,
            CURTAIN: self._page("Line", self.slider),
            BLINK: self._page("Interval", self.interval),
        }
        for page in self._pages.values():
            self.options.addWidget(page)
        self._lay_out()
        self.switch.changed.connect(self._on_way)
        self.slider.valueChanged.connect(lambda value: self.curtain_moved.emit(value / _STEPS))
        self.interval.valueChanged.connect(self.interval_changed)

    def name(self, titles: Sequence[str]) -> None:
        """Say what A and B are."""
        self._titles = titles
        self._say()

    def show_way(self, way: str) -> None:
        """Show which way is on, without asking for it."""
        self.switch.buttons[way].setChecked(True)
        self.options.setCurrentWidget(self._pages.get(way, self.caption))
        self._say()

    def show_curtain(self, fraction: float) -> None:
        """Show where the curtain's line is."""
        self.slider.blockSignals(True)
        self.slider.setValue(round(fraction * _STEPS))
        self.slider.blockSignals(False)

    def _say(self) -> None:
        a, b = self._titles
        texts = {"A": a, "B": b, SIDE_BY_SIDE: f"{a}  |  {b}"}
        self.caption.setText(texts.get(self.switch.value, "") if a else "")

    def _on_way(self, way: str) -> None:
        self.show_way(way)
        self.way_requested.emit(way)

    def _page(self, title: str, control: QWidget) -> QWidget:
        page = QWidget()
        row = QHBoxLayout(page)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel(title))
        row.addWidget(control, 1)
        return page

    def _lay_out(self) -> None:
        self.options.setFixedHeight(26)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.switch)
        column.addWidget(self.options)
