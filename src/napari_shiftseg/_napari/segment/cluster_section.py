"""The settings of mean shift as sliders, made from the settings class itself."""

from __future__ import annotations

import dataclasses
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QFormLayout, QGroupBox, QWidget
from superqt import QLabeledDoubleSlider, QLabeledSlider

from napari_shiftseg.settings import Clustering

_DECIMALS, _FINE = 2, 4
"""Digits after the point, and those of small settings."""


class ClusterSection(QGroupBox):
    """One slider per number and a box per choice; every change is announced."""

    changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Clustering", parent)
        self._own = Clustering()
        self.controls: dict[str, Any] = {}
        self._shown: dict[str, float] = {}
        """What each slider makes of the settings that it was given."""
        form = QFormLayout(self)
        for field in dataclasses.fields(Clustering):
            if field.metadata:
                form.addRow(field.metadata["title"], self._slider(field))
        self.split = QCheckBox("Split distant parts of a cluster")
        self.split.setToolTip("Distant objects may share an embedding; untick to see which ones do")
        form.addRow(self.split)
        self.split.toggled.connect(self._announce)
        self.show_settings(self._own)

    @property
    def settings(self) -> Clustering:
        """What the form says; what a slider cannot show stays as the model has it."""
        values = {name: control.value() for name, control in self.controls.items()}
        values["min_size"] = int(values["min_size"])
        kept = {
            name: getattr(self._own, name)
            for name, value in values.items()
            if value == self._shown[name]
        }
        return dataclasses.replace(
            self._own, **values | kept, split_components=self.split.isChecked()
        )

    def show_settings(self, settings: Clustering) -> None:
        """Show settings without announcing them."""
        self._own = settings
        for name, control in self.controls.items():
            control.blockSignals(True)
            value = getattr(settings, name)
            if not isinstance(value, int):
                control.setDecimals(_FINE if 0 < value < 0.1 else _DECIMALS)
            control.setRange(min(control.minimum(), value), max(control.maximum(), value))
            control.setValue(value)
            self._shown[name] = control.value()
            control.blockSignals(False)
        self.split.blockSignals(True)
        self.split.setChecked(settings.split_components)
        self.split.blockSignals(False)

    def _slider(self, field: Any) -> QWidget:
        whole = field.type == "int"
        slider = (QLabeledSlider if whole else QLabeledDoubleSlider)(Qt.Orientation.Horizontal)
        low, high = field.metadata["usual"]
        slider.setRange(low, high)
        if not whole:
            slider.setDecimals(_DECIMALS)
            slider.setSingleStep((high - low) / 100)
        slider.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # what is in it takes the keys
        slider.setToolTip(field.metadata["help"])
        slider.valueChanged.connect(self._announce)
        self.controls[field.name] = slider
        return slider

    def _announce(self) -> None:
        self.changed.emit(self.settings)
