"""What to train, and how: the few settings that matter, and all others folded away."""

from __future__ import annotations

import re
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QFormLayout, QGroupBox, QHBoxLayout, QWidget

from napari_shiftseg._napari.sentence import Sentence
from napari_shiftseg._napari.train.field_editor import FieldEditor
from napari_shiftseg._napari.train.fields import recipe_fields
from napari_shiftseg._napari.train.fold import Fold
from napari_shiftseg.training.presets import PRESETS

_ELSEWHERE = ("data",)
"""Fields that another section asks for."""

_FEW = ("preset", "window", "steps", "coordinates", "foreground")


class SettingsSection(QGroupBox):
    """A form of the whole recipe, made from its fields."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Network", parent)
        titles = {name: _preset_title(name) for name in PRESETS}
        self.editors = {
            name: FieldEditor(field, titles=titles)
            for name, field in recipe_fields().items()
            if name not in _ELSEWHERE
        }
        self.sentence = Sentence()
        self.anyway = QCheckBox("Train anyway")
        self.anyway.setToolTip("Train although objects will be split, as the paper's Fig. 3 shows")
        self._lay_out()
        self._show_preset()
        self.editors["preset"].changed.connect(self._on_preset)
        for editor in self.editors.values():
            editor.changed.connect(self.changed)
        self.anyway.toggled.connect(lambda _: self.changed.emit())

    def values(self) -> dict[str, Any]:
        """Return what was given, by field; raises ShiftSegError if something is no value."""
        return {name: editor.value() for name, editor in self.editors.items()}

    def in_words(self, message: str) -> str:
        """Call the settings that a message begins with as the form does."""
        name = re.split(r"\W", message, maxsplit=1)[0]
        editor = self.editors.get(name)
        return message if editor is None else message.replace(name, editor.field.title, 1)

    def show_values(self, values: dict[str, Any]) -> None:
        """Set the form to values by field; what they do not name stays as it is."""
        self.blockSignals(True)  # all are one change
        if "preset" in values:  # first: it forgets the window
            self.editors["preset"].show_value(values["preset"])
        implied = PRESETS[self.editors["preset"].value()]
        for name in self.editors.keys() & values.keys() - {"preset"}:
            value = values[name]
            is_implied = name in implied and implied[name] == value
            self.editors[name].show_value(None if is_implied else value)
        self.blockSignals(False)
        self.changed.emit()

    def say(self, text: str, *, warning: bool = False, may_insist: bool = False) -> None:
        """Say what the settings mean, or what is wrong with them.

        Parameters
        ----------
        text
            The sentence.
        warning
            Whether it is a warning.
        may_insist
            Whether a person may go on in spite of it.
        """
        self.sentence.say(text, warning=warning)
        self.sentence.setVisible(bool(text))
        self.anyway.setVisible(may_insist)

    def _on_preset(self) -> None:
        """Forget the window, which was given for other axes."""
        window = self.editors["window"]
        window.blockSignals(True)
        window.show_value(None)
        window.blockSignals(False)
        self._show_preset()

    def _show_preset(self) -> None:
        for name, value in PRESETS[self.editors["preset"].value()].items():
            self.editors[name].show_preset(value)

    def _lay_out(self) -> None:
        rest = QWidget()
        others = _form(rest)
        for name, editor in self.editors.items():
            if name not in _FEW:
                _add(others, editor)
        form = _form(self)
        for name in ("preset", "window", "steps"):
            _add(form, self.editors[name])
        form.addRow(self._ticks())
        form.addRow(self.sentence)
        form.addRow(self.anyway)
        self.fold = Fold("All settings", rest)
        form.addRow(self.fold)
        self.anyway.hide()

    def _ticks(self) -> QHBoxLayout:
        row = QHBoxLayout()
        for name, text in (("coordinates", "Coordinates"), ("foreground", "Foreground")):
            self.editors[name].control.setText(text)
            row.addWidget(self.editors[name])
        return row


def _preset_title(name: str) -> str:
    """Write ``2d-small`` as people do."""
    return f"{name[0]}-D {name[3:]}".strip()


def _form(owner: QWidget) -> QFormLayout:
    form = QFormLayout(owner)
    form.setContentsMargins(0, 0, 0, 0)
    form.setVerticalSpacing(3)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return form


def _add(form: QFormLayout, editor: FieldEditor) -> None:
    form.addRow(editor.field.title, editor)
    form.labelForField(editor).setToolTip(editor.control.toolTip())
