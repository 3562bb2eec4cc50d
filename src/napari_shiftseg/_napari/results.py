"""The results that the viewer shows, by the layers that show them; one is the current one."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Labels, Layer
from napari.viewer import Viewer
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_shiftseg._napari.alive import while_alive
from napari_shiftseg._napari.job import Result
from napari_shiftseg._napari.layers import (
    EMBEDDING,
    JUMPS,
    LABELS,
    add_jumps,
    is_the_persons,
    layer_of,
    levels_of,
    show_only,
    show_picture,
    show_result,
)
from napari_shiftseg._napari.tags import own_layers, tag_of


class Results(QObject):
    """Keeps each result as long as its labels layer lives.

    Parameters
    ----------
    viewer
        Where the layers are.
    """

    changed = Signal()
    relabelled = Signal(object)

    def __init__(self, viewer: Viewer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._by_key: dict[str, Result] = {}
        self._current = ""
        self._busy = False
        while_alive(self, viewer.layers.events.removed, self._on_removed)

    @property
    def current(self) -> Result | None:
        """The result that is looked at."""
        return self._by_key.get(self._current)

    def all(self) -> list[Result]:
        """Return every result, the oldest first."""
        return list(self._by_key.values())

    def of_layer(self, layer: Layer | None) -> Result | None:
        """Return the result that a labels layer shows, None if it is none of ours."""
        return None if layer is None else self._by_key.get(tag_of(layer).get("key", ""))

    def labels_of(self, result: Result) -> Labels | None:
        """Return the labels layer of a result, None if it is gone."""
        return layer_of(self._viewer, result.key, LABELS)

    def show(self, result: Result) -> Labels:
        """Show a result and make it the current one."""
        self._busy = True
        labels = show_result(self._viewer, result)
        self._busy = False
        self._by_key = {key: kept for key, kept in self._by_key.items() if self._is_shown(key)} | {
            repr(result.key): result
        }
        self.choose(result.key)
        return labels

    def choose(self, key: tuple[Any, ...]) -> None:
        """Make a result the current one, and the only one that is seen."""
        self._current = repr(key)
        show_only(self._viewer, key, LABELS)
        self.changed.emit()

    def view(self, kind: str) -> None:
        """Show the current result's labels or embedding; an empty kind shows neither."""
        if self.current is None:
            return
        if kind == EMBEDDING and layer_of(self._viewer, self.current.key, EMBEDDING) is None:
            show_picture(self._viewer, self.current)
        show_only(self._viewer, self.current.key, kind or None)

    def relabel(self, result: Result) -> None:
        """Put other labels of the same embedding into the layer of a result."""
        layer = layer_of(self._viewer, result.key, LABELS)
        if layer is None:
            return
        self._by_key[repr(result.key)] = result
        if is_the_persons(layer):
            self.show(result)
            return
        layer.data = levels_of(result.segmentation.labels, result.subject.placement)[0]
        tag_of(layer)["provenance"] = result.segmentation.provenance
        self.changed.emit()
        self.relabelled.emit(result)

    def recolour(self, result: Result) -> None:
        """Put other colours into the embedding layer of a result."""
        self._by_key[repr(result.key)] = result
        if layer_of(self._viewer, result.key, EMBEDDING) is not None:
            show_picture(self._viewer, result)

    def show_jumps(self, result: Result, jumps: NDArray[np.float32]) -> None:
        """Show a result's jumps."""
        if self.current is not None and layer_of(self._viewer, result.key, LABELS) is not None:
            self.hide_jumps()
            add_jumps(self._viewer, result, jumps)

    def hide_jumps(self) -> None:
        """Take all jump layers away."""
        for layer in own_layers(self._viewer, kind=JUMPS):
            self._viewer.layers.remove(layer)

    def _is_shown(self, key: str) -> bool:
        return bool(own_layers(self._viewer, key=key, kind=LABELS))

    def _on_removed(self, event: Any) -> None:
        key = tag_of(event.value).get("key")
        if not self._busy and key in self._by_key and not self._is_shown(key):
            del self._by_key[key]
            if self._current == key:
                self._current = next(reversed(self._by_key), "")
            self.changed.emit()
