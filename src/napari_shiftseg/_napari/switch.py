"""A row of buttons of which one is on."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QWidget


class Switch(QWidget):
    """Choose one of a few.

    Parameters
    ----------
    choices
        Value, text and tooltip of each.
    chosen
        The value that is on at first; by default the first one.
    """

    changed = Signal(str)

    def __init__(
        self,
        choices: Sequence[tuple[str, str, str]],
        parent: QWidget | None = None,
        *,
        chosen: str = "",
    ) -> None:
        super().__init__(parent)
        self.buttons = {value: self._button(text, tip) for value, text, tip in choices}
        self._group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(1)
        for button in self.buttons.values():
            self._group.addButton(button)
            row.addWidget(button, 1)
        self.buttons[chosen or next(iter(self.buttons))].setChecked(True)
        self._group.buttonClicked.connect(lambda _: self.changed.emit(self.value))

    @property
    def value(self) -> str:
        """The value that is on."""
        return next(value for value, button in self.buttons.items() if button.isChecked())

    def choose(self, value: str) -> None:
        """Switch to a value."""
        if value != self.value:
            self.buttons[value].setChecked(True)
            self.changed.emit(value)

    def _button(self, text: str, tip: str) -> QPushButton:
        button = QPushButton(text)
        button.setCheckable(True)
        button.setToolTip(tip)
        return button
