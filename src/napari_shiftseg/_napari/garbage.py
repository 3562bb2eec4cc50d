"""While a dock is open, Python's collector is spared what napari and torch keep for good.

A full collection looks through half a million of their objects, and nobody else runs
meanwhile: a seventh of a second whenever napari removes a layer, twice that while a run computes.
In the collector's freezer they are not looked at, and nothing that comes later lies in it.
"""

from __future__ import annotations

import gc
from typing import Any, ClassVar
from weakref import WeakSet

from napari.layers import Layer
from napari.viewer import Viewer
from qtpy import API_NAME
from qtpy.QtCore import QObject, QTimer

from napari_shiftseg._napari.alive import when_deleted, while_alive


class Freezer(QObject):
    """Freezes what is there; takes all out again when that may have become garbage.

    Layers that were there may be removed, and are then collected as ever. A freezer that
    somebody else has filled is left alone.

    Parameters
    ----------
    viewer
        Whose layers are heeded.
    parent
        The dock; the freezer is emptied when it is closed or deleted.
    """

    _used_by: ClassVar[set[int]] = set()
    """The docks that are open."""

    def __init__(self, viewer: Viewer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._frozen: WeakSet[Layer] = WeakSet()
        self._again = QTimer(self, singleShot=True, interval=0)
        self._again.timeout.connect(self._freeze_again)
        while_alive(self, viewer.layers.events.removing, self._on_removing)
        number = id(self)
        when_deleted(self, lambda: _give_up(number))

    def fill(self) -> None:
        """Freeze what is there now."""
        if not self._used_by and gc.get_freeze_count():
            return
        self._used_by.add(id(self))
        self._freeze()

    def give_up(self) -> None:
        """Let the collector look at everything."""
        self._again.stop()
        _give_up(id(self))

    def _freeze(self) -> None:
        if id(self) in self._used_by:
            self._frozen.update(self._viewer.layers)
            gc.freeze()

    def _freeze_again(self) -> None:
        if API_NAME == "PySide6":
            # There napari's controls of the layer end after napari has collected.
            gc.collect()
        self._freeze()

    def _on_removing(self, event: Any) -> None:
        # napari collects garbage once a layer is gone; what is left then is frozen again.
        if self._viewer.layers[event.index] in self._frozen:
            gc.unfreeze()
            self._again.start()


def _give_up(number: int) -> None:
    if number in Freezer._used_by:
        Freezer._used_by.discard(number)
        gc.unfreeze()
