"""What was measured, as a small card."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFormLayout, QLabel, QVBoxLayout, QWidget

from napari_shiftseg._napari.audit.job import Audited
from napari_shiftseg._napari.audit.words import card, notes
from napari_shiftseg._napari.sentence import Sentence


class FactsPage(QWidget):
    """Names and values, and notes below."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.values: dict[str, Sentence] = {}
        self.notes = Sentence()
        self._form = QFormLayout()
        self._form.setVerticalSpacing(5)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addLayout(self._form)
        column.addWidget(self.notes)
        column.addStretch(1)

    def clear(self) -> None:
        """Show that there is nothing yet."""
        self._empty()
        self.notes.say("Period, receptive field, legal sizes and the best tile are listed here.")

    def show_audited(self, audited: Audited) -> None:
        """Show an audit."""
        self._empty()
        for name, text in card(audited).items():
            value = Sentence()
            value.say(text)
            self._form.addRow(QLabel(name), value)
            self.values[name] = value
        self.notes.say(notes(audited.audit), rich=True)

    def _empty(self) -> None:
        self.values.clear()
        while self._form.rowCount():
            self._form.removeRow(0)
