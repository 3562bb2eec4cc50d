"""A combo box of the viewer's layers of one type, kept in step with the layer list."""

from __future__ import annotations

from functools import partial
from typing import Any

from napari.layers import Layer
from napari.viewer import Viewer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QSizePolicy, QWidget

from napari_shiftseg._napari.alive import when_deleted, while_alive
from napari_shiftseg._napari.layers import FILE, LABELS
from napari_shiftseg._napari.tags import tag_of

_OFFERED = (None, LABELS, FILE)
"""Kinds of layers that can be chosen: the person's own, and labels that a run made."""


class LayerChoice(QComboBox):
    """Choose a layer.

    Parameters
    ----------
    viewer
        Whose layers.
    layer_type
        Only layers of this type are offered, the plugin's own pictures excepted.
    none_text
        What to call the choice of no layer; None if there is no such choice.
    """

    layer_changed = Signal(object)

    def __init__(
        self,
        viewer: Viewer,
        layer_type: type[Layer],
        none_text: str | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._type = layer_type
        self._none_text = none_text
        self._last: Layer | None = None
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        while_alive(self, viewer.layers.events.inserted, self._on_inserted)
        while_alive(self, viewer.layers.events.removed, self._refill)
        while_alive(self, viewer.layers.events.reordered, self._refill)
        self.currentIndexChanged.connect(self._announce)
        for layer in viewer.layers:
            layer.events.name.connect(self._on_name)
        self._alive = [True]
        when_deleted(self, partial(_mark_dead, self._alive))
        self._refill()

    @property
    def layer(self) -> Layer | None:
        """The chosen layer."""
        return self.currentData()

    def choose(self, layer: Layer | None) -> None:
        """Choose a layer; one that is not on offer changes nothing."""
        index = self._index_of(layer)
        if index >= 0:
            self.setCurrentIndex(index)

    def _offered(self) -> list[Layer]:
        return [
            layer
            for layer in self._viewer.layers
            if isinstance(layer, self._type) and tag_of(layer).get("kind") in _OFFERED
        ]

    def _on_inserted(self, event: Any) -> None:
        event.value.events.name.connect(self._on_name)
        self._refill()

    def _on_name(self) -> None:
        # A layer may live longer than this.
        if self._alive[0]:
            self._refill()

    def _refill(self) -> None:
        chosen = self.layer
        self.blockSignals(True)
        self.clear()
        if self._none_text is not None:
            self.addItem(self._none_text, None)
        for layer in self._offered():
            self.addItem(layer.name, layer)
        self.setCurrentIndex(max(self._index_of(chosen), 0))
        self.blockSignals(False)
        self._announce()

    def _index_of(self, layer: Layer | None) -> int:
        # Not findData, with which Qt would look into arrays; not "is", because napari hands
        # plugins a proxy of what it has.
        return next((i for i in range(self.count()) if self.itemData(i) == layer), -1)

    def _announce(self) -> None:
        if self.layer is not self._last:
            self._last = self.layer
            self.layer_changed.emit(self.layer)


def _mark_dead(alive: list[bool]) -> None:
    alive[0] = False
