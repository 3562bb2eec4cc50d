"""A control for one field of the recipe: a box to tick, a choice, or a line to type in."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLineEdit, QSizePolicy, QWidget

from napari_shiftseg._napari.train.fields import Field

FROM_PRESET = "as the preset"


class FieldEditor(QWidget):
    """Edit a field; its help is the tooltip.

    Parameters
    ----------
    field
        What is edited.
    titles
        Names of choices for people, by value; by default the values themselves.
    """

    changed = Signal()

    def __init__(
        self, field: Field, parent: QWidget | None = None, *, titles: dict[Any, str] | None = None
    ) -> None:
        super().__init__(parent)
        self.field = field
        self.control: Any = self._make(titles or {})
        self.control.setToolTip(_wrapped(field.help))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.control, 0 if field.kind is bool else 1)
        if field.kind is bool:
            row.addStretch(1)

    def value(self) -> Any:
        """Return what was chosen; raises ShiftSegError if what was typed is no value."""
        if self.field.kind is bool:
            return self.control.isChecked()
        if self.field.choices:
            return self.control.currentData()
        return self.field.read(self.control.text())

    def show_value(self, value: Any) -> None:
        """Set the control to a value."""
        if self.field.kind is bool:
            self.control.setChecked(bool(value))
        elif self.field.choices:
            self.control.setCurrentIndex(max(0, self.control.findData(value)))
        else:
            self.control.setText(self.field.write(value))

    def show_preset(self, value: Any) -> None:
        """Say what holds while nothing is given."""
        if isinstance(self.control, QLineEdit):
            self.control.setPlaceholderText(self.field.write(value))
        elif isinstance(self.control, QComboBox):
            self.control.setItemText(0, f"{FROM_PRESET}: {value}")

    def _make(self, titles: dict[Any, str]) -> QWidget:
        if self.field.kind is bool:
            box = QCheckBox()
            box.setChecked(bool(self.field.default))
            box.toggled.connect(lambda _: self.changed.emit())
            return box
        return self._choice(titles) if self.field.choices else self._line()

    def _choice(self, titles: dict[Any, str]) -> QComboBox:
        combo = QComboBox()
        combo.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        if self.field.optional:
            combo.addItem(FROM_PRESET, None)
        for value in self.field.choices:
            combo.addItem(titles.get(value, str(value)), value)
        combo.setCurrentIndex(max(0, combo.findData(self.field.default)))
        combo.currentIndexChanged.connect(lambda _: self.changed.emit())
        return combo

    def _line(self) -> QLineEdit:
        line = QLineEdit()
        line.setPlaceholderText("none" if self.field.default is None else "")
        line.setText(self.field.write(self.field.default))
        line.setCursorPosition(0)
        line.textChanged.connect(lambda _: self.changed.emit())
        return line


def _wrapped(text: str) -> str:
    """Qt breaks the lines of a tooltip only if it is rich text."""
    return f"<qt>{text}</qt>"
