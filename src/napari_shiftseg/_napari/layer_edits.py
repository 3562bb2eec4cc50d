"""Hear when a layer of the viewer gets other pixels, is painted on, or gets another place."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from napari.layers import Labels, Layer
from napari.utils.notifications import show_info
from napari.viewer import Viewer
from qtpy.QtCore import QObject, Qt, Signal

from napari_shiftseg._napari.alive import while_alive
from napari_shiftseg._napari.worker import Runner

_PLACE = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")
"""Events of a layer that change where its pixels lie; older versions of napari lack some."""


class LayerEdits(QObject):
    """Tells of every layer, those that are added later too.

    Parameters
    ----------
    viewer
        Whose layers.
    """

    repixelled = Signal(object)
    painted = Signal(object)
    moved = Signal(object)
    renamed = Signal(object)
    _pixels_set = Signal(object)
    _place_set = Signal(object)

    def __init__(self, viewer: Viewer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        later = Qt.ConnectionType.QueuedConnection
        self._pixels_set.connect(self.repixelled, later)
        self._place_set.connect(self.moved, later)
        self._ends: dict[str, list[Callable[[], None]]] = {}
        self._steps: dict[str, tuple[int, int]] = {}
        while_alive(self, viewer.layers.events.inserted, self._on_inserted)
        while_alive(self, viewer.layers.events.removed, self._on_removed)
        for layer in viewer.layers:
            self._watch(layer)

    def end_with_pixels(self, runner: Runner, end: Callable[[], None] | None = None) -> None:
        """End a run when its layer gets other pixels: what it finds would be of neither.

        Parameters
        ----------
        runner
            Runs it.
        end
            Ends it, where more is to be done than to cancel it.
        """
        self.repixelled.connect(partial(_end, runner, end or runner.cancel))

    def _watch(self, layer: Layer) -> None:
        heard = {"data": self._on_data, "paint": self._on_paint, "name": self._on_name}
        heard |= dict.fromkeys(_PLACE, self._on_place)
        if isinstance(layer, Labels):
            heard["set_data"] = self._on_drawn
            self._steps[str(layer.unique_id)] = steps_of(layer)
        self._ends[str(layer.unique_id)] = [
            while_alive(self, layer.events.emitters[name], callback)
            for name, callback in heard.items()
            if name in layer.events.emitters
        ]

    def _on_inserted(self, event: Any) -> None:
        self._watch(event.value)

    def _on_removed(self, event: Any) -> None:
        for end in self._ends.pop(str(event.value.unique_id), ()):
            end()
        self._steps.pop(str(event.value.unique_id), None)

    def _on_drawn(self, event: Any) -> None:
        """Hear of napari's own undo and redo, which tell nobody but have the layer drawn anew."""
        key, steps = str(event.source.unique_id), steps_of(event.source)
        if self._steps.get(key) != steps:
            self._steps[key] = steps
            self.painted.emit(event.source)

    def _on_data(self, event: Any) -> None:
        self._pixels_set.emit(event.source)

    def _on_name(self, event: Any) -> None:
        self.renamed.emit(event.source)

    def _on_paint(self, event: Any) -> None:
        self._steps[str(event.source.unique_id)] = steps_of(event.source)
        self.painted.emit(event.source)

    def _on_place(self, event: Any) -> None:
        self._place_set.emit(event.source)


def steps_of(layer: Labels) -> tuple[int, int]:
    """Count the changes that can be taken back, and those that can be made again."""
    return len(layer._undo_history), len(layer._redo_history)


def _end(runner: Runner, end: Callable[[], None], layer: Layer) -> None:
    if runner.works_on(layer):
        end()
        show_info(f"The run was cancelled: {layer.name} got other pixels.")
